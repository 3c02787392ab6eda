import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

/// What is pushed in these tests: few bytes, but of every kind of object.
private func directories() -> [String: [String: [UInt8]]] {
  var random = SeededGenerator(seed: 41)
  return ["d": ["small": [UInt8](randomCount: 500, using: &random), "large": [UInt8](randomCount: 100_000, using: &random)]]
}

/// Opens the remote in a directory as a process of its own would.
private func remote(in directory: FilePath) async throws -> ObjectStore { try await openStore(in: directory) }

/// Makes a local store in memory.
private func local(_ directory: FilePath) async throws -> (ObjectStore, TransferRoot) {
  let scratch = directory.appending("scratch")
  try scratch.createDirectories()
  let store = try await openStore(MemoryBackend(), scratch: scratch)
  return (store, try await TransferFixture.add(directories(), to: store))
}

/// Checks what must hold after a push that went wrong, and that the next one makes everything good.
private func expectSound(after position: Int, in directory: FilePath) async throws {
  let (store, root) = try await local(directory)
  let before = try await remote(in: directory)
  if try await CompleteRoots(of: before).contains(.tree, oid: root.oid, size: root.size) {
    #expect(try await before.isWhole(root, directories()), "operation \(position)")
  }
  _ = try await RemotePush(from: store, to: before).run([root])
  let after = try await remote(in: directory)
  #expect(try await CompleteRoots(of: after).contains(.tree, oid: root.oid, size: root.size), "operation \(position)")
  #expect(try await after.isWhole(root, directories()), "operation \(position)")
}

/// How many calls of the file layer a push makes.
private func operationCount() async throws -> Int {
  try await withTemporaryDirectory { directory in
    let (store, root) = try await local(directory)
    let remote = try await remote(in: directory)
    let plan = FaultPlan()
    try await plan.run { _ = try await RemotePush(from: store, to: remote).run([root]) }
    return plan.count
  }
}

/// Wherever the remote's disk fails: a root that is there is whole, and the next push succeeds.
@Test func everyFailureOfAPushIsTold() async throws {
  let total = try await operationCount()
  #expect(total > 40)
  for position in 1...total {
    try await withTemporaryDirectory { directory in
      let (store, root) = try await local(directory)
      let plan = FaultPlan(at: position, .fail(.ioError))
      do {
        let remote = try await remote(in: directory)
        let report = try await plan.run { try await RemotePush(from: store, to: remote).run([root]) }
        #expect(report.committed == [root] || !report.transfer.failed.isEmpty, "operation \(position)")
      } catch {
        #expect(error is StoreError, "operation \(position): \(error)")
      }
      try await expectSound(after: position, in: directory)
    }
  }
}

/// Wherever the machine stops in a push, even in the middle of a write: a root that is there is whole, and the next push
/// succeeds.
@Test(arguments: [false, true])
func stoppedPushesAreMadeGood(isTear: Bool) async throws {
  let total = try await operationCount()
  // Every place is tried one way or the other.
  for position in stride(from: isTear ? 1 : 2, through: total, by: 2) {
    let directory = try TemporaryDirectory.forTest()
    let path = directory.path.string
    _ = try await remote(in: directory.path)
    await #expect(processExitsWith: .exitCode(86)) {
      [path = path as String, isTear = isTear as Bool, position = position as Int] in
      let (store, root) = try await local(FilePath(path))
      let remote = try await remote(in: FilePath(path))
      try await FaultPlan(at: position, isTear ? .tear : .stop).run {
        _ = try await RemotePush(from: store, to: remote).run([root])
      }
    }
    try await expectSound(after: position, in: directory.path)
  }
}
