import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import Synchronization
import SystemPackage
import Testing

/// A backend that does something before a call on a key it was told of: what another process might do just then.
final class InterposingBackend: Backend {
  enum Call: Hashable, Sendable { case put, get, list, delete }

  let base: any Backend
  private let action: @Sendable (Call, String, any Backend) async throws -> Void

  init(_ base: any Backend, _ action: @escaping @Sendable (Call, String, any Backend) async throws -> Void) {
    self.base = base
    self.action = action
  }

  var description: String { base.description }
  var answersAtOnce: Bool { base.answersAtOnce }

  private func meet(_ call: Call, _ key: String) async {
    do { try await action(call, key, base) } catch { Issue.record("\(error)") }
  }

  func put(_ bytes: [UInt8], at key: BackendKey) async throws(BackendError) {
    await meet(.put, key.text)
    try await base.put(bytes, at: key)
  }

  func put(
    file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey, consuming: Bool
  ) async throws(BackendError) {
    await meet(.put, key.text)
    try await base.put(file: file, size: size, digest: digest, at: key, consuming: consuming)
  }

  func get(_ key: BackendKey) async throws(BackendError) -> [UInt8]? {
    await meet(.get, key.text)
    return try await base.get(key)
  }

  func get(_ key: BackendKey, range: Range<UInt64>) async throws(BackendError) -> [UInt8]? {
    try await base.get(key, range: range)
  }

  func fetch(_ key: BackendKey, into file: FilePath) async throws(BackendError) -> ObjectID? {
    try await base.fetch(key, into: file)
  }

  func size(of key: BackendKey) async throws(BackendError) -> UInt64? { try await base.size(of: key) }

  func list(_ prefix: String) async throws(BackendError) -> [BackendEntry] {
    await meet(.list, prefix)
    return try await base.list(prefix)
  }

  func delete(_ key: BackendKey) async throws(BackendError) {
    await meet(.delete, key.text)
    try await base.delete(key)
  }

  func clock() async throws(BackendError) -> Int64 { try await base.clock() }
}

extension RemotePush {
  /// Plans and pushes.
  func run(_ roots: [TransferRoot], bases: [ObjectID: ObjectID] = [:]) async throws -> Report {
    try await run(try await plan(roots), bases: bases)
  }
}

@Suite struct RemotePushTests {
  /// Makes a local store with a dataset.
  private func local(_ directories: [String: [String: [UInt8]]], in directory: FilePath) async throws -> (ObjectStore, TransferRoot) {
    let store = try await openStore(MemoryBackend(), scratch: directory)
    return (store, try await TransferFixture.add(directories, to: store))
  }

  /// A pushed root has a record, and only then; a second push does nothing.
  @Test func pushesAreRecorded() async throws {
    try await withTemporaryDirectory { directory in
      let directories = TransferFixture.directories(2, seed: 1)
      let (store, root) = try await local(directories, in: directory)
      let backend = MemoryBackend()
      let report = try await RemotePush(from: store, to: openStore(backend, scratch: directory)).run([root])
      #expect(report.committed == [root] && report.transfer.failed.isEmpty)
      let remote = try await openStore(backend, scratch: directory)
      #expect(try await remote.isWhole(root, directories))
      #expect(try await CompleteRoots(of: remote).contains(.tree, oid: root.oid, size: root.size))
      #expect(try await backend.keys("pending/").isEmpty)
      let before = try await backend.keys("").count
      let again = try await RemotePush(from: store, to: remote).run([root])
      #expect(again.committed.isEmpty && again.transfer.objects == 0)
      #expect(try await backend.keys("").count == before)
    }
  }

  /// What was added and pushed again without a commit is in no history, and still only what changed is looked at.
  @Test func anEarlierVersionIsFoundAmongWhatWasPushed() async throws {
    try await withTemporaryDirectory { directory in
      var directories = TransferFixture.directories(12, seed: 5)
      let (store, first) = try await local(directories, in: directory)
      let other = try await TransferFixture.add(TransferFixture.directories(2, seed: 6), to: store, label: "other")
      let backend = MemoryBackend()
      for root in [first, other] {
        _ = try await RemotePush(from: store, to: openStore(backend, scratch: directory)).run([root])
      }
      for round in 0..<3 {
        directories["d7"]?["small"] = [1, 2, 3, UInt8(round)]
        let root = try await TransferFixture.add(directories, to: store)
        let report = try await RemotePush(from: store, to: openStore(backend, scratch: directory)).run([root])
        // The root, one directory, one file.
        #expect(report.committed == [root] && report.transfer.objects == 3 && report.transfer.skipped == 0)
        #expect(try await openStore(backend, scratch: directory).isWhole(root, directories))
      }
    }
  }

  /// What is damaged here is not said to be there; the rest is.
  @Test func onlyWholeRootsAreRecorded() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend()
      let store = try await openStore(backend, scratch: directory)
      let good = try await TransferFixture.add(TransferFixture.directories(1, seed: 1), to: store, label: "good")
      let packs = Set(try await backend.keys("packs/"))
      let bad = try await TransferFixture.add(TransferFixture.directories(1, seed: 2), to: store, label: "bad")
      for pack in try await backend.keys("packs/") where !packs.contains(pack) {
        var bytes = try #require(try await backend.get(pack))
        bytes[bytes.count / 3] ^= 1
        try await backend.delete(pack)
        try await backend.put(bytes, at: pack)
      }
      let remote = try await openStore(MemoryBackend(), scratch: directory)
      let report = try await RemotePush(from: store, to: remote).run([good, bad])
      #expect(report.committed == [good])
      #expect(report.transfer.failed.allSatisfy { $0.affects.allSatisfy { $0.hasPrefix("bad") } })
      #expect(!report.transfer.failed.isEmpty)
      #expect(try await CompleteRoots(of: remote).contains(.tree, oid: bad.oid, size: bad.size) == false)
    }
  }

  /// Packs that were cut off or deleted on the remote are written again, and are then no longer looked at.
  @Test(arguments: [false, true])
  func lostPacksAreMadeGood(isDeleted: Bool) async throws {
    try await withTemporaryDirectory { directory in
      let directories = TransferFixture.directories(3, seed: 3)
      let (store, root) = try await local(directories, in: directory)
      let backend = MemoryBackend()
      _ = try await RemotePush(from: store, to: openStore(backend, scratch: directory)).run([root])
      for pack in try await backend.keys("packs/") {
        let bytes = try #require(try await backend.get(pack))
        try await backend.delete(pack)
        if !isDeleted { try await backend.put(Array(bytes.dropLast(100)), at: pack) }
      }
      #expect(try await StoreInventory(of: openStore(backend, scratch: directory)).packs.findings.count > 0)
      let report = try await RemotePush(from: store, to: openStore(backend, scratch: directory)).run([root])
      #expect(report.committed == [root] && report.healedPacks > 0)
      let remote = try await openStore(backend, scratch: directory)
      #expect(try await remote.isWhole(root, directories))
      #expect(try await StoreInventory(of: remote).packs.findings.isEmpty)
      #expect(try await RemotePush(from: store, to: remote).run([root]).transfer.objects == 0)
    }
  }

  /// Many push at once what overlaps: each root is whole in the end.
  @Test func manyPushAtOnce() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend()
      _ = try await openStore(backend, scratch: directory)
      let shared = TransferFixture.directories(3, seed: 5)
      var clones: [(ObjectStore, TransferRoot, [String: [String: [UInt8]]])] = []
      for number in 0..<6 {
        var directories = shared
        directories["own"] = TransferFixture.directories(1, seed: UInt64(100 + number))["d0"]
        let (store, root) = try await local(directories, in: directory)
        clones.append((store, root, directories))
      }
      try await clones.forEachConcurrently(width: 6) { store, root, _ in
        let report = try await RemotePush(from: store, to: openStore(backend, scratch: directory)).run([root])
        #expect(report.committed == [root])
      }
      let remote = try await openStore(backend, scratch: directory)
      let roots = try await CompleteRoots(of: remote)
      for (_, root, directories) in clones {
        #expect(roots.contains(.tree, oid: root.oid, size: root.size))
        #expect(try await remote.isWhole(root, directories))
      }
    }
  }

  /// A pack that the push relies on is deleted, or condemned, just before its root is written or just after: its content is
  /// written again, and the root that stays is whole.
  @Test(arguments: ["delete", "condemn"], ["roots/", "index/"])
  func whatIsTakenAwayIsWrittenAgain(how: String, before prefix: String) async throws {
    try await withTemporaryDirectory { directory in
      let directories = TransferFixture.directories(2, seed: 6)
      let (store, _) = try await local(directories, in: directory)
      let old = try await TransferFixture.add(directories, to: store)
      let base = MemoryBackend()
      // The remote has the objects, as from a push that was killed before its root.
      _ = try await Transfer(.push, from: store, to: openStore(base, scratch: directory)).run([old])
      let taken = try #require(try await base.keys("packs/").first)
      let isDone = Atomic<Bool>(false)
      let backend = InterposingBackend(base) { call, key, base in
        guard call == .put, key.hasPrefix(prefix), !isDone.exchange(true, ordering: .relaxed) else { return }
        if how == "delete" {
          try await base.delete(taken)
        } else {
          let pack = try ObjectID(hex: try #require(taken.text.split(separator: "/").last))
          let bytes = CondemnedList.encode(time: 1, packs: [pack])
          let key = StoreLayout.record(
            StoreLayout.condemned, ulid: ULID(seconds: 1), id: ObjectID(hashing: bytes.span))
          try await base.put(bytes, at: key)
        }
      }
      var more = directories
      more["new"] = ["file": [9, 9, 9]]
      let new = try await TransferFixture.add(more, to: store)
      let report = try await RemotePush(from: store, to: openStore(backend, scratch: directory)).run([new])
      #expect(report.committed == [new])
      let wasDone = isDone.load(ordering: .relaxed)
      #expect(wasDone)
      // What was condemned goes.
      try await base.delete(taken)
      let remote = try await openStore(base, scratch: directory)
      #expect(try await remote.isWhole(new, more))
    }
  }

  /// However many pushes there were, few records, segments and packs remain, and every root with them.
  @Test func manyPushesLeaveFewFiles() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend()
      let store = try await openStore(MemoryBackend(), scratch: directory)
      var roots: [TransferRoot] = []
      for number in 0..<140 {
        let content = Array("content \(number)".utf8)
        try await store.add([content])
        let root = TransferRoot(
          kind: .file, oid: ObjectID(hashing: content.span), size: UInt64(content.count), label: "f\(number)")
        roots.append(root)
        let report = try await RemotePush(from: store, to: openStore(backend, scratch: directory)).run([root])
        #expect(report.committed == [root])
      }
      for folder in ["roots/", "index/", "packs/"] {
        #expect(try await backend.keys(folder).count < 90, "\(folder)")
      }
      let remote = try await openStore(backend, scratch: directory)
      let complete = try await CompleteRoots(of: remote)
      for root in roots {
        #expect(complete.contains(.file, oid: root.oid, size: root.size))
        #expect(try await remote.containsFile(root.oid))
      }
    }
  }

  /// Where nobody may delete, what was merged stays and is not merged again and again.
  @Test func whatWasMergedIsNotMergedAgain() async throws {
    try await withTemporaryDirectory { directory in
      let backend = KeepingBackend(base: MemoryBackend())
      let store = try await openStore(MemoryBackend(), scratch: directory)
      var roots: [TransferRoot] = []
      try await RemotePush.$recordLimit.withValue(8) {
        for number in 0..<24 {
          let content = Array("content \(number)".utf8)
          try await store.add([content])
          roots.append(
            TransferRoot(kind: .file, oid: ObjectID(hashing: content.span), size: UInt64(content.count), label: "f\(number)"))
          _ = try await RemotePush(from: store, to: openStore(backend, scratch: directory)).run([roots[number]])
        }
      }
      let remote = try await openStore(backend, scratch: directory)
      let merged = try await RecordList(StoreLayout.roots, of: remote).items.filter { !$0.record.supersedes.isEmpty }
      #expect((2...10).contains(merged.count))
      #expect(try await RootLedger(of: remote).complete == Set(roots.map(RootRecord.Root.init)))
    }
  }

  /// A root of a push that is not over is neither believed nor merged with others: the push may have to take it back.
  @Test func rootsOfPushesUnderWayStay() async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend()
      let store = try await openStore(MemoryBackend(), scratch: directory)
      let remote = try await openStore(backend, scratch: directory)
      let doubtful = RootRecord.Root(kind: .file, oid: ObjectID(hashing: [1].span), size: 1)
      let ulid = ULID(seconds: Double(try await backend.clock()))
      var keys: [BackendKey] = []
      for (kind, folder) in [(RootRecord.Kind.pending, StoreLayout.pending), (.root, StoreLayout.roots)] {
        let bytes = RootRecord(kind: kind, time: 1, roots: [doubtful]).encoded()
        keys.append(StoreLayout.record(folder, ulid: ulid, id: ObjectID(hashing: bytes.span)))
        try await backend.put(bytes, at: keys[keys.count - 1])
      }
      #expect(try await RootLedger(of: remote).complete.isEmpty)
      try await RemotePush.$recordLimit.withValue(8) {
        for number in 0..<12 {
          let content = Array("content \(number)".utf8)
          try await store.add([content])
          let root = TransferRoot(
            kind: .file, oid: ObjectID(hashing: content.span), size: UInt64(content.count), label: "f\(number)")
          _ = try await RemotePush(from: store, to: openStore(backend, scratch: directory)).run([root])
        }
      }
      #expect(try await backend.keys("roots/").count < 8)
      #expect(try await backend.get(keys[1]) != nil)
      #expect(try await RootLedger(of: remote).complete.count == 12)
      // When the push is over its root counts; when it was given up, never.
      try await backend.delete(keys[0])
      #expect(try await RootLedger(of: remote).complete.contains(doubtful))
      try await remote.write(record: RetiredList.encode(time: 1, pushes: [ulid]), in: StoreLayout.retired, time: 1)
      #expect(try await !RootLedger(of: remote).complete.contains(doubtful))
    }
  }

  /// A root that goes while the ledger is read, and the word of its retirement too, is not believed: a client may be held up for long
  /// between two listings. Found by the model of gc, seed 24582.
  @Test func rootsThatGoWhileTheyAreReadAreNotBelieved() async throws {
    try await withTemporaryDirectory { directory in
      let base = MemoryBackend()
      let plain = try await openStore(base, scratch: directory)
      let root = RootRecord.Root(kind: .file, oid: ObjectID(hashing: [7].span), size: 1)
      let bytes = RootRecord(kind: .root, time: 1, roots: [root]).encoded()
      let key = StoreLayout.record(StoreLayout.roots, ulid: ULID(seconds: 1), id: ObjectID(hashing: bytes.span))
      try await base.put(bytes, at: key)
      let name = String(key.text.dropFirst(StoreLayout.roots.count))
      let word = try await plain.write(record: RetiredList.encode(time: 1, roots: [name]), in: StoreLayout.retired, time: 1)
      // A later retirement, so that the first may be forgotten.
      try await plain.write(record: RetiredList.encode(time: 2, roots: ["another"]), in: StoreLayout.retired, time: 2)
      #expect(try await RootLedger(of: plain).complete.isEmpty)
      let isDone = Atomic<Bool>(false)
      let backend = InterposingBackend(base) { call, key, base in
        guard call == .list, key.hasPrefix("pending/"), !isDone.exchange(true, ordering: .relaxed) else { return }
        for gone in try await base.keys("roots/") { try await base.delete(gone) }
        try await base.delete(word)
      }
      let store = try await openStore(backend, scratch: directory)
      let ledger = try await RootLedger(of: store)
      let hasGone = isDone.load(ordering: .relaxed)
      #expect(hasGone)
      #expect(ledger.complete.isEmpty)
    }
  }

  /// A merge of records while they are read hides no root.
  @Test func rootsAreReadWholeWhileTheyAreMerged() async throws {
    try await withTemporaryDirectory { directory in
      let base = MemoryBackend()
      _ = try await openStore(base, scratch: directory)
      var all: Set<RootRecord.Root> = []
      var keys: [BackendKey] = []
      for number in 0..<5 {
        let root = RootRecord.Root(kind: .file, oid: ObjectID(hashing: [UInt8(number)].span), size: 1)
        all.insert(root)
        let bytes = RootRecord(kind: .root, time: 1, roots: [root]).encoded()
        keys.append(StoreLayout.record(StoreLayout.roots, ulid: ULID(seconds: 1), id: ObjectID(hashing: bytes.span)))
        try await base.put(bytes, at: keys[number])
      }
      let merged = RootRecord(kind: .root, time: 1, roots: all).encoded()
      let isDone = Atomic<Bool>(false)
      let doomed = keys
      let backend = InterposingBackend(base) { call, key, base in
        guard call == .get, key.hasPrefix("roots/"), !isDone.exchange(true, ordering: .relaxed) else { return }
        try await base.put(
          merged, at: StoreLayout.record(StoreLayout.roots, ulid: ULID(seconds: 2), id: ObjectID(hashing: merged.span)))
        for key in doomed { try await base.delete(key) }
      }
      let store = try await openStore(backend, scratch: directory)
      #expect(try await RecordList(StoreLayout.roots, of: store).complete == all)
    }
  }
}
