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
  private static let recordPrefix = "records/"
  private static let prefixes = ["format/", recordPrefix, "index/", "packs/", "objects/"]
  private static let manifestLimit: UInt64 = 4096

  let backend: ArchiveBackend
  let record: Record

  // MARK: - Writing

  /// Whether a file begins as a bundle does.
  static func isBundle(_ file: FilePath) -> Bool {
    let start = Array(manifestName.utf8) + [0]
    return (try? FileReader(file).read(at: 0, count: start.count)) == start
  }

  /// Writes a bundle of everything that a store holds, with one record; records that the store has beside stay there.
  ///
  /// - Parameter file: must not exist; it is there when it is complete and durable.
  /// - Returns: how many bytes it has.
  static func write(_ record: Record, of backend: some Backend, to file: FilePath) async throws -> UInt64 {
    let temporary = file.containingDirectory.appending(RandomName.temporary())
    do {
      let size = try await write(record, of: backend, into: temporary)
      try temporary.renameNoReplace(to: file)
      try file.containingDirectory.synchronizeDirectory()
      return size
    } catch {
      try? temporary.removeFile()
      throw error
    }
  }

  private static func write(_ record: Record, of backend: some Backend, into file: FilePath) async throws -> UInt64 {
    let writer = try FileWriter(creating: file)
    var size: UInt64 = 0
    let manifest: JSONValue = ["run": .string(record.id.hex), "type": "run-bundle", "version": 1]
    let first = entry(manifestName, manifest.canonical())
    try writer.write(first.span)
    size += UInt64(first.count)
    for prefix in prefixes {
      if prefix == recordPrefix {
        let segment = try RecordSegment([record])
        let entry = entry("\(prefix)0-\(segment.id.hex)", segment.bytes)
        try writer.write(entry.span)
        size += UInt64(entry.count)
        continue
      }
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

  /// A small file with its header.
  private static func entry(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
    let header = TarHeader(name: name, size: UInt64(bytes.count))
    return header.bytes + bytes + [UInt8](repeating: 0, count: Int(header.paddedSize) - bytes.count)
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
      guard key.text.hasPrefix(Self.recordPrefix), record == nil else { continue }
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
