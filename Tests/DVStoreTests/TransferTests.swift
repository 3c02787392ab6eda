import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import Synchronization
import SystemPackage
import Testing

/// Two stores in memory, and datasets made in the first.
struct TransferFixture {
  let source: ObjectStore
  let destination: ObjectStore
  let sourceBackend = CountingBackend(MemoryBackend())
  let destinationBackend = MemoryBackend()
  private let directory: FilePath

  init(in directory: FilePath) async throws {
    self.directory = directory
    source = try await openStore(sourceBackend, scratch: directory)
    destination = try await openStore(destinationBackend, scratch: directory)
  }

  /// Adds a tree of directories with files to a store and returns what names it.
  ///
  /// - Parameter directories: names, each with its files by name.
  static func add(
    _ directories: [String: [String: [UInt8]]], to store: ObjectStore, label: String = "data"
  ) async throws -> TransferRoot {
    let writer = ObjectWriter(store: store)
    let ingest = ContentIngest(writer: writer)
    var memory = CodecMemory()
    func name(_ text: String) throws -> TreeName { try TreeName(Array(text.utf8)) }
    func finish(_ builder: TreeBuilder) async throws -> (oid: ObjectID, totals: TreeTotals) {
      var nodes: [(ObjectID, [UInt8])] = []
      let root = try builder.finish { nodes.append(($0, $1)) }
      for (id, bytes) in nodes { try await writer.store(bytes, as: ObjectKey(kind: .treeNode, id: id)) }
      return root
    }
    var top = TreeBuilder()
    var topNodes: [(ObjectID, [UInt8])] = []
    var size: UInt64 = 0
    for (directory, files) in directories.sorted(by: { $0.key < $1.key }) {
      var tree = TreeBuilder()
      var nodes: [(ObjectID, [UInt8])] = []
      for (file, content) in files.sorted(by: { $0.key < $1.key }) {
        let oid = try await ingest.ingest(content, memory: &memory)
        let entry = TreeEntry(name: try name(file), mode: .file, oid: oid, size: UInt64(content.count), files: 1)
        try tree.append(entry) { nodes.append(($0, $1)) }
      }
      for (id, bytes) in nodes { try await writer.store(bytes, as: ObjectKey(kind: .treeNode, id: id)) }
      let (oid, totals) = try await finish(tree)
      size += totals.bytes
      let entry = TreeEntry(name: try name(directory), mode: .directory, oid: oid, size: totals.bytes, files: totals.files)
      try top.append(entry) { topNodes.append(($0, $1)) }
    }
    for (id, bytes) in topNodes { try await writer.store(bytes, as: ObjectKey(kind: .treeNode, id: id)) }
    let root = try await finish(top)
    _ = try await writer.finish()
    return TransferRoot(kind: .tree, oid: root.oid, size: size, label: label)
  }

  /// Files of several sizes, one with a chunk list in each directory.
  static func directories(_ count: Int, seed: UInt64) -> [String: [String: [UInt8]]] {
    var random = SeededGenerator(seed: seed)
    var directories: [String: [String: [UInt8]]] = [:]
    for number in 0..<count {
      directories["d\(number)"] = [
        "small": [UInt8](randomCount: 100, using: &random), "empty": [],
        "text": SampleKind.text.bytes(20_000, using: &random),
        "large": [UInt8](randomCount: 200_000, using: &random),
      ]
    }
    return directories
  }
}

extension ObjectStore {
  /// Whether everything under a root is there, by the index, and every content comes back.
  func isWhole(_ root: TransferRoot, _ directories: [String: [String: [UInt8]]]) async throws -> Bool {
    var completeness = Completeness(of: self)
    guard try await completeness.has(root) else { return false }
    return try await holds(directories.values.flatMap(\.values))
  }
}

@Suite struct TransferTests {
  /// What is under a root comes over, once; a second time nothing is copied.
  @Test(arguments: [Transfer.Direction.push, .fetch])
  func everythingComesOver(direction: Transfer.Direction) async throws {
    try await withTemporaryDirectory { directory in
      let fixture = try await TransferFixture(in: directory)
      let directories = TransferFixture.directories(5, seed: 1)
      let root = try await TransferFixture.add(directories, to: fixture.source)
      let steps = Mutex<[Transfer.Step]>([])
      let transfer = Transfer(direction, from: fixture.source, to: fixture.destination) { step in
        steps.withLock { $0.append(step) }
      }
      let report = try await transfer.run([root])
      #expect(report.failed.isEmpty && report.incompleteRoots.isEmpty)
      #expect(try await fixture.destination.isWhole(root, directories))
      var (found, copied) = ((UInt64(0), 0), (UInt64(0), 0))
      for step in steps.withLock({ $0 }) {
        switch step {
        case .found(let bytes, let objects): found = (found.0 + bytes, found.1 + objects)
        case .copied(let bytes, let objects): copied = (copied.0 + bytes, copied.1 + objects)
        }
      }
      #expect(found == copied && found.0 > 0)
      let again = try await transfer.run([root])
      #expect(again.objects == 0 && again.packs == 0)
    }
  }

  /// Of a base that the destination has, nothing is read but what changed.
  @Test func unchangedSubtreesAreNotEntered() async throws {
    try await withTemporaryDirectory { directory in
      let fixture = try await TransferFixture(in: directory)
      var directories = TransferFixture.directories(12, seed: 2)
      let old = try await TransferFixture.add(directories, to: fixture.source)
      _ = try await Transfer(.push, from: fixture.source, to: fixture.destination).run([old])
      directories["d7"]?["small"] = [1, 2, 3]
      let new = try await TransferFixture.add(directories, to: fixture.source)
      let report = try await Transfer(.push, from: fixture.source, to: fixture.destination).run(
        [new], bases: [new.oid: old.oid])
      // The root, one directory, one file.
      #expect(report.objects == 3 && report.skipped == 0)
      #expect(try await fixture.destination.isWhole(new, directories))
    }
  }

  /// A part that is asked for comes with the nodes on the way to it, and nothing else does.
  @Test func aPartComesAlone() async throws {
    try await withTemporaryDirectory { directory in
      let fixture = try await TransferFixture(in: directory)
      let directories = TransferFixture.directories(3, seed: 3)
      let root = try await TransferFixture.add(directories, to: fixture.source)
      let inside = try ["d1", "large"].map { try TreeName(Array($0.utf8)) }
      let part = TransferRoot(kind: .tree, oid: root.oid, size: root.size, label: "data", inside: inside)
      _ = try await Transfer(.fetch, from: fixture.source, to: fixture.destination).run([part])
      let wanted = try #require(directories["d1"]?["large"])
      #expect(try await fixture.destination.holds([wanted]))
      let other = try #require(directories["d2"]?["small"])
      let absent = ObjectID(hashing: other.span)
      #expect(try await !fixture.destination.containsFile(absent))
      var completeness = Completeness(of: fixture.destination)
      #expect(try await completeness.has(part))
      #expect(try await !completeness.has(root))
    }
  }

  /// Wherever one byte of the source is damaged or one pack of it is gone: what is whole is delivered, what is not is named
  /// with the files it affects, and nothing that arrives is wrong.
  @Test(arguments: 0..<24)
  func damageIsNamedAndTheRestDelivered(seed: UInt64) async throws {
    try await withTemporaryDirectory { directory in
      let fixture = try await TransferFixture(in: directory)
      let directories = TransferFixture.directories(4, seed: 4)
      let root = try await TransferFixture.add(directories, to: fixture.source)
      var random = SeededGenerator(seed: seed)
      let packs = try await fixture.sourceBackend.keys("packs/")
      let pack = try #require(packs.randomElement(using: &random))
      let bytes = try #require(try await fixture.sourceBackend.get(pack))
      try await fixture.sourceBackend.delete(pack)
      if seed % 4 > 0 {
        var damaged = bytes
        damaged[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8(seed % 8)
        if seed % 4 == 1 { damaged.removeLast(Int.random(in: 1...bytes.count / 2, using: &random)) }
        try await fixture.sourceBackend.put(damaged, at: pack)
      }
      let report = try await Transfer(.fetch, from: fixture.source, to: fixture.destination).run([root])
      #expect(report.incompleteRoots.isEmpty == report.failed.isEmpty)
      for failure in report.failed { #expect(!failure.affects.isEmpty, "\(failure)") }
      let affected = Set(report.failed.flatMap(\.affects))
      for (name, files) in directories {
        for (file, content) in files {
          let path = "data/\(name)/\(file)"
          let isAffected = affected.contains { path == $0 || path.hasPrefix($0 + "/") }
          let oid = ObjectID(hashing: content.span)
          if isAffected {
            // A list that is not whole is not shown either.
            #expect(try await !fixture.destination.containsFile(oid) || content.isEmpty, "\(path)")
          } else {
            #expect(try await fixture.destination.holds([content]), "\(path)")
          }
        }
      }
      var completeness = Completeness(of: fixture.destination)
      #expect(try await completeness.has(root) == report.failed.isEmpty)
    }
  }

  /// The same lookups, whether an index is in memory or read by blocks, and however many keys are asked for.
  @Test(arguments: [UInt64(0), .max], [1, 7, 500, 4000])
  func batchesFindWhatSingleQuestionsFind(wholeLimit: UInt64, count: Int) async throws {
    try await withTemporaryDirectory { directory in
      let backend = MemoryBackend()
      let writing = try await openStore(backend, scratch: directory)
      var random = SeededGenerator(seed: UInt64(count))
      var contents: [[UInt8]] = []
      for number in 0..<3 {
        let more = (0..<700).map { _ in [UInt8](randomCount: 40, using: &random) }
        try await writing.add(more)
        if number < 2 { contents += more }
      }
      let store = try await openStore(backend, scratch: directory, wholeLimit: wholeLimit)
      var keys = contents.map { ObjectKey(kind: .chunk, id: ObjectID(hashing: $0.span)) }
      keys += (0..<700).map { _ in ObjectKey(kind: .chunk, id: ObjectID(hashing: [UInt8](randomCount: 9, using: &random).span)) }
      keys = Array(Set(keys).shuffled(using: &random).prefix(count)).sorted()
      let found = try await store.index.locations(ofAll: keys)
      var number = 0
      var places: [Int: [ObjectLocation]] = [:]
      found.forEachObject { index, list in
        #expect(index >= number)
        number = index
        places[index] = list.map(\.location)
      }
      for (index, key) in keys.enumerated() {
        let single = try await store.locations(of: key)
        #expect(Set(places[index] ?? []) == Set(single))
      }
    }
  }
}
