import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

/// Whichever call of a collection is refused, the index names no pack that is gone, also where nothing of a segment stays.
@Test(arguments: [Errno.readOnlyFileSystem, .ioError])
func refusedCollectionsLeaveTheIndexTrue(errno: Errno) async throws {
  let kept: [UInt8] = Array("kept".utf8)
  let root = TransferRoot(kind: .file, oid: ObjectID(hashing: kept.span), size: UInt64(kept.count), label: "f")
  func prepare(_ directory: FilePath) async throws {
    try await openStore(in: directory).add([kept])
    try await openStore(in: directory).add([Array("garbage".utf8)])
  }
  func collect(_ directory: FilePath) async throws {
    _ = try await LocalCollection(store: openStore(in: directory), mode: .now).run(keeping: [root])
  }
  let total = try await withTemporaryDirectory { directory in
    try await prepare(directory)
    let plan = FaultPlan()
    try await plan.run { try await collect(directory) }
    return plan.count
  }
  for position in 1...total {
    try await withTemporaryDirectory { directory in
      try await prepare(directory)
      try? await FaultPlan(at: position, .fail(errno)).run { try await collect(directory) }
      let store = try await openStore(in: directory)
      let report = try await StoreCheck(of: store, depth: .full).run(.local(whole: [root], partial: []))
      #expect(report.isSound, "call \(position): \(report.findings)")
      try await collect(directory)
      #expect(try await openStore(in: directory).holds([kept]), "call \(position)")
    }
  }
}
