import DVFile
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Pushes, pulls, collections and retirements in any order of their calls, with clients that are suspended for several graces
/// or killed: what a push promised is there. `scripts/torture gc SEED COUNT` runs many more.
@Suite struct CollectionModelTests {
  @Test func nothingPromisedIsLost() async throws {
    let first = Self.variable("DV_MODEL_SEED").flatMap { UInt64($0) } ?? 1
    let count = Self.variable("DV_MODEL_COUNT").flatMap { UInt64($0) } ?? 150
    let folder = Self.variable("DV_MODEL_SCRATCH").map { FilePath($0) }
    try await withTemporaryDirectory { directory in
      let data = try await ModelData(scratch: folder ?? directory)
      var total = ModelSchedule.Tally()
      for seed in first..<(first + count) {
        let tally = await ModelSchedule(seed: seed, data: data).run()
        if count != 150 { for problem in tally.problems { print("PROBLEM \(problem)") } }
        total.add(tally)
        if count > 1000, (seed - first) % 1000 == 999 { print("\(seed - first + 1) schedules, \(total.problems.count) problems") }
        if count != 150 { fflush(nil) }
      }
      for problem in total.problems.prefix(50) { Issue.record("\(problem)") }
      if count != 150 { print(total.text) }
      #expect(total.deletedPacks > 0)
    }
  }

  private static func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}

extension ModelSchedule.Tally {
  /// The counts, as a table.
  var text: String {
    var lines = ["schedules \(schedules)", "calls \(calls)", "killed clients \(killed)", "packs deleted \(deletedPacks)"]
    lines += ["bytes rescued or repacked \(rescuedBytes)", "pushes given up \(givenUp)"]
    lines += succeeded.sorted { $0.key < $1.key }.map { "done: \($0.key) \($0.value)" }
    lines += failed.sorted { $0.key < $1.key }.map { "ended otherwise: \($0.key) \($0.value)" }
    lines += ["problems \(problems.count)"]
    return lines.joined(separator: "\n")
  }
}
