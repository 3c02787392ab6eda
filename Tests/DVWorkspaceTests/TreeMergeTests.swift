import DVObject
import DVTesting
import DVWorkspace
import Synchronization
import Testing

/// Merging trees file by file.
@Suite struct TreeMergeTests {
  /// A tree as a list of its files: path to content and executable bit.
  typealias Files = [String: File]

  struct File: Hashable {
    var content: String
    var isExecutable = false
  }

  /// Nodes kept in memory, and what was made of them.
  final class Nodes: Sendable {
    private let nodes = Mutex<[ObjectID: [UInt8]]>([:])

    var read: NodeReader {
      { id in try #require(self.nodes.withLock { $0[id] }) }
    }

    func keep(_ id: ObjectID, _ bytes: [UInt8]) { nodes.withLock { $0[id] = bytes } }

    /// Builds the tree of some files.
    func tree(_ files: Files) throws -> (oid: ObjectID, totals: TreeTotals) {
      var entries: [TreeEntry] = []
      var inner: [String: Files] = [:]
      for (path, file) in files {
        if let slash = path.firstIndex(of: "/") {
          inner[String(path[..<slash]), default: [:]][String(path[path.index(after: slash)...])] = file
        } else {
          let bytes = Array(file.content.utf8)
          entries.append(
            TreeEntry(
              name: try TreeName(Array(path.utf8)), mode: file.isExecutable ? .executable : .file,
              oid: ObjectID(hashing: bytes.span), size: UInt64(bytes.count)))
        }
      }
      for (name, files) in inner {
        let tree = try tree(files)
        entries.append(
          TreeEntry(
            name: try TreeName(Array(name.utf8)), mode: .directory, oid: tree.oid, size: tree.totals.bytes,
            files: tree.totals.files))
      }
      var builder = TreeBuilder()
      for entry in entries.sorted(by: { $0.name < $1.name }) { try builder.append(entry, emit: keep) }
      return try builder.finish(emit: keep)
    }

    /// Lists the files of a tree: path to oid and mode.
    func files(of root: ObjectID) async throws -> [String: String] {
      var found: [String: String] = [:]
      try await TreeBrowser(read: read).forEachEntry(of: root, entering: { _, _ in true }) { path, entry in
        if entry.mode != .directory { found[path.description] = "\(entry.oid) \(entry.mode)" }
      }
      return found
    }
  }

  private func merge(_ base: Files?, _ ours: Files, _ theirs: Files, in nodes: Nodes) async throws -> MergeOutcome {
    let made = Nodes()
    let merge = TreeMerge(
      read: nodes.read,
      emit: { id, bytes in
        made.keep(id, bytes)
        nodes.keep(id, bytes)
      })
    return try await merge.run(
      base: try base.map { try nodes.tree($0).oid }, ours: try nodes.tree(ours).oid, theirs: try nodes.tree(theirs).oid)
  }

  /// Whatever the three versions are, the result is that of merging each path by itself; with its totals, and as the
  /// tree that would be built of the same files.
  @Test(arguments: 0..<60)
  func agreesWithMergingEachPath(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    func change(_ files: inout Files, times: Int) {
      for _ in 0..<times {
        let path =
          ["", "d0/", "d1/", "d1/d2/"].randomElement(using: &random)! + "f\(Int.random(in: 0..<6, using: &random))"
        switch Int.random(in: 0..<4, using: &random) {
        case 0: files[path] = nil
        case 1: files[path]?.isExecutable.toggle()
        default: files[path] = File(content: "\(Int.random(in: 0..<3, using: &random))")
        }
      }
    }
    var base: Files = [:]
    change(&base, times: 20)
    var (ours, theirs) = (base, base)
    change(&ours, times: Int.random(in: 0..<4, using: &random))
    change(&theirs, times: Int.random(in: 0..<4, using: &random))

    var expected: Files = [:]
    var conflicts: Set<String> = []
    for path in Set(base.keys).union(ours.keys).union(theirs.keys) {
      let (b, o, t) = (base[path], ours[path], theirs[path])
      if o == t || t == b {
        expected[path] = o
      } else if o == b {
        expected[path] = t
      } else if let b, let o, let t,
        o.content == t.content || o.content == b.content || t.content == b.content
      {
        expected[path] = File(
          content: o.content == b.content ? t.content : o.content,
          isExecutable: o.isExecutable == b.isExecutable ? t.isExecutable : o.isExecutable)
      } else {
        conflicts.insert(path)
      }
    }

    let nodes = Nodes()
    switch try await merge(base, ours, theirs, in: nodes) {
    case .conflicted(let listed, let count):
      #expect(Set(listed.map(\.path.description)) == conflicts && count == conflicts.count)
    case .merged(let oid, let totals):
      #expect(conflicts.isEmpty)
      let tree = try nodes.tree(expected)
      #expect(try await nodes.files(of: oid) == nodes.files(of: tree.oid))
      #expect(totals == tree.totals)
    }
  }

  /// A directory of several nodes merges into the tree that would be built of the same files, to the byte.
  @Test func largeDirectoryIsCanonical() async throws {
    var base: Files = [:]
    for number in 0..<5000 { base["file\(number)"] = File(content: "\(number)") }
    var (ours, theirs) = (base, base)
    ours["file17"] = File(content: "ours")
    ours["file42"] = nil
    theirs["file4999"] = File(content: "theirs")
    theirs["new"] = File(content: "new")
    var expected = ours
    expected["file4999"] = theirs["file4999"]
    expected["new"] = theirs["new"]
    let nodes = Nodes()
    let outcome = try await merge(base, ours, theirs, in: nodes)
    let tree = try nodes.tree(expected)
    #expect(outcome == .merged(oid: tree.oid, totals: tree.totals))
  }

  @Test func addedOnBothSidesMergesAsFromNothing() async throws {
    let nodes = Nodes()
    let ours: Files = ["a": File(content: "1"), "same": File(content: "s")]
    let theirs: Files = ["b": File(content: "2"), "same": File(content: "s")]
    let tree = try nodes.tree(ours.merging(theirs) { first, _ in first })
    #expect(try await merge(nil, ours, theirs, in: nodes) == .merged(oid: tree.oid, totals: tree.totals))
    let outcome = try await merge(nil, ["x": File(content: "1")], ["x": File(content: "2")], in: nodes)
    let path = try #require(TreePath("x"))
    #expect(outcome == .conflicted([MergeConflict(path: path, kind: .bothAdded)], count: 1))
  }

  /// Each kind of conflict is told by its name, with the path inside directories that one side removed.
  @Test func namesConflicts() async throws {
    let nodes = Nodes()
    let base: Files = [
      "m": File(content: "0"), "d/x": File(content: "0"), "d/y": File(content: "0"), "t": File(content: "0"),
    ]
    let ours: Files = ["m": File(content: "1"), "t": File(content: "1")]
    let theirs: Files = [
      "m": File(content: "2"), "d/x": File(content: "2"), "d/y": File(content: "0"), "t/in": File(content: "2"),
    ]
    guard case .conflicted(let conflicts, _) = try await merge(base, ours, theirs, in: nodes) else {
      Issue.record("merged")
      return
    }
    #expect(
      conflicts.map { "\($0.path): \($0.kind.rawValue)" } == [
        "d/x: removed by us, modified by them", "m: both modified", "t: of different types",
      ])
  }

  @Test func missingNodeIsAnError() async throws {
    let nodes = Nodes()
    let (base, ours) = (try nodes.tree([:]).oid, try nodes.tree(["a": File(content: "1")]).oid)
    let merge = TreeMerge(
      read: { id in
        if id == ours { throw WorkspaceError(.missing, "gone") }
        return try await nodes.read(id)
      }, emit: { _, _ in })
    let theirs = try nodes.tree(["b": File(content: "1")]).oid
    await #expect(throws: WorkspaceError.self) { try await merge.run(base: base, ours: ours, theirs: theirs) }
  }
}
