import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

/// Contents of several chunks, with a chunk list.
private func contents() -> [[UInt8]] {
  var random = SeededGenerator(seed: 31)
  return [
    [UInt8](randomCount: 3_000, using: &random), [UInt8](randomCount: 400_000, using: &random),
    (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 5 % 13 + 60) },
  ]
}

/// Wherever the disk fails, the session says so, nothing of it is visible, and the next one succeeds.
@Test(arguments: [Errno.noSpace, .ioError])
func everyFailureOfTheDiskIsTold(errno: Errno) async throws {
  let contents = contents()
  let total = try await withTemporaryDirectory { directory in
    let store = try await openStore(in: directory)
    let plan = FaultPlan()
    try await plan.run { _ = try await store.add(contents) }
    return plan.count
  }
  #expect(total > 20)
  var failures = 0
  for position in 1...total {
    try await withTemporaryDirectory { directory in
      let store = try await openStore(in: directory)
      let plan = FaultPlan(at: position, .fail(errno))
      do {
        try await plan.run { _ = try await store.add(contents) }
        // Some calls may fail without harm: then all is there.
        #expect(try await openStore(in: directory).holds(contents), "operation \(position)")
      } catch {
        failures += 1
        #expect(error is StoreError, "operation \(position)")
        let after = try await openStore(in: directory)
        if !after.index.all.isEmpty { #expect(try await after.holds(contents), "operation \(position)") }
      }
      #expect(plan.happened)
      try await store.add(contents)
      #expect(try await openStore(in: directory).holds(contents), "operation \(position)")
    }
  }
  #expect(failures > total / 2)
}

/// Wherever the machine stops, even in the middle of a write, the store opens and holds all or nothing, and the next
/// session succeeds.
@Test(arguments: [false, true])
func stoppedSessionsAreVisibleWholeOrNotAtAll(isTear: Bool) async throws {
  let contents = contents()
  let total = try await withTemporaryDirectory { directory in
    let store = try await openStore(in: directory)
    let plan = FaultPlan()
    try await plan.run { _ = try await store.add(contents) }
    return plan.count
  }
  for position in 1...total {
    let directory = try TemporaryDirectory.forTest()
    let path = directory.path.string
    _ = try await openStore(in: directory.path)
    await #expect(processExitsWith: .exitCode(86)) { [path = path as String, isTear = isTear as Bool, position = position as Int] in
      let store = try await openStore(in: FilePath(path))
      try await FaultPlan(at: position, isTear ? .tear : .stop).run { _ = try await store.add(DVStoreTests.contents()) }
    }
    let store = try await openStore(in: directory.path)
    if !store.index.all.isEmpty { #expect(try await store.holds(contents), "operation \(position)") }
    try await store.add(contents)
    #expect(try await openStore(in: directory.path).holds(contents), "operation \(position)")
  }
}
