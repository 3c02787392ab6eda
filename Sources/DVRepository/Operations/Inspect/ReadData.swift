import DVFile
import DVObject
import DVStore
import DVWorkspace
import SystemPackage

/// Reads one tracked file at a revision: the operation behind `dv cat`.
///
/// Not a byte is passed on before the SHA-256 of all of them was found to be the oid: what has been printed cannot be
/// taken back. A file of up to 16 MiB waits in memory for that, a larger one in a temporary file beside the local
/// store, which takes as much room as the file has bytes until it has been passed on.
public struct ReadData: Sendable {
  private let location: Location
  /// The most bytes that are proved in memory.
  private static let memoryLimit: UInt64 = 16 << 20

  public init(_ location: Location) { self.location = location }

  /// Passes the proved content of the file at `location` to `sink`.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for what is no file, `missing` if the content is neither here nor on the
  ///   remote; ``StoreError`` with code `corrupt` if every copy is damaged. `sink` has been given nothing then.
  public func run(in repository: Repository, into sink: (Span<UInt8>) throws -> Void) async throws {
    let selection = try repository.data(at: location)
    if let unreadable = selection.unreadable.first { throw RepositoryError(.conflict, unreadable.message) }
    let reader = try repository.dataReader()
    guard selection.items.count == 1, let item = selection.items.first,
      !item.inside.isRoot || location.path.relative(to: item.data.target) != nil
        || location.path == item.data.pointerPath
    else { throw isDirectory }
    try await explainingAbsence(of: item, at: location, in: repository) {
      let pointer = item.data.pointer
      if item.inside.isRoot {
        guard pointer.kind == .file else { throw isDirectory }
        return try await pass(pointer.oid, size: pointer.size, from: reader, into: sink)
      }
      let entry = try await item.entry(TreeBrowser(read: reader.nodes), at: location)
      guard entry.mode != .directory else { throw isDirectory }
      try await pass(entry.oid, size: entry.size, from: reader, into: sink)
    }
  }

  private var isDirectory: RepositoryError {
    RepositoryError(
      .usage, "'\(location.text)' is a directory.", remedy: "'dv ls \(location.text)' lists what is in it.")
  }

  private func pass(
    _ oid: ObjectID, size: UInt64, from reader: DataReader, into sink: (Span<UInt8>) throws -> Void
  ) async throws {
    if size <= Self.memoryLimit {
      var content: [UInt8] = []
      try await reader.readFile(oid, size: size, restart: { content = [] }) { content.append(span: $0) }
      return try sink(content.span)
    }
    let folder = try TemporaryDirectory(in: try await reader.scratch())
    let spool = try Spool(folder.path)
    try await reader.readFile(oid, size: size, restart: { try spool.restart() }) { try spool.append($0) }
    try spool.pass(into: sink)
  }
}

/// A file that content waits in until it is proved.
private final class Spool {
  private let folder: FilePath
  private var number = 0
  private var writer: FileWriter

  init(_ folder: FilePath) throws {
    self.folder = folder
    writer = try FileWriter(creating: folder.appending("0"), mode: 0o600)
  }

  func append(_ bytes: Span<UInt8>) throws { try writer.write(bytes) }

  /// Begins another file.
  func restart() throws {
    try folder.appending("\(number)").removeFile()
    number += 1
    writer = try FileWriter(creating: folder.appending("\(number)"), mode: 0o600)
  }

  func pass(into sink: (Span<UInt8>) throws -> Void) throws {
    let reader = try FileReader(folder.appending("\(number)"))
    reader.expectSequentialReading()
    let buffer = AlignedBuffer(capacity: 1 << 20)
    while true {
      try reader.read(into: buffer)
      if buffer.count == 0 { return }
      try buffer.withSpan { (bytes: Span<UInt8>) throws(any Error) in try sink(bytes) }
    }
  }
}
