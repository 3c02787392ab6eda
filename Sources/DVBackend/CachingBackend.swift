import DVFile
public import DVObject
import Synchronization
public import SystemPackage

/// A backend that keeps copies of its base's small immutable values in a local directory: index segments, root records,
/// formats. They are named by their digest, so a copy never goes stale; asking for one again costs no request.
///
/// Values are copied when they are read or stored whole. One that is read in ranges is fetched whole with the fifth
/// request, or once a quarter of it was asked for: someone who asks a question or two pays for a block or two, someone who
/// asks thousands pays for the whole and no more. A copy is believed once its digest was found to be that of its name, in
/// this process; any other is removed. When a listing shows that a value is gone, its copy goes too, so that the copies
/// never take more space than what they are copies of.
///
/// The directory belongs to the user alone. Failing to write a copy is no failure.
public final class CachingBackend: Backend {
  public let base: any Backend
  private let copies: DirectoryBackend
  private let state = Mutex(State())

  private struct State {
    /// Sizes by the last listing.
    var sizes: [BackendKey: UInt64] = [:]
    /// Bytes read in ranges, by key.
    var asked: [BackendKey: UInt64] = [:]
    /// Keys being fetched whole.
    var underWay: Set<BackendKey> = []
    /// Requests for ranges, by key.
    var requests: [BackendKey: Int] = [:]
    /// Copies that were found to have the digest of their name.
    var proved: Set<BackendKey> = []
  }

  /// Requests for ranges of a value before it is fetched whole.
  private static let requestLimit = 4
  /// Bytes of a copy read at a time to prove it.
  private static let pieceSize: UInt64 = 1 << 20

  /// Folders whose keys end with the SHA-256 of what they hold, and which every command reads.
  private static let folders = ["index/", "roots/", "gc/condemned/"]
  /// Values larger than this are never copied, in bytes.
  private static let sizeLimit: UInt64 = 256 << 20

  /// - Parameter directory: where the copies are; made if missing.
  public init(_ base: any Backend, copiesIn directory: FilePath) throws(BackendError) {
    self.base = base
    copies = try DirectoryBackend(root: directory, create: true, durable: false)
  }

  public var description: String { base.description }

  public var answersAtOnce: Bool { base.answersAtOnce }

  // MARK: - What has copies

  private static func isCopied(_ key: BackendKey) -> Bool { folders.contains { key.text.hasPrefix($0) } }

  /// The digest in a key's name; `nil` if it has none.
  private static func digest(in key: BackendKey) -> ObjectID? {
    key.text.split(separator: "-").last.flatMap { try? ObjectID(hex: $0) }
  }

  /// Keeps a copy if the bytes are those of the name.
  private func keep(_ bytes: [UInt8], _ key: BackendKey) async {
    guard Self.isCopied(key), UInt64(bytes.count) <= Self.sizeLimit, Self.digest(in: key) == ObjectID(hashing: bytes.span),
      (try? await copies.put(bytes, at: key)) != nil
    else { return }
    state.withLock { _ = $0.proved.insert(key) }
  }

  /// Whether there is a copy with the right bytes. One with others, as a machine that stopped may leave, is removed.
  private func hasCopy(_ key: BackendKey) async -> Bool {
    if state.withLock({ $0.proved.contains(key) }) { return true }
    guard let size = try? await copies.size(of: key) else { return false }
    var digest = Digest()
    var offset: UInt64 = 0
    while offset < size {
      let range = offset..<min(size, offset + Self.pieceSize)
      guard let bytes = try? await copies.get(key, range: range) else { return false }
      digest.update(bytes.span)
      offset = range.upperBound
    }
    guard digest.finish() == Self.digest(in: key) else {
      try? await copies.delete(key)
      return false
    }
    state.withLock { _ = $0.proved.insert(key) }
    return true
  }

  /// Fetches a value whole if enough of it was asked for.
  private func fetchIfWorthwhile(_ key: BackendKey, _ count: UInt64) async {
    let isWorthwhile = state.withLock { state in
      guard let size = state.sizes[key], size <= Self.sizeLimit, !state.underWay.contains(key) else { return false }
      state.asked[key, default: 0] += count
      state.requests[key, default: 0] += 1
      guard let asked = state.asked[key], asked > size / 4 || state.requests[key, default: 0] > Self.requestLimit
      else { return false }
      return state.underWay.insert(key).inserted
    }
    guard isWorthwhile else { return }
    defer { state.withLock { _ = $0.underWay.remove(key) } }
    let file = copies.root.appending(RandomName.temporary())
    guard let size = state.withLock({ $0.sizes[key] }), let digest = try? await base.fetch(key, into: file) else { return }
    guard digest == Self.digest(in: key),
      (try? await copies.put(file: file, size: size, digest: digest, at: key, consuming: true)) != nil
    else {
      try? file.removeFile()
      return
    }
    state.withLock { _ = $0.proved.insert(key) }
  }

  // MARK: - Reading

  public func get(_ key: BackendKey) async throws(BackendError) -> [UInt8]? {
    guard Self.isCopied(key) else { return try await base.get(key) }
    if await hasCopy(key), let bytes = try? await copies.get(key) { return bytes }
    let bytes = try await base.get(key)
    if let bytes { await keep(bytes, key) }
    return bytes
  }

  public func get(_ key: BackendKey, range: Range<UInt64>) async throws(BackendError) -> [UInt8]? {
    guard Self.isCopied(key) else { return try await base.get(key, range: range) }
    if await !hasCopy(key) { await fetchIfWorthwhile(key, range.upperBound - range.lowerBound) }
    if await hasCopy(key), let bytes = try? await copies.get(key, range: range) { return bytes }
    return try await base.get(key, range: range)
  }

  public func fetch(_ key: BackendKey, into file: FilePath) async throws(BackendError) -> ObjectID? {
    try await base.fetch(key, into: file)
  }

  public func size(of key: BackendKey) async throws(BackendError) -> UInt64? { try await base.size(of: key) }

  public func list(_ prefix: String) async throws(BackendError) -> [BackendEntry] {
    let entries = try await base.list(prefix)
    if Self.folders.contains(where: { $0 == prefix }) { await forgetCopies(under: prefix, but: entries) }
    return entries
  }

  /// Notes what is there, and removes the copies of what is gone.
  private func forgetCopies(under prefix: String, but entries: [BackendEntry]) async {
    let keys = Set(entries.map(\.key))
    state.withLock { state in
      for entry in entries { state.sizes[entry.key] = entry.size }
      state.asked = state.asked.filter { !$0.key.text.hasPrefix(prefix) || keys.contains($0.key) }
    }
    guard let held = try? await copies.list(prefix) else { return }
    for copy in held where !keys.contains(copy.key) { await forget(copy.key) }
  }

  public func clock() async throws(BackendError) -> Int64 { try await base.clock() }

  // MARK: - Writing

  public func put(_ bytes: [UInt8], at key: BackendKey) async throws(BackendError) {
    try await base.put(bytes, at: key)
    if Self.isCopied(key) {
      state.withLock { $0.sizes[key] = UInt64(bytes.count) }
      await keep(bytes, key)
    }
  }

  public func put(
    file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey, consuming: Bool
  ) async throws(BackendError) {
    try await base.put(file: file, size: size, digest: digest, at: key, consuming: consuming)
  }

  public func delete(_ key: BackendKey) async throws(BackendError) {
    try await base.delete(key)
    await forget(key)
  }

  public func delete(_ keys: [BackendKey]) async throws(BackendError) {
    try await base.delete(keys)
    for key in keys { await forget(key) }
  }

  private func forget(_ key: BackendKey) async {
    guard Self.isCopied(key) else { return }
    state.withLock { _ = $0.proved.remove(key) }
    try? await copies.delete(key)
  }
}
