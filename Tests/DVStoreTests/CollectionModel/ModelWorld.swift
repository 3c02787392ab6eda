import DVBackend
import DVFile
import DVObject
import DVTesting
import Synchronization
import SystemPackage

/// A remote with a clock of its own, whose clients stop before every call until they are told to go on.
///
/// One call of one client happens at a time. Between two calls of a client, others may make any number, and any time may pass.
/// A client that was killed makes no call any more.
final class ModelWorld: Sendable {
  struct Value {
    let bytes: [UInt8]
    /// Seconds since 1970.
    let modified: Int64
  }

  fileprivate struct State {
    var values: [BackendKey: Value] = [:]
    var time: Int64 = 1_000_000
    var waiting: [Int: [CheckedContinuation<Bool, Never>]] = [:]
    var killed: Set<Int> = []
    var ended: Set<Int> = []
    /// The client that the schedule waits for, and how it goes on.
    var awaited: (client: Int, continuation: CheckedContinuation<Void, Never>)?
    var calls = 0
  }

  private let state = Mutex(State())

  var time: Int64 { state.withLock { $0.time } }
  var calls: Int { state.withLock { $0.calls } }

  func advance(by seconds: Int64) { state.withLock { $0.time += seconds } }

  // MARK: The schedule's side

  /// Lets a client make one call and waits until it wants to make another or has ended.
  ///
  /// - Returns: whether it goes on.
  func step(_ client: Int) async -> Bool {
    let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      guard let count = state.waiting[client]?.count, count > 0 else { return nil }
      return state.waiting[client]?.removeFirst()
    }
    next?.resume(returning: true)
    await settle(client)
    return state.withLock { !$0.ended.contains(client) }
  }

  /// Waits until a client is before a call or has ended.
  func settle(_ client: Int) async {
    await withCheckedContinuation { continuation in
      let isSettled = state.withLock { state in
        if state.ended.contains(client) || state.waiting[client]?.isEmpty == false { return true }
        state.awaited = (client, continuation)
        return false
      }
      if isSettled { continuation.resume() }
    }
  }

  /// Stops a client for ever: the call that it is before and all later ones fail without having happened.
  func kill(_ client: Int) {
    let waiting = state.withLock { state in
      state.killed.insert(client)
      return state.waiting.removeValue(forKey: client) ?? []
    }
    for continuation in waiting { continuation.resume(returning: false) }
  }

  /// Takes note that a client has ended.
  func end(_ client: Int) {
    let waiter = state.withLock { state in
      state.ended.insert(client)
      return state.takeWaiter(client)
    }
    waiter?.resume()
  }

  // MARK: The client's side

  /// Waits for its turn.
  fileprivate func arrive(_ client: Int?, _ key: BackendKey?) async throws(BackendError) {
    guard let client else { return }
    let isAlive = await withCheckedContinuation { continuation in
      let (isKilled, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
        if state.killed.contains(client) { return (true, nil) }
        state.waiting[client, default: []].append(continuation)
        return (false, state.takeWaiter(client))
      }
      if isKilled { continuation.resume(returning: false) }
      waiter?.resume()
    }
    if !isAlive { throw BackendError(.unreachable, key: key, message: "The client was killed.") }
  }

  fileprivate func with<R>(_ body: (inout [BackendKey: Value], Int64) -> R) -> R {
    state.withLock { state in
      state.calls += 1
      return body(&state.values, state.time)
    }
  }
}

extension ModelWorld.State {
  fileprivate mutating func takeWaiter(_ client: Int) -> CheckedContinuation<Void, Never>? {
    guard let awaited, awaited.client == client else { return nil }
    self.awaited = nil
    return awaited.continuation
  }
}

/// The remote as one client sees it, or, without a number, as one who is not part of the schedule.
struct ModelBackend: Backend {
  let world: ModelWorld
  var client: Int?
  /// Whether the client may delete.
  var mayDelete = true
  var answersAtOnce = true
  var description: String { "the model" }

  func put(_ bytes: [UInt8], at key: BackendKey) async throws(BackendError) {
    try await world.arrive(client, key)
    world.with { values, time in
      if !key.isReplaceable, values[key] != nil { return }
      values[key] = ModelWorld.Value(bytes: bytes, modified: time)
    }
  }

  func put(file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey, consuming: Bool) async throws(BackendError) {
    let bytes: [UInt8]
    do throws(FileError) { bytes = try file.readAll(limit: 1 << 30) } catch {
      throw BackendError(.invalid, key: key, message: error.message, cause: error)
    }
    try await put(bytes, at: key)
    if consuming { try? file.removeFile() }
  }

  func get(_ key: BackendKey) async throws(BackendError) -> [UInt8]? {
    try await world.arrive(client, key)
    return world.with { values, _ in values[key]?.bytes }
  }

  func get(_ key: BackendKey, range: Range<UInt64>) async throws(BackendError) -> [UInt8]? {
    guard let bytes = try await get(key) else { return nil }
    guard range.upperBound <= UInt64(bytes.count) else { throw BackendError(.corrupt, key: key, message: "Too short.") }
    return Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
  }

  func fetch(_ key: BackendKey, into file: FilePath) async throws(BackendError) -> ObjectID? {
    throw BackendError(.invalid, key: key, message: "Nobody fetches whole values here.")
  }

  func size(of key: BackendKey) async throws(BackendError) -> UInt64? {
    try await world.arrive(client, key)
    return world.with { values, _ in values[key].map { UInt64($0.bytes.count) } }
  }

  func list(_ prefix: String) async throws(BackendError) -> [BackendEntry] {
    try await world.arrive(client, nil)
    return world.with { values, _ in
      var entries: [BackendEntry] = []
      for (key, value) in values where key.text.hasPrefix(prefix) {
        entries.append(BackendEntry(key: key, size: UInt64(value.bytes.count), modified: value.modified * 1_000_000_000))
      }
      return entries.sorted { $0.key.text < $1.key.text }
    }
  }

  func delete(_ key: BackendKey) async throws(BackendError) {
    try await world.arrive(client, key)
    guard mayDelete else { throw BackendError(.denied, key: key, message: "This client must not delete.") }
    world.with { values, _ in values[key] = nil }
  }

  func clock() async throws(BackendError) -> Int64 {
    try await world.arrive(client, nil)
    return world.time
  }
}
