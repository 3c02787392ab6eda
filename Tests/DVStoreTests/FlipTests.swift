import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import Foundation
import Synchronization
import SystemPackage
import Testing

/// Random damage of a store and of a remote: `dv fsck --full` finds all of it, and what is read is right or an error.
///
/// `scripts/torture flips SEED COUNT` runs many more.
@Suite struct FlipTests {
  /// What is done to the bytes of one file, or two.
  enum Damage: CaseIterable {
    case flip, flips, truncation, zeros, swap, foreign, gone
  }

  /// What came of it.
  struct Tally: Sendable {
    var cases: [String: Int] = [:]
    var found = 0
    /// Read whole all the same: from another place, or the damage lay where reading does not look.
    var delivered = 0
    /// Read with an error.
    var refused = 0
    var problems: [String] = []
  }

  @Test func nothingDamagedPassesForWhole() async throws {
    let seed = ProcessInfo.processInfo.environment["DV_FLIPS_SEED"].flatMap { UInt64($0) } ?? 1
    let count = ProcessInfo.processInfo.environment["DV_FLIPS_COUNT"].flatMap { Int($0) } ?? 60
    try await withTemporaryDirectory { directory in
      let fixture = try await DamageFixture(in: directory)
      let other = try await DamageFixture(in: directory, seed: 8)
      let tally = Mutex(Tally())
      try await (0..<count).forEachConcurrently(width: Machine.coreCount) { number in
        let outcome = try await one(UInt64(number) &+ seed &* 1_000_000_007, fixture, other)
        tally.withLock { $0.add(outcome) }
      }
      let total = tally.withLock { $0 }
      for problem in total.problems.prefix(50) { Issue.record("\(problem)") }
      if count != 60 { print(total.text) }
      #expect(total.found > count / 2)
    }
  }

  private func one(_ seed: UInt64, _ fixture: DamageFixture, _ other: DamageFixture) async throws -> Tally {
    var random = SeededGenerator(seed: seed)
    let side: DamageFixture.Side = Bool.random(using: &random) ? .local : .remote
    let damage = Damage.allCases.randomElement(using: &random) ?? .flip
    var content = fixture.content(of: side)
    let keys = content.keys.sorted()
    guard let key = keys.randomElement(using: &random), let bytes = content[key] else { return Tally() }
    var damaged = bytes
    switch damage {
    case .flip: damaged.flip(using: &random)
    case .flips: for _ in 0..<Int.random(in: 2...40, using: &random) { damaged.flip(using: &random) }
    case .truncation: damaged.removeLast(Int.random(in: 1...bytes.count, using: &random))
    case .zeros:
      // As a file system leaves them: whole blocks.
      let start = Int.random(in: 0..<bytes.count, using: &random) / 512 * 512
      for index in start..<min(bytes.count, start + 512 << Int.random(in: 0...4, using: &random)) { damaged[index] = 0 }
    case .swap:
      guard let second = keys.randomElement(using: &random), let their = content[second] else { return Tally() }
      damaged = their
      content[second] = bytes
    case .foreign:
      // A file of the same kind out of another store.
      let kind = key.text.split(separator: "/").first ?? ""
      let theirs = other.content(of: side).filter { $0.key.text.hasPrefix(kind + "/") }.sorted { $0.key < $1.key }
      guard let their = theirs.randomElement(using: &random) else { return Tally() }
      damaged = their.value
    case .gone: break
    }
    content[key] = damage == .gone ? nil : damaged
    if content == fixture.content(of: side) { return Tally() }
    let name = "\(side), \(damage) of \(key), seed \(seed)"
    var tally = Tally()
    tally.cases["\(side) \(damage)", default: 0] = 1

    let report = try await fixture.check(try await fixture.open(content), side)
    // What is gone and nobody can miss: a root record was the only promise, the others are made again when they are.
    let silent = damage == .gone && ["roots/", "format/", "trees/", "listing/"].contains { key.text.hasPrefix($0) }
    // A whole listing of another store is no damage of this one, as an old one is none. It is told all the same.
    if report.isSound, report.staleListings.isEmpty, !silent { tally.problems.append("\(name): fsck finds nothing") } else { tally.found += 1 }
    do {
      let store = try await fixture.open(content, for: .use)
      var isRefused = false
      let root = ObjectKey(kind: .treeNode, id: fixture.root.oid)
      if let node = try await Self.told({ try await store.read(root) }) {
        if ObjectID(hashing: node.span) != root.id { tally.problems.append("\(name): another directory was delivered") }
      } else {
        isRefused = true
      }
      for file in fixture.directories.values.flatMap(\.values) {
        guard let read = try await Self.told({ try await store.content(of: ObjectID(hashing: file.span), size: file.count) }) else {
          isRefused = true
          continue
        }
        if read != file { tally.problems.append("\(name): other bytes were delivered") }
      }
      if isRefused { tally.refused += 1 } else { tally.delivered += 1 }
    } catch is StoreError {
      tally.refused += 1
    } catch {
      tally.problems.append("\(name): \(error)")
    }
    return tally
  }

  /// What was read; `nil` if the store says that it cannot be.
  private static func told(_ read: () async throws -> [UInt8]) async throws -> [UInt8]? {
    do { return try await read() } catch is StoreError { return nil }
  }
}

extension FlipTests.Tally {
  fileprivate mutating func add(_ other: Self) {
    cases.merge(other.cases, uniquingKeysWith: +)
    found += other.found
    delivered += other.delivered
    refused += other.refused
    problems += other.problems
  }

  /// The counts, as a table.
  fileprivate var text: String {
    let lines = cases.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let total = cases.values.reduce(0, +)
    return (lines + ["damaged \(total)", "found \(found)", "read whole \(delivered)", "read with an error \(refused)", "problems \(problems.count)"])
      .joined(separator: "\n")
  }
}

extension [UInt8] {
  fileprivate mutating func flip(using random: inout SeededGenerator) {
    guard !isEmpty else { return }
    self[Int.random(in: indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
  }
}
