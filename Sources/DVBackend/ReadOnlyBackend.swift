public import DVObject
public import SystemPackage

/// A backend whose every read is the base's, and whose every write is refused.
public struct ReadOnlyBackend<Base: Backend>: Backend {
  private let base: Base

  public init(_ base: Base) { self.base = base }

  public var description: String { base.description }

  public var answersAtOnce: Bool { base.answersAtOnce }

  public func put(_ bytes: [UInt8], at key: BackendKey) async throws(BackendError) { throw refusal("store", key) }

  public func put(
    file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey, consuming: Bool
  ) async throws(BackendError) { throw refusal("store", key) }

  public func get(_ key: BackendKey) async throws(BackendError) -> [UInt8]? { try await base.get(key) }

  public func get(_ key: BackendKey, range: Range<UInt64>) async throws(BackendError) -> [UInt8]? {
    try await base.get(key, range: range)
  }

  public func fetch(_ key: BackendKey, into file: FilePath) async throws(BackendError) -> ObjectID? {
    try await base.fetch(key, into: file)
  }

  public func size(of key: BackendKey) async throws(BackendError) -> UInt64? { try await base.size(of: key) }

  public func list(_ prefix: String) async throws(BackendError) -> [BackendEntry] { try await base.list(prefix) }

  public func delete(_ key: BackendKey) async throws(BackendError) { throw refusal("delete", key) }

  public func delete(_ keys: [BackendKey]) async throws(BackendError) {
    if let key = keys.first { throw refusal("delete", key) }
  }

  public func clock() async throws(BackendError) -> Int64 { try await base.clock() }

  private func refusal(_ verb: String, _ key: BackendKey) -> BackendError {
    BackendError(.denied, key: key, message: "Cannot \(verb) '\(key)' in \(description): it was opened for reading only.")
  }
}
