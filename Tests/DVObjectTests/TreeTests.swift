import DVTesting
import Testing

@testable import DVObject

/// Test vectors: `docs/format/tree.md`.
@Suite struct TreeTests {
  static func name(_ text: String) -> TreeName { try! TreeName(Array(text.utf8)) }

  /// A directory of `count` entries in order.
  static func entries(_ count: Int, seed: UInt64) -> [TreeEntry] {
    var random = SeededGenerator(seed: seed)
    var names: Set<[UInt8]> = []
    while names.count < count {
      let bytes = [UInt8](randomCount: Int.random(in: 1...12, using: &random), using: &random)
      if (try? TreeName(bytes)) != nil { names.insert(bytes) }
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }.map { bytes in
      let mode = EntryMode(rawValue: UInt8.random(in: 1...4, using: &random))!
      return TreeEntry(
        name: try! TreeName(bytes), mode: mode, oid: ObjectID(hashing: bytes.span), size: UInt64.random(in: 0...1 << 40, using: &random),
        files: mode == .directory ? UInt64.random(in: 0...1000, using: &random) : 1)
    }
  }

  /// A directory of `count` names that are counted up.
  static func numbered(_ count: Int) -> [TreeEntry] {
    (0..<count).map { index in
      let text = String(index)
      return TreeEntry(
        name: name("f" + String(repeating: "0", count: 7 - text.count) + text), mode: .file, oid: ObjectID(hashing: Array(text.utf8).span),
        size: UInt64(index))
    }
  }

  struct Built {
    var root: ObjectID
    var totals: TreeTotals
    var nodes: [ObjectID: [UInt8]]
    var order: [ObjectID]
  }

  static func build(_ entries: [TreeEntry], cut: TreeCut = .standard) throws -> Built {
    var builder = TreeBuilder(cut: cut)
    var nodes: [ObjectID: [UInt8]] = [:]
    var order: [ObjectID] = []
    func keep(_ id: ObjectID, _ bytes: [UInt8]) {
      #expect(ObjectID(hashing: bytes.span) == id)
      nodes[id] = bytes
      order.append(id)
    }
    for entry in entries { try builder.append(entry, emit: keep) }
    #expect(builder.count == entries.count)
    let (root, totals) = try builder.finish(emit: keep)
    #expect(order.last == root)
    return Built(root: root, totals: totals, nodes: nodes, order: order)
  }

  /// The entries of a tree, all nodes held to what is said of them and to the cut rule.
  static func walk(_ built: Built, cut: TreeCut = .standard) throws -> [TreeEntry] {
    let root = try TreeNode(decoding: #require(built.nodes[built.root]), isRoot: true)
    #expect(root.totals == built.totals)
    try root.checkCuts(isLast: true, by: cut)
    func walk(_ node: TreeNode, isLast: Bool) throws -> [TreeEntry] {
      try node.items.indices.flatMap { index -> [TreeEntry] in
        let item = node.items[index]
        if let entry = item.entry { return [entry] }
        let child = try TreeNode(decoding: #require(built.nodes[item.oid]))
        try child.check(as: item, ofLevel: node.level, after: index > 0 ? node.items[index - 1] : nil)
        let childIsLast = isLast && index == node.count - 1
        try child.checkCuts(isLast: childIsLast, by: cut)
        return try walk(child, isLast: childIsLast)
      }
    }
    return try walk(root, isLast: true)
  }

  @Test(arguments: [0, 1, 2, 63, 64, 65, 500, 5000])
  func treesComeBack(count: Int) throws {
    let entries = Self.entries(count, seed: UInt64(count))
    let built = try Self.build(entries)
    #expect(try Self.walk(built) == entries)
    #expect(built.totals.files == entries.reduce(0) { $0 + $1.files })
    #expect(built.totals.bytes == entries.reduce(0) { $0 + $1.size })
    #expect(Set(built.order).count == built.order.count)
  }

  @Test func largeDirectoriesHaveLevels() throws {
    // A cut rule under which few names have many levels.
    let cut = TreeCut(minimumCount: 3, bitsPerLevel: 2)
    let entries = Self.numbered(3000)
    let built = try Self.build(entries, cut: cut)
    #expect(try Self.walk(built, cut: cut) == entries)
    let root = try TreeNode(decoding: #require(built.nodes[built.root]))
    #expect(root.level >= 3)

    // A change in one place makes one new node per level.
    var changed = entries
    changed[2000] = TreeEntry(name: changed[2000].name, mode: .executable, oid: built.root, size: 1)
    let rebuilt = try Self.build(changed, cut: cut)
    #expect(Set(rebuilt.order).subtracting(built.order).count == root.level + 1)
    // A name that comes or goes makes few.
    changed.remove(at: 700)
    #expect(Set(try Self.build(changed, cut: cut).order).subtracting(rebuilt.order).count <= 3 * (root.level + 1))
  }

  /// Trees of every number of names come back, whatever their levels.
  @Test(arguments: 0..<120)
  func highTreesComeBack(count: Int) throws {
    let cut = TreeCut(minimumCount: 2, bitsPerLevel: 1)
    let entries = Self.entries(count, seed: 77)
    #expect(try Self.walk(Self.build(entries, cut: cut), cut: cut) == entries)
  }

  /// A directory whose names never end a node is cut at 8192.
  @Test func nodesHaveAtMost8192Items() throws {
    let cut = TreeCut(minimumCount: 64, bitsPerLevel: 200)
    let built = try Self.build(Self.numbered(8193), cut: cut)
    let nodes = try built.order.map { try TreeNode(decoding: built.nodes[$0]!) }
    #expect(nodes.map(\.count) == [8192, 1, 2])
    #expect(nodes.map(\.level) == [0, 0, 1])
    #expect(try Self.walk(built, cut: cut).count == 8193)
  }

  /// A node may end with its level, before the level above does: then a last node above has a single node below it.
  @Test func lastNodeMayHaveOneChild() throws {
    let item = [UInt8](hexText: "00 01 0000000000000005 0000000000000001") + [UInt8](repeating: 7, count: 32) + Array("x".utf8)
    let bytes = TreeNode.magic + [1, 0, 0, 0, 0, 1] + [UInt8](hexText: "0000000000000001 0000000000000005") + item
    #expect(try TreeNode(decoding: bytes).count == 1)
    #expect(throws: ObjectFormatError.self) { try TreeNode(decoding: bytes, isRoot: true) }
  }

  @Test func directoryVector() throws {
    let abc = ObjectID(hashing: Array("abc".utf8).span)
    let empty = try Self.build([])
    let built = try Self.build([
      TreeEntry(name: Self.name("a.csv"), mode: .file, oid: abc, size: 3),
      TreeEntry(name: Self.name("run.sh"), mode: .executable, oid: abc, size: 3),
      TreeEntry(name: Self.name("sub"), mode: .directory, oid: empty.root, size: 0, files: 0),
    ])
    let oid = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    #expect(
      empty.nodes[empty.root] == [UInt8](hexText: "64762d74726565 20310a 00 00 00000000 0000000000000000 0000000000000000"))
    #expect(empty.root.hex == "8f53c2fec167903bebbd8b1f105a50c31c66473bf5c0cbfdb1b6c78e782cf9a1")
    #expect(
      built.nodes[built.root]
        == [UInt8](
          hexText: """
            64762d7472656520310a 00 00 00000003 0000000000000002 0000000000000006
            01 05 0000000000000003 0000000000000001 \(oid) 612e637376
            02 06 0000000000000003 0000000000000001 \(oid) 72756e2e7368
            04 03 0000000000000000 0000000000000000 \(empty.root.hex) 737562
            """))
    #expect(built.root.hex == "612618ed16d847080f6027864ac6f271df48722e85ccc98feafabf686a3c77b4")
  }

  /// The root of 20,000 names, so that the cut rule stays what it is.
  @Test func largeVector() throws {
    let built = try Self.build(Self.numbered(20_000))
    #expect(built.root.hex == "d19c28ae7932fa9009fdcb4dfbd612d20bdb1eaa98fac000fcfb6c4127009137")
    #expect(built.nodes.count == 19)
  }

  @Test(arguments: [
    "", ".", "..", ".git", ".GIT", ".gIt", "a/b", "/", "a\0", String(repeating: "x", count: 256),
  ])
  func namesThatAreRefused(text: String) {
    let error = #expect(throws: ObjectFormatError.self) { try TreeName(Array(text.utf8)) }
    #expect(error?.code == .name)
  }

  @Test(arguments: ["a", "...", ".gitignore", ".gi", ".gia", ".hit", "git", " ", "\n", "é", "e\u{301}", String(repeating: "x", count: 255)])
  func namesThatAreAllowed(text: String) throws {
    #expect(try TreeName(Array(text.utf8)).bytes == Array(text.utf8))
  }

  @Test func namesNeedNotBeText() throws {
    #expect(try TreeName([0xFF, 0xFE, 0x80]).bytes == [0xFF, 0xFE, 0x80])
  }

  @Test func orderIsThatOfBytes() throws {
    var random = SeededGenerator(seed: 8)
    let names = (0..<500).map { _ in (0..<Int.random(in: 1...4, using: &random)).map { _ in [1, 2, 128, 255].randomElement(using: &random)! as UInt8 } }
    let sorted = try names.map { try TreeName($0) }.sorted().map(\.bytes)
    #expect(sorted == names.sorted { $0.lexicographicallyPrecedes($1) })
    #expect(Self.name("a") < Self.name("a.b"))
    #expect(Self.name("a.b") < Self.name("a0"))
  }

  @Test func entriesOutOfOrderAreRefused() throws {
    for (first, second) in [("b", "a"), ("a", "a"), ("ab", "a")] {
      var builder = TreeBuilder()
      let oid = ObjectID(hashing: [1].span)
      try builder.append(TreeEntry(name: Self.name(first), mode: .file, oid: oid, size: 1)) { _, _ in }
      let error = #expect(throws: ObjectFormatError.self) {
        try builder.append(TreeEntry(name: Self.name(second), mode: .file, oid: oid, size: 1)) { _, _ in }
      }
      #expect(error?.code == .order)
    }
  }

  @Test func totalsThatOverflowAreRefused() throws {
    var builder = TreeBuilder()
    let oid = ObjectID(hashing: [1].span)
    try builder.append(TreeEntry(name: Self.name("a"), mode: .file, oid: oid, size: .max)) { _, _ in }
    let error = #expect(throws: ObjectFormatError.self) {
      try builder.append(TreeEntry(name: Self.name("b"), mode: .file, oid: oid, size: 1)) { _, _ in }
    }
    #expect(error?.code == .overflow)
  }

  @Test func itemsAreFoundByName() throws {
    let entries = Self.entries(60, seed: 5)
    let built = try Self.build(entries)
    let node = try TreeNode(decoding: #require(built.nodes[built.root]))
    for (index, entry) in entries.enumerated() {
      #expect(node.item(named: entry.name)?.entry == entry)
      #expect(node.firstIndex(notBefore: entry.name.bytes.span) == index)
      #expect(node.firstIndex(notBefore: (entry.name.bytes + [0]).span) == index + 1)
    }
    #expect(node.item(named: Self.name("not there at all")) == nil)
  }

  /// Whatever happens to the bytes of a directory, the decoder refuses them or its builder would write them.
  @Test(arguments: 0..<40)
  func changedBytesAreRefusedOrCanonical(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let built = try Self.build(Self.entries(Int.random(in: 0...20, using: &random), seed: seed))
    let original = try #require(built.nodes[built.root])
    for index in 0..<original.count {
      var bytes = original
      bytes[index] ^= UInt8.random(in: 1...255, using: &random)
      try Self.expectRefusedOrCanonical(bytes)
      try Self.expectRefusedOrCanonical(Array(original.prefix(index)))
      bytes = original
      bytes.insert(bytes[index], at: index)
      try Self.expectRefusedOrCanonical(bytes)
      bytes = original
      bytes.remove(at: index)
      try Self.expectRefusedOrCanonical(bytes)
    }
    #expect(throws: ObjectFormatError.self) { try TreeNode(decoding: original + [0]) }
  }

  private static func expectRefusedOrCanonical(_ bytes: [UInt8]) throws {
    guard let node = try? TreeNode(decoding: bytes, isRoot: true) else { return }
    #expect(node.level == 0)
    let entries = node.items.compactMap(\.entry)
    #expect(entries.count == node.count)
    let again = try build(entries)
    #expect(again.nodes[again.root] == bytes)
  }

  /// Cuts elsewhere than the rule says are found.
  @Test func otherCutsAreFound() throws {
    let built = try Self.build(Self.numbered(5000))
    let leaves = try built.order.map { try TreeNode(decoding: built.nodes[$0]!) }.filter { $0.level == 0 }
    let first = try #require(leaves.first)
    try first.checkCuts(isLast: false)
    try first.checkCuts(isLast: true)
    let last = try #require(leaves.last)
    try last.checkCuts(isLast: true)
    #expect(throws: ObjectFormatError.self) { try last.checkCuts(isLast: false) }
  }

  @Test func nodesOutOfPlaceAreRefused() throws {
    let built = try Self.build(Self.numbered(5000))
    let root = try TreeNode(decoding: #require(built.nodes[built.root]))
    #expect(root.level == 1)
    let second = try TreeNode(decoding: #require(built.nodes[root.items[1].oid]))
    try second.check(as: root.items[1], ofLevel: 1, after: root.items[0])
    #expect(throws: ObjectFormatError.self) { try second.check(as: root.items[0], ofLevel: 1, after: nil) }
    #expect(throws: ObjectFormatError.self) { try second.check(as: root.items[1], ofLevel: 2, after: root.items[0]) }
    #expect(throws: ObjectFormatError.self) { try second.check(as: root.items[1], ofLevel: 1, after: root.items[1]) }
  }

  @Test func anotherVersionIsUnsupported() {
    let bytes = Array("dv-tree 2\n".utf8) + [UInt8](repeating: 0, count: 22)
    #expect(#expect(throws: ObjectFormatError.self) { try TreeNode(decoding: bytes) }?.code == .unsupported)
  }
}

extension [UInt8] {
  /// The bytes that hex digits name; what is between the digits is skipped.
  init(hexText: String) {
    let digits = hexText.compactMap { $0.hexDigitValue }
    self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
  }
}
