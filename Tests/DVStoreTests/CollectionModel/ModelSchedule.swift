import DVBackend
import DVObject
@testable import DVStore
import DVTesting
import Synchronization
import SystemPackage

/// One run of the model: some clients, an order of their calls, and what must hold in the end.
///
/// A content is *promised* when a push of it succeeded that began when no retirement of it was under way, and until a
/// retirement of it begins. What is promised must be there, whole, whenever somebody pulls it and in the end; what the roots
/// say in the end, too.
struct ModelSchedule {
  let seed: UInt64
  let data: ModelData

  static let grace: Int64 = 1_000

  /// What schedules did, and what they found wrong.
  struct Tally: Sendable {
    var schedules = 0
    var calls = 0
    var killed = 0
    /// How often an operation succeeded and how often it ended otherwise, by its name.
    var succeeded: [String: Int] = [:]
    var failed: [String: Int] = [:]
    var deletedPacks = 0
    var rescuedBytes: UInt64 = 0
    var givenUp = 0
    var problems: [String] = []

    mutating func add(_ other: Tally) {
      schedules += other.schedules
      calls += other.calls
      killed += other.killed
      succeeded.merge(other.succeeded, uniquingKeysWith: +)
      failed.merge(other.failed, uniquingKeysWith: +)
      deletedPacks += other.deletedPacks
      rescuedBytes += other.rescuedBytes
      givenUp += other.givenUp
      problems += other.problems
    }
  }

  /// What clients were promised.
  private final class Promises: Sendable {
    struct State {
      var promised: Set<Int> = []
      /// Retirements begun of each content, and under way.
      var retired: [Int: Int] = [:]
      var retiring: [Int: Int] = [:]
      var tally = Tally()
    }
    let state = Mutex(State())

    var promised: Set<Int> { state.withLock { $0.promised } }

    func retirements(of roots: [Int]) -> [Int: Int] {
      state.withLock { state in Dictionary(uniqueKeysWithValues: roots.map { ($0, state.retired[$0, default: 0]) }) }
    }
  }

  func run() async -> Tally {
    let world = ModelWorld()
    let promises = Promises()
    var random = SeededGenerator(seed: seed)
    let limit = Int.random(in: 0..<4, using: &random) == 0 ? 64 : Int.random(in: 2...5, using: &random)
    await ObjectStore.$freshSegmentLimit.withValue(limit) {
      await RemotePush.$recordLimit.withValue(limit) {
        await play(world, promises, &random)
      }
    }
    return promises.state.withLock { state in
      state.tally.schedules = 1
      state.tally.calls = world.calls
      state.tally.problems = state.tally.problems.map { "seed \(seed): \($0)" }
      return state.tally
    }
  }

  // MARK: The schedule

  private func play(_ world: ModelWorld, _ promises: Promises, _ random: inout SeededGenerator) async {
    // Something is there, pushed one after the other.
    do {
      _ = try await openStore(ModelBackend(world: world), scratch: data.scratch)
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        var choice = Choice(data, &random)
        choice.isPartial = false
        try await push(ModelBackend(world: world), promises, choice)
        world.advance(by: Int64.random(in: 0...Self.grace * 2, using: &random))
      }
    } catch {
      promises.state.withLock { $0.tally.problems.append("the first pushes failed: \(error)") }
    }
    var next = 0
    var running: [Int] = []
    /// Clients that make no step for now.
    var asleep: [Int: Int] = [:]
    var toStart = Int.random(in: 4...9, using: &random)
    var steps = 0
    await withTaskGroup(of: Void.self) { group in
      while toStart > 0 || !running.isEmpty {
        steps += 1
        if toStart > 0, running.count < 4, running.isEmpty || Int.random(in: 0..<6, using: &random) == 0 {
          let client = next
          next += 1
          toStart -= 1
          let backend = ModelBackend(
            world: world, client: client, mayDelete: Int.random(in: 0..<8, using: &random) > 0,
            answersAtOnce: Int.random(in: 0..<4, using: &random) > 0)
          start(client, backend, world, promises, &random, &group)
          await world.settle(client)
          running.append(client)
          continue
        }
        if Int.random(in: 0..<7, using: &random) == 0 {
          let spans: [Int64] = [1, 60, Self.grace / 3, Self.grace + 50, Self.grace * 5 / 2]
          world.advance(by: spans.randomElement(using: &random) ?? 1)
        }
        asleep = asleep.filter { $0.value > steps }
        let awake = running.filter { asleep[$0] == nil }
        guard let client = (awake.isEmpty ? running : awake).randomElement(using: &random) else { continue }
        switch Int.random(in: 0..<200, using: &random) {
        case 0:
          // The process or its machine dies here.
          world.kill(client)
          promises.state.withLock { $0.tally.killed += 1 }
        case 1...8:
          // It is suspended while others go on, for several graces too.
          asleep[client] = steps + Int.random(in: 10...120, using: &random)
          continue
        default: break
        }
        for _ in 0..<Int.random(in: 1...12, using: &random) {
          if await !world.step(client) {
            running.removeAll { $0 == client }
            break
          }
        }
      }
      await group.waitForAll()
    }
    await judge(world, promises)
  }

  /// What a push is to do.
  private struct Choice: Sendable {
    var roots: [Int]
    var usesBases: Bool
    var isPartial: Bool
    var isHurried: Bool

    init(_ data: ModelData, _ random: inout SeededGenerator) {
      roots = [Int.random(in: data.roots.indices, using: &random)]
      if Int.random(in: 0..<3, using: &random) == 0 { roots.append(Int.random(in: data.roots.indices, using: &random)) }
      roots = Set(roots).sorted()
      usesBases = Int.random(in: 0..<3, using: &random) > 0
      isPartial = Int.random(in: 0..<3, using: &random) == 0
      isHurried = Int.random(in: 0..<3, using: &random) > 0
      if isPartial, let root = roots.first(where: { data.partial[$0] != nil }) { roots = [root] } else { isPartial = false }
    }
  }

  private func start(
    _ client: Int, _ backend: ModelBackend, _ world: ModelWorld, _ promises: Promises, _ random: inout SeededGenerator,
    _ group: inout TaskGroup<Void>
  ) {
    let kind = Int.random(in: 0..<20, using: &random)
    let choice = Choice(data, &random)
    let victims = data.roots.indices.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
    let (schedule, wanted) = (self, Int.random(in: 0..<1000, using: &random))
    group.addTask {
      let name: String
      do {
        switch kind {
        case 0..<7:
          name = choice.isPartial ? "push of a partial clone" : "push"
          do { try await schedule.push(backend, promises, choice) } catch {
            promises.state.withLock { $0.tally.failed[name, default: 0] += 1 }
            throw error
          }
        case 7..<10:
          name = "pull"
          try await schedule.pull(backend, promises, wanted)
        case 10..<17:
          name = "gc"
          try await schedule.collect(backend, promises)
        default:
          name = "retirement"
          try await schedule.retire(backend, promises, victims)
        }
        promises.state.withLock { $0.tally.succeeded[name, default: 0] += 1 }
      } catch {
        // Killed, refused or beaten by others: nothing was promised.
        promises.state.withLock { $0.tally.failed["\(Self.reason(error))", default: 0] += 1 }
      }
      world.end(client)
    }
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? StoreError else { return "other: \(error)" }
    return error.message.contains("killed") ? "killed" : "\(error.code)"
  }

  // MARK: What clients do

  private func push(_ backend: ModelBackend, _ promises: Promises, _ choice: Choice) async throws {
    let before = promises.retirements(of: choice.roots)
    let wasRetiring = promises.state.withLock { state in choice.roots.filter { state.retiring[$0, default: 0] > 0 } }
    let remote = try await openStore(backend, scratch: data.scratch)
    let local = choice.isPartial ? data.partial[choice.roots[0]] ?? data.full : data.full
    var push = RemotePush(from: local, to: remote, width: 1)
    push.roundDuration = choice.isHurried ? Self.grace / 2 : .max
    let plan = try await push.plan(choice.roots.map { data.roots[$0] })
    var bases: [ObjectID: ObjectID] = [:]
    if choice.usesBases || choice.isPartial {
      for root in choice.roots {
        if let base = data.bases[root], plan.isKnownTree(base) { bases[data.roots[root].oid] = base }
      }
    }
    let report = try await push.run(plan, bases: bases)
    let done = Set((report.committed + plan.complete).map(\.oid))
    promises.state.withLock { state in
      for root in choice.roots where done.contains(data.roots[root].oid) && !wasRetiring.contains(root) {
        if state.retired[root, default: 0] == before[root] { state.promised.insert(root) }
      }
    }
    guard done.count == Set(choice.roots.map { data.roots[$0].oid }).count else {
      throw StoreError(.missing, "not all could be pushed")
    }
  }

  private func pull(_ backend: ModelBackend, _ promises: Promises, _ wanted: Int) async throws {
    let promised = promises.promised.sorted()
    guard !promised.isEmpty else { return }
    let root = promised[wanted % promised.count]
    let remote = try await openStore(backend, scratch: data.scratch)
    let local = try await openStore(MemoryBackend(), scratch: data.scratch)
    let report = try await Transfer(.fetch, from: remote, to: local, width: 1).run([data.roots[root]])
    let isPromised = promises.promised.contains(root)
    var completeness = Completeness(of: local)
    var isWhole = try await completeness.has(data.roots[root])
    if isWhole { isWhole = try await local.holds(data.contents[root]) }
    guard isPromised, !report.failed.isEmpty || !isWhole else { return }
    promises.state.withLock {
      $0.tally.problems.append("a pull of \(data.roots[root].label) lacked \(report.failed.map(\.message))")
    }
  }

  private func collect(_ backend: ModelBackend, _ promises: Promises) async throws {
    let store = try await openStore(backend, scratch: data.scratch)
    let report = try await RemoteCollection(of: store, grace: UInt64(Self.grace), localTime: nil).run()
    promises.state.withLock { state in
      state.tally.deletedPacks += report.deletedPacks
      state.tally.rescuedBytes += report.repackedBytes
      state.tally.givenUp += report.givenUp
    }
  }

  private func retire(_ backend: ModelBackend, _ promises: Promises, _ victims: [Int]) async throws {
    let store = try await openStore(backend, scratch: data.scratch)
    let retirement = try await RootRetirement(of: store)
    promises.state.withLock { state in
      for root in victims {
        state.promised.remove(root)
        state.retired[root, default: 0] += 1
        state.retiring[root, default: 0] += 1
      }
    }
    defer { promises.state.withLock { state in for root in victims { state.retiring[root, default: 0] -= 1 } } }
    let oids = Set(victims.map { data.roots[$0].oid })
    _ = try await retirement.retire(retirement.contents.filter { oids.contains($0.oid) })
  }

  // MARK: What must hold

  private func judge(_ world: ModelWorld, _ promises: Promises) async {
    for round in 0..<4 {
      do {
        let backend = ModelBackend(world: world)
        let store = try await openStore(backend, scratch: data.scratch)
        let ledger = try await RootLedger(of: store)
        // Looked at before and after three collections that nobody disturbs.
        for (number, root) in data.roots.enumerated() where round == 0 || round == 3 {
          let isPromised = promises.promised.contains(number)
          let isSaid = ledger.complete.contains(RootRecord.Root(root))
          // Not believed at first may be that of a push that ended when gc gave it up.
          let isNamed = isSaid || (round == 0 && ledger.roots.items.contains { $0.record.roots.contains(RootRecord.Root(root)) })
          if isPromised, !isNamed { note("\(root.label) was promised and no root names it, round \(round)", promises) }
          guard isPromised || isSaid else { continue }
          var completeness = Completeness(of: store)
          let isWhole = try await completeness.has(root)
          guard isWhole, try await store.holds(data.contents[number]) else {
            note("\(root.label) is said to be complete and is not, \(isPromised ? "and was promised, " : "")round \(round)", promises)
            continue
          }
        }
        if round == 3 { return }
        world.advance(by: Self.grace + 1)
        if ledger.roots.items.isEmpty { return }
        try await collect(backend, promises)
      } catch {
        note("the end, round \(round): \(error)", promises)
      }
    }
  }

  private func note(_ problem: String, _ promises: Promises) { promises.state.withLock { $0.tally.problems.append(problem) } }
}
