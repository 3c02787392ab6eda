import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import Foundation
import Synchronization
import SystemPackage
import Testing

/// Random sequences of what commands do to two local stores and a remote, against a model that holds the contents themselves.
///
/// `scripts/torture model SEED COUNT` runs many more.
@Suite struct OperationModelTests {
  @Test func storesDoWhatTheModelDoes() async throws {
    let seed = ProcessInfo.processInfo.environment["DV_SEQUENCES_SEED"].flatMap { UInt64($0) } ?? 1
    let count = ProcessInfo.processInfo.environment["DV_SEQUENCES_COUNT"].flatMap { UInt64($0) } ?? 6
    let done = Mutex<[String: Int]>([:])
    try await (0..<count).forEachConcurrently(width: Machine.coreCount) { number in
      try await withTemporaryDirectory { directory in
        var sequence = OperationSequence(seed: seed &* 1_000_003 &+ number, scratch: directory)
        do { try await sequence.run(50) } catch { Issue.record("sequence \(sequence.seed), operation \(sequence.trace.count): \(error)") }
        for problem in sequence.problems { Issue.record("sequence \(sequence.seed): \(problem); \(sequence.trace.suffix(12))") }
        let operations = Dictionary(sequence.trace.map { (String($0.split(separator: " ")[0]), 1) }, uniquingKeysWith: +)
        done.withLock { $0.merge(operations, uniquingKeysWith: +) }
      }
    }
    let total = done.withLock { $0 }
    if count != 6 { for (operation, times) in total.sorted(by: { $0.key < $1.key }) { print("\(operation) \(times)") } }
    #expect(total.values.reduce(0, +) == Int(count) * 50)
  }
}

/// One sequence, with what must be where.
private struct OperationSequence {
  typealias Directories = [String: [String: [UInt8]]]

  struct Version {
    let root: TransferRoot
    let directories: Directories
    /// The stores that keep it: gc is told so.
    var kept: Set<Int>
    var isPushed = false
  }

  let seed: UInt64
  private var random: SeededGenerator
  private let scratch: FilePath
  private let locals = [MemoryBackend(), MemoryBackend()]
  private let remote = MemoryBackend(answersAtOnce: false)
  private var versions: [Version] = []
  private(set) var trace: [String] = []
  private(set) var problems: [String] = []

  init(seed: UInt64, scratch: FilePath) {
    self.seed = seed
    self.scratch = scratch
    random = SeededGenerator(seed: seed)
  }

  /// Opens a store as a command does: nothing stays in memory between two.
  private func open(_ backend: MemoryBackend, isWriting: Bool = false) async throws -> ObjectStore {
    let store = try await openStore(backend, scratch: scratch)
    if isWriting { try await store.avoidCondemned() }
    return store
  }

  mutating func run(_ count: Int) async throws {
    for _ in 0..<count { try await step() }
    for side in locals.indices { try await checkStore(side) }
    try await checkRemote()
  }

  private mutating func step() async throws {
    let side = Int.random(in: 0..<2, using: &random)
    let store = locals[side]
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<6: try await add(side)
    case 6..<9:
      guard let number = pick({ $0.kept.contains(side) }) else { return trace.append("idle") }
      trace.append("push \(number) from \(side)")
      let report = try await RemotePush(from: open(store), to: open(remote, isWriting: true)).run([versions[number].root])
      if !report.transfer.failed.isEmpty { problems.append("push of \(number) failed: \(report.transfer.failed)") }
      versions[number].isPushed = true
    case 9..<12:
      guard let number = pick(\.isPushed) else { return trace.append("idle") }
      trace.append("fetch \(number) to \(side)")
      let report = try await Transfer(.fetch, from: open(remote), to: open(store, isWriting: true)).run([versions[number].root])
      if !report.failed.isEmpty { problems.append("fetch of \(number) failed: \(report.failed)") }
      versions[number].kept.insert(side)
    case 12..<14:
      guard let number = pick({ $0.kept.contains(side) }) else { return trace.append("idle") }
      trace.append("forget \(number) at \(side)")
      versions[number].kept.remove(side)
    case 14..<17:
      let mode: LocalCollection.Mode = Bool.random(using: &random) ? .now : .graceful(seconds: 0)
      trace.append("gc \(mode) at \(side)")
      _ = try await LocalCollection(store: open(store), mode: mode).run(keeping: versions.filter { $0.kept.contains(side) }.map(\.root))
    case 17..<19:
      guard let number = pick({ $0.kept.contains(side) }) else { return trace.append("idle") }
      trace.append("read \(number) at \(side)")
      try await read(number, from: store, "local store \(side)")
    default:
      guard let number = pick(\.isPushed) else { return trace.append("idle") }
      trace.append("read \(number) from the remote")
      try await read(number, from: remote, "the remote")
    }
  }

  private mutating func pick(_ isFit: (Version) -> Bool) -> Int? {
    versions.indices.filter { isFit(versions[$0]) }.randomElement(using: &random)
  }

  /// A version made of another by changing, adding and removing files, often with content that an earlier one had.
  private mutating func add(_ side: Int) async throws {
    var directories = versions.randomElement(using: &random)?.directories ?? [:]
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let directory = "d\(Int.random(in: 0..<3, using: &random))", file = "f\(Int.random(in: 0..<4, using: &random))"
      directories[directory, default: [:]][file] = Bool.random(using: &random) || versions.isEmpty ? content() : earlierContent()
    }
    if Int.random(in: 0..<3, using: &random) == 0, let gone = directories.keys.sorted().randomElement(using: &random) { directories[gone] = nil }
    trace.append("add \(versions.count) to \(side)")
    let root = try await TransferFixture.add(directories, to: open(locals[side], isWriting: true))
    if let number = versions.firstIndex(where: { $0.root.oid == root.oid }) {
      versions[number].kept.insert(side)
    } else {
      versions.append(Version(root: root, directories: directories, kept: [side]))
    }
  }

  private mutating func content() -> [UInt8] {
    let kind = SampleKind.allCases.randomElement(using: &random) ?? .text
    let size = [0, 1, 40, 2_000, 30_000, 200_000].randomElement(using: &random) ?? 1
    return kind.bytes(size, using: &random)
  }

  private mutating func earlierContent() -> [UInt8] {
    let all = versions.flatMap { $0.directories.sorted { $0.key < $1.key }.flatMap { $0.value.sorted { $0.key < $1.key }.map(\.value) } }
    var content = all.randomElement(using: &random) ?? [1, 2, 3]
    if !content.isEmpty, Bool.random(using: &random) { content[content.count / 2] ^= 1 }
    return content
  }

  private mutating func read(_ number: Int, from backend: MemoryBackend, _ name: String) async throws {
    if try await !open(backend).isWhole(versions[number].root, versions[number].directories) {
      problems.append("version \(number) is not whole in \(name)")
    }
  }

  private mutating func checkStore(_ side: Int) async throws {
    for number in versions.indices where versions[number].kept.contains(side) {
      try await read(number, from: locals[side], "local store \(side), in the end")
    }
    let roots = versions.filter { $0.kept.contains(side) }.map(\.root)
    let report = try await StoreCheck(of: open(locals[side]), depth: .full).run(.local(whole: roots, partial: []))
    if !report.isSound { problems.append("local store \(side) is not sound: \(report.findings)") }
  }

  private mutating func checkRemote() async throws {
    let pushed = versions.filter(\.isPushed).map(\.root)
    for number in versions.indices where versions[number].isPushed { try await read(number, from: remote, "the remote, in the end") }
    if pushed.isEmpty { return }
    let report = try await StoreCheck(of: open(remote), depth: .full).run(.remote(known: pushed))
    if !report.isSound { problems.append("the remote is not sound: \(report.findings)") }
  }
}
