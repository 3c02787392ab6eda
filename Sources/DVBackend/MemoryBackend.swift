import DVFile
public import DVObject
import Synchronization
public import SystemPackage

/// A backend in memory, for tests and for what need not outlive the process.
public final class MemoryBackend: Backend {
  private struct Value: Sendable {
    let bytes: [UInt8]
    let modified: FileTime
  }

  private let values = Mutex<[BackendKey: Value]>([:])

  public let answersAtOnce: Bool

  /// - Parameter answersAtOnce: `false` to be treated as a place far away.
  public init(answersAtOnce: Bool = true) { self.answersAtOnce = answersAtOnce }

  public var description: String { "memory" }

  public func put(_ bytes: [UInt8], at key: BackendKey) async throws(BackendError) {
    values.withLock { values in
      if !key.isReplaceable, values[key]?.bytes.count == bytes.count { return }
      values[key] = Value(bytes: bytes, modified: .now)
    }
  }

  public func put(
    file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey, consuming: Bool
  ) async throws(BackendError) {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try await BlockingThreads.run { () throws(FileError) in
        try file.readAll(limit: Int(BackendError.wholeReadLimit))
      }
    } catch {
      throw BackendError(.invalid, key: key, message: "Cannot store '\(key)' in memory: \(error.message)", cause: error)
    }
    guard UInt64(bytes.count) == size, ObjectID(hashing: bytes.span) == digest else {
      throw .otherBytes(key, file: file.printable, in: description)
    }
    try await put(bytes, at: key)
    if consuming { try? file.removeFile() }
  }

  public func get(_ key: BackendKey) async throws(BackendError) -> [UInt8]? {
    guard let bytes = values.withLock({ $0[key]?.bytes }) else { return nil }
    guard UInt64(bytes.count) <= BackendError.wholeReadLimit else {
      throw .tooLarge(key, UInt64(bytes.count), in: description)
    }
    return bytes
  }

  public func get(_ key: BackendKey, range: Range<UInt64>) async throws(BackendError) -> [UInt8]? {
    guard UInt64(range.count) <= BackendError.wholeReadLimit else {
      throw .tooLarge(key, UInt64(range.count), in: description)
    }
    guard let bytes = values.withLock({ $0[key]?.bytes }) else { return nil }
    guard range.upperBound <= UInt64(bytes.count) else {
      throw .tooShort(key, range, size: UInt64(bytes.count), in: description)
    }
    return Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
  }

  public func fetch(_ key: BackendKey, into file: FilePath) async throws(BackendError) -> ObjectID? {
    guard let bytes = values.withLock({ $0[key]?.bytes }) else { return nil }
    do throws(FileError) {
      try await BlockingThreads.run { () throws(FileError) in try file.createContent(bytes.span) }
    } catch {
      throw BackendError(.invalid, key: key, message: "Cannot fetch '\(key)' from memory: \(error.message)", cause: error)
    }
    return ObjectID(hashing: bytes.span)
  }

  public func size(of key: BackendKey) async throws(BackendError) -> UInt64? {
    values.withLock { $0[key].map { UInt64($0.bytes.count) } }
  }

  public func list(_ prefix: String) async throws(BackendError) -> [BackendEntry] {
    let all = values.withLock { $0 }
    return all.filter { $0.key.text.hasPrefix(prefix) }.map { key, value in
      BackendEntry(key: key, size: UInt64(value.bytes.count), modified: value.modified.nanosecondsSince1970)
    }.sorted { $0.key < $1.key }
  }

  public func delete(_ key: BackendKey) async throws(BackendError) {
    values.withLock { $0[key] = nil }
  }

  public func clock() async throws(BackendError) -> Int64 { FileTime.now.seconds }
}

extension FileTime {
  /// The moment as one number.
  var nanosecondsSince1970: Int64 { seconds &* 1_000_000_000 &+ Int64(nanoseconds) }
}
