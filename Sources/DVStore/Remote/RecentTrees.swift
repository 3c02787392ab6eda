import DVObject

/// The trees that were pushed last, among which an earlier version of another may be found.
///
/// Git's history tells which tree a new one comes from. What was added and pushed again and again without a commit is in no
/// history; but two versions of a directory share most of what their roots name.
struct RecentTrees {
  /// Trees that are compared, at most.
  private static let limit = 8
  /// Trees that are looked for here, at most: others' may be passed over by the hundred thousand.
  private static let lookLimit = 256

  private let local: ObjectStore
  private var trees: [(oid: ObjectID, root: Root)] = []

  /// What the root of a tree names.
  private struct Root {
    var oids: Set<ObjectID> = []
    var names: Set<ArraySlice<UInt8>> = []
  }

  /// Reads the roots of the latest trees.
  ///
  /// - Parameters:
  ///   - records: what says which trees are complete. One that merged others tells nothing of time, so it comes last.
  ///   - isKnown: which of them may be relied on.
  ///   - local: has their nodes, or they are passed over.
  init(of records: [RecordList.Item], where isKnown: (ObjectID) -> Bool, in local: ObjectStore) async {
    self.local = local
    var looks = 0
    let latest = records.sorted { $0.ulid > $1.ulid }
    for item in latest.filter(\.record.supersedes.isEmpty) + latest.filter({ !$0.record.supersedes.isEmpty }) {
      // Trees come last.
      for root in item.record.roots.reversed() {
        guard root.kind == .tree else { break }
        guard trees.count < Self.limit, looks < Self.lookLimit else { return }
        looks += 1
        guard isKnown(root.oid), let found = await self.root(of: root.oid) else { continue }
        trees.append((root.oid, found))
      }
    }
  }

  /// Returns the tree that is most like `tree`: a quarter of what its root names is the same, or half of the names are.
  func base(of tree: ObjectID) async -> ObjectID? {
    guard !trees.isEmpty, let own = await root(of: tree) else { return nil }
    var best: (oid: ObjectID, score: (Int, Int))?
    for (oid, other) in trees {
      let score = (own.oids.count { other.oids.contains($0) }, own.names.count { other.names.contains($0) })
      guard 4 * score.0 >= own.oids.count || 2 * score.1 >= own.names.count, score.1 + score.0 > 0 else { continue }
      if best.map({ $0.score < score }) ?? true { best = (oid, score) }
    }
    return best?.oid
  }

  /// What the root of a tree names; `nil` if it is not here: then the push says so.
  private func root(of tree: ObjectID) async -> Root? {
    let key = ObjectKey(kind: .treeNode, id: tree)
    guard (try? await local.contains(key)) == true, let bytes = try? await local.read(key), let node = try? TreeNode(decoding: bytes)
    else { return nil }
    return node.items.reduce(into: Root()) { root, item in
      root.oids.insert(item.oid)
      root.names.insert(item.name)
    }
  }
}
