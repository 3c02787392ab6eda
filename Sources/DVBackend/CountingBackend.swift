import DVFile
public import DVObject
import Synchronization
public import SystemPackage

/// A backend that counts what is asked of its base: for progress, for `--verbose`, and for tests of what a command costs.
public final class CountingBackend<Base: Backend>: Backend {
  /// What was asked for.
  public enum Verb: String, Hashable, Sendable, CaseIterable {
    case put, get, fetch, size, list, delete, clock
  }

  /// How often, and how many bytes went one way or the other.
  public struct Count: Hashable, Sendable {
    /// Calls, whether they succeeded or not.
    public internal(set) var requests = 0
    /// Bytes of the calls that succeeded.
    public internal(set) var bytes: UInt64 = 0
  }

  public let base: Base
  private let state = Mutex<[Verb: Count]>([:])

  public init(_ base: Base) { self.base = base }

  public var description: String { base.description }

  public var answersAtOnce: Bool { base.answersAtOnce }

  /// The counts so far.
  public var counts: [Verb: Count] { state.withLock { $0 } }

  /// The calls so far, of any kind.
  public var requests: Int { counts.values.reduce(0) { $0 + $1.requests } }

  /// Starts again from nothing.
  public func reset() { state.withLock { $0 = [:] } }

  public func put(_ bytes: [UInt8], at key: BackendKey) async throws(BackendError) {
    begin(.put)
    try await base.put(bytes, at: key)
    end(.put, bytes.count)
  }

  public func put(
    file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey, consuming: Bool
  ) async throws(BackendError) {
    begin(.put)
    try await base.put(file: file, size: size, digest: digest, at: key, consuming: consuming)
    end(.put, Int(clamping: size))
  }

  public func get(_ key: BackendKey) async throws(BackendError) -> [UInt8]? {
    begin(.get)
    let bytes = try await base.get(key)
    end(.get, bytes?.count ?? 0)
    return bytes
  }

  public func get(_ key: BackendKey, range: Range<UInt64>) async throws(BackendError) -> [UInt8]? {
    begin(.get)
    let bytes = try await base.get(key, range: range)
    end(.get, bytes?.count ?? 0)
    return bytes
  }

  public func fetch(_ key: BackendKey, into file: FilePath) async throws(BackendError) -> ObjectID? {
    begin(.fetch)
    let digest = try await base.fetch(key, into: file)
    let size = digest == nil ? 0 : (try? file.fileStat())?.size ?? 0
    end(.fetch, Int(clamping: size))
    return digest
  }

  public func size(of key: BackendKey) async throws(BackendError) -> UInt64? {
    begin(.size)
    return try await base.size(of: key)
  }

  public func list(_ prefix: String) async throws(BackendError) -> [BackendEntry] {
    begin(.list)
    return try await base.list(prefix)
  }

  public func delete(_ key: BackendKey) async throws(BackendError) {
    begin(.delete)
    try await base.delete(key)
  }

  public func delete(_ keys: [BackendKey]) async throws(BackendError) {
    begin(.delete)
    try await base.delete(keys)
  }

  public func clock() async throws(BackendError) -> Int64 {
    begin(.clock)
    return try await base.clock()
  }

  private func begin(_ verb: Verb) { state.withLock { $0[verb, default: Count()].requests += 1 } }

  private func end(_ verb: Verb, _ bytes: Int) { state.withLock { $0[verb, default: Count()].bytes += UInt64(bytes) } }
}
