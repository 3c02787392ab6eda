import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

/// Lays a damaged local store out in a directory.
private func lay(_ fixture: DamageFixture, in directory: FilePath) async throws -> ObjectStore {
  let store = try await openStore(in: directory)
  for (key, bytes) in fixture.local {
    var bytes = bytes
    if key.text.hasPrefix("packs/") { bytes[200] ^= 4 }
    if key.text.hasPrefix("index/") { bytes[100] ^= 4 }
    if key.text.hasPrefix("format/") { continue }
    try await store.backend.put(bytes, at: key)
  }
  return try await reopen(directory)
}

private func reopen(_ directory: FilePath) async throws -> ObjectStore {
  let root = directory.appending("store")
  return try await ObjectStore(
    backend: try DirectoryBackend(root: root), name: "the store", scratch: root.appending("tmp"), presence: .mustExist,
    purpose: .verification)
}

private func repair(_ store: ObjectStore, _ fixture: DamageFixture) async throws {
  try await fixture.repair(store, .local, try await fixture.check(store, .local))
}

/// Everything that an index names.
private func keys(of store: ObjectStore) async throws -> Set<ObjectKey> {
  var keys: Set<ObjectKey> = []
  for segment in store.index.all { try await segment.forEachEntry(from: store.backend) { keys.insert($0.key) } }
  return keys
}

/// Wherever the machine stops in a repair, the next one makes everything good, and nothing that was whole is lost meanwhile.
@Test func stoppedRepairsAreFinishedByTheNext() async throws {
  let total = try await withTemporaryDirectory { directory in
    let scratch = directory.appending("scratch")
    try scratch.createDirectories()
    let fixture = try await DamageFixture(in: scratch)
    let store = try await lay(fixture, in: directory)
    let plan = FaultPlan()
    try await plan.run { try await repair(store, fixture) }
    #expect(try await fixture.check(try await reopen(directory), .local).isSound)
    return plan.count
  }
  #expect(total > 40)
  for position in stride(from: 1, through: total, by: 1) {
    let directory = try TemporaryDirectory.forTest()
    let path = directory.path.string
    let scratch = directory.path.appending("scratch")
    try scratch.createDirectories()
    let fixture = try await DamageFixture(in: scratch)
    _ = try await lay(fixture, in: directory.path)
    await #expect(processExitsWith: .exitCode(86)) { [path = path as String, position = position as Int] in
      let scratch = FilePath(path).appending("scratch")
      let fixture = try await DamageFixture(in: scratch)
      let store = try await reopen(FilePath(path))
      try await FaultPlan(at: position, position % 2 == 0 ? .stop : .tear).run { try await repair(store, fixture) }
    }
    // What the index named it names still: what is not named looks as if it had never been here, and is not got from elsewhere.
    let stopped = try await reopen(directory.path)
    let named = try await keys(of: stopped)
    #expect(try await keys(of: fixture.open(fixture.local)).isSubset(of: named), "operation \(position)")
    try await repair(try await reopen(directory.path), fixture)
    let store = try await reopen(directory.path)
    let report = try await fixture.check(store, .local)
    #expect(report.isSound, "operation \(position)")
    #expect(try await store.isWhole(fixture.root, fixture.directories), "operation \(position)")
  }
}
