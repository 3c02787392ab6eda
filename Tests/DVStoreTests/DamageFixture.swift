import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage

/// A local store and a remote of it, as bytes under keys, to be damaged in every way.
struct DamageFixture {
  /// What is stored: few bytes, but of every kind of object.
  let directories: [String: [String: [UInt8]]]
  let root: TransferRoot
  let local: [BackendKey: [UInt8]]
  let remote: [BackendKey: [UInt8]]
  private let scratch: FilePath

  init(in scratch: FilePath, seed: UInt64 = 7) async throws {
    self.scratch = scratch
    var random = SeededGenerator(seed: seed)
    directories = [
      "a": ["small": [UInt8](randomCount: 300, using: &random), "zeros": [UInt8](repeating: 0, count: 600_000)],
      "b": ["empty": [], "floats": SampleKind.floats.bytes(700, using: &random)],
    ]
    let localBackend = MemoryBackend()
    // Far away, so that it has locators and place lists too.
    let remoteBackend = MemoryBackend(answersAtOnce: false)
    let store = try await openStore(localBackend, scratch: scratch)
    root = try await TransferFixture.add(directories, to: store)
    let target = try await openStore(remoteBackend, scratch: scratch)
    _ = try await RemotePush(from: store, to: target).run([root])
    local = try await localBackend.content()
    remote = try await remoteBackend.content()
  }

  /// Which of the two stores.
  enum Side: CaseIterable {
    case local
    case remote
  }

  func content(of side: Side) -> [BackendKey: [UInt8]] { side == .local ? local : remote }

  /// Opens a store that holds `content`.
  func open(
    _ content: [BackendKey: [UInt8]], for purpose: ObjectStore.Purpose = .verification
  ) async throws -> ObjectStore {
    let backend = MemoryBackend(answersAtOnce: false)
    for (key, bytes) in content { try await backend.put(bytes, at: key) }
    return try await ObjectStore(
      backend: backend, name: "the store", scratch: scratch, presence: .mayBeMade, purpose: purpose)
  }

  func contents(of side: Side) -> StoreCheck.Contents {
    side == .local ? .local(whole: [root], partial: []) : .remote(known: [root])
  }

  func check(_ store: ObjectStore, _ side: Side, _ depth: CheckDepth = .full) async throws -> StoreCheckReport {
    try await StoreCheck(of: store, depth: depth).run(contents(of: side))
  }

  /// Repairs a store from the other, whole one.
  @discardableResult
  func repair(_ store: ObjectStore, _ side: Side, _ report: StoreCheckReport, alone: Bool = false) async throws -> RepairOutcome {
    let other = try await open(content(of: side == .local ? .remote : .local))
    let repair = StoreRepair(of: store, finding: report, from: alone ? [] : [other], claiming: side == .remote ? [root] : [])
    return try await repair.run(try await repair.plan()) { _, _ in }
  }

  /// Whether a store, opened anew, delivers everything and has its root record.
  func isWhole(_ store: ObjectStore, _ side: Side) async throws -> Bool {
    let again = try await open(try await store.backend.content())
    let report = try await check(again, side)
    guard report.isSound, try await again.isWhole(root, directories) else { return false }
    if side == .local { return true }
    return try await CompleteRoots(of: again).contains(.tree, oid: root.oid, size: root.size)
  }
}

extension Backend {
  /// Everything that is stored.
  func content() async throws -> [BackendKey: [UInt8]] {
    var content: [BackendKey: [UInt8]] = [:]
    for key in try await keys("") { content[key] = try await get(key) }
    return content
  }
}
