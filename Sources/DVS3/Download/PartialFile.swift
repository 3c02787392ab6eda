public import DVFile
import DVObject
import Synchronization
public import SystemPackage

/// A file on its way here, with what the server said of it, so that who was stopped goes on from there.
///
///     content     what came so far
///     version     which value that is of, as canonical JSON
///
/// One process at a time works on it: the caller holds a lock.
public final class PartialFile: Sendable {
  /// Where the bytes are.
  public let path: FilePath
  private let note: FilePath
  private let writer: FileWriter
  private let state: Mutex<State>

  private struct State {
    var size: UInt64
    var version: RemoteFileVersion?
  }

  /// Opens the file in `folder`, which is made if it is not there.
  ///
  /// - Throws: ``FileError``.
  public init(in folder: FilePath) throws(FileError) {
    try folder.createDirectories(mode: 0o700)
    path = folder.appending("content")
    note = folder.appending("version")
    let writer = try FileWriter(appendingTo: path)
    var state = State(size: try writer.stat().size, version: nil)
    if let bytes = try? note.readAll(limit: 1 << 16), let json = try? JSONValue(canonical: bytes, limit: 1 << 16, named: "a download") {
      state.version = RemoteFileVersion(
        tag: json["etag"]?.string, modified: json["modified"]?.string, size: json["size"]?.integer.flatMap { UInt64(exactly: $0) })
    }
    self.writer = writer
    self.state = Mutex(state)
    // Bytes of which nobody knows the value are of no use.
    if self.version == nil { try restart() }
  }

  /// Bytes that are here.
  public var size: UInt64 { state.withLock { $0.size } }

  /// The value they are of; `nil` if there are none.
  public var version: RemoteFileVersion? { state.withLock { $0.version } }

  /// Forgets what is here.
  func restart() throws(FileError) {
    try writer.truncate(to: 0)
    try note.removeFile()
    state.withLock { $0 = State(size: 0, version: nil) }
  }

  /// Makes ready for bytes of a value from an offset on: what is here stays if it is the same value up to there.
  func begin(_ version: RemoteFileVersion, at offset: UInt64) throws(FileError) {
    if offset > 0, offset == size, self.version == version { return }
    try restart()
    var json = JSONObject()
    json["etag"] = version.tag.map { .string($0) }
    json["modified"] = version.modified.map { .string($0) }
    json["size"] = version.size.map { .integer(Int64(clamping: $0)) }
    try note.replaceContent(with: JSONValue.object(json).canonical().span, durable: false)
    state.withLock { $0.version = version }
  }

  func append(_ bytes: [UInt8]) throws(FileError) {
    try writer.write(bytes.span)
    state.withLock { $0.size += UInt64(bytes.count) }
  }

  /// Waits until the bytes are on the disk.
  public func synchronize() throws(FileError) { try writer.synchronize() }
}
