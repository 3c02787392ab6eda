import DVBackend
import DVFile
import DVLineage
import DVObject
import DVStore
import SystemPackage

/// One run with all that its record names, as one file: a tar archive of a store's keys. See `docs/format/run-bundle.md`.
///
///     dv-bundle.json              first: canonical JSON, {"run":"<64 digits>","type":"run-bundle","version":1}
///     format/<n>                  as in a store
///     records/<level>-<sha256>    the segment with the record
///     index/…, packs/…, objects/…   as in a store
///
/// Whoever sends one may be anybody: every file is held to the digest in its name before anything else is done with it.
struct RunBundle {
  static let manifestName = "dv-bundle.json"
  private static let prefixes = ["format/", "records/", "index/", "packs/", "objects/"]
  private static let manifestLimit: UInt64 = 4096

  let backend: ArchiveBackend
  let record: Record

  // MARK: - Writing

  /// Writes a bundle of everything that a store holds, with one record.
  ///
  /// - Parameter file: must not exist; it is there when it is complete and durable.
  /// - Returns: how many bytes it has.
  static func write(_ record: Record, of backend: some Backend, to file: FilePath) async throws -> UInt64 {
    let segment = try RecordSegment([record])
    try await backend.put(segment.bytes, at: try BackendKey("records/0-\(segment.id.hex)"))
    let temporary = file.containingDirectory.appending(RandomName.temporary())
    do {
      let size = try await write(record.id, of: backend, into: temporary)
      try temporary.renameNoReplace(to: file)
      try file.containingDirectory.synchronizeDirectory()
      return size
    } catch {
      try? temporary.removeFile()
      throw error
    }
  }

  private static func write(_ run: ObjectID, of backend: some Backend, into file: FilePath) async throws -> UInt64 {
    let writer = try FileWriter(creating: file)
    let manifest: JSONValue = ["run": .string(run.hex), "type": "run-bundle", "version": 1]
    let bytes = manifest.canonical()
    let header = TarHeader(name: manifestName, size: UInt64(bytes.count))
    try writer.write((header.bytes + bytes + [UInt8](repeating: 0, count: Int(header.paddedSize) - bytes.count)).span)
    var size = UInt64(TarHeader.blockSize) + header.paddedSize
    for prefix in prefixes {
      for entry in try await backend.list(prefix) {
        let header = TarHeader(name: entry.key.text, size: entry.size)
        try writer.write(header.bytes.span)
        var done: UInt64 = 0
        while done < entry.size {
          let end = min(entry.size, done + 4 << 20)
          guard let piece = try await backend.get(entry.key, range: done..<end) else {
            throw StoreError(.missing, "'\(entry.key)' went away while the bundle was written.")
          }
          try writer.write(piece.span)
          done = end
        }
        try writer.write([UInt8](repeating: 0, count: Int(header.paddedSize - entry.size)).span)
        size += UInt64(TarHeader.blockSize) + header.paddedSize
      }
    }
    try writer.write([UInt8](repeating: 0, count: 2 * TarHeader.blockSize).span)
    try writer.synchronize()
    try writer.close()
    return size + 2 * UInt64(TarHeader.blockSize)
  }

  // MARK: - Reading

  /// Opens a bundle and proves every file in it by its name.
  ///
  /// - Throws: ``RepositoryError/Code/corrupt`` if it is none, or anything in it is not what its name says.
  init(_ file: FilePath) async throws {
    let backend: ArchiveBackend
    do throws(BackendError) { backend = try await ArchiveBackend(file) } catch {
      throw RepositoryError(error.code == .corrupt ? .corrupt : .usage, error.message, cause: error)
    }
    guard let first = backend.firstName, first.text == Self.manifestName, let size = try await backend.size(of: first),
      size <= Self.manifestLimit, let bytes = try await backend.get(first),
      let manifest = try? JSONValue(canonical: bytes, limit: Int(Self.manifestLimit), named: "the bundle"),
      manifest["type"]?.string == "run-bundle", let run = try? ObjectID(hex: manifest["run"]?.string ?? "")
    else { throw Self.refusal(backend, "it does not begin with '\(Self.manifestName)'") }
    guard manifest["version"]?.integer == 1 else { throw Self.refusal(backend, "it is of a version that this dv does not know") }
    var record: Record?
    for key in backend.keys where key.text != Self.manifestName {
      guard Self.prefixes.contains(where: { key.text.hasPrefix($0) }) else { throw Self.refusal(backend, "'\(key)' does not belong into one") }
      if key.text.hasPrefix("format/") { continue }
      guard let name = try? ObjectID(hex: String(key.text.suffix(64))) else { throw Self.refusal(backend, "'\(key)' has no digest in its name") }
      guard try await backend.digest(of: key) == name else { throw Self.refusal(backend, "'\(key)' has other bytes than its name says") }
      guard key.text.hasPrefix("records/"), record == nil else { continue }
      guard let size = try await backend.size(of: key), size <= UInt64(RecordSegment.maximumByteCount), let bytes = try await backend.get(key)
      else { throw Self.refusal(backend, "'\(key)' is too large") }
      record = try RecordSegment(decoding: bytes, named: name).record(run)
    }
    guard let record else { throw Self.refusal(backend, "the record of its run is not in it") }
    self.backend = backend
    self.record = record
  }

  private static func refusal(_ backend: ArchiveBackend, _ reason: String) -> RepositoryError {
    RepositoryError(
      .corrupt, "\(backend.description) is no bundle of a run that can be taken: \(reason). Nothing was done.",
      remedy: "Copy it again from where it was made.")
  }

  /// Opens it as a store.
  func store(scratch: FilePath) async throws -> ObjectStore {
    try await ObjectStore(backend: backend, name: "the bundle", scratch: scratch, presence: .mustExist)
  }
}
