import DVObject

/// The trees that were pushed last, among which an earlier version of another may be found.
///
/// Git's history tells which tree a new one comes from. What was added and pushed again and again without a commit is in no
/// history; but two versions of a directory share most of what their roots name.
struct RecentTrees {
  /// Trees that are compared.
  private static let limit = 8

  private let local: ObjectStore
  private var trees: [(oid: ObjectID, children: Set<ObjectID>)] = []

  /// Reads the roots of the latest trees.
  ///
  /// - Parameters:
  ///   - records: what says which trees are complete.
  ///   - isKnown: which of them may be relied on.
  ///   - local: has their nodes, or they are passed over.
  init(of records: [RecordList.Item], where isKnown: (ObjectID) -> Bool, in local: ObjectStore) async {
    self.local = local
    for item in records.sorted(by: { $0.ulid > $1.ulid }) {
      for root in item.record.roots where root.kind == .tree && isKnown(root.oid) {
        guard trees.count < Self.limit else { return }
        guard let children = await children(of: root.oid) else { continue }
        trees.append((root.oid, children))
      }
    }
  }

  /// Returns the tree whose root shares most with that of `tree`; `nil` if none shares anything.
  func base(of tree: ObjectID) async -> ObjectID? {
    guard !trees.isEmpty, let own = await children(of: tree) else { return nil }
    let shared = trees.map { (oid: $0.oid, count: $0.children.intersection(own).count) }
    return shared.max { $0.count < $1.count }.flatMap { $0.count > 0 ? $0.oid : nil }
  }

  /// What the root of a tree names; `nil` if it is not here: then the push says so.
  private func children(of tree: ObjectID) async -> Set<ObjectID>? {
    let key = ObjectKey(kind: .treeNode, id: tree)
    guard (try? await local.contains(key)) == true, let bytes = try? await local.read(key), let node = try? TreeNode(decoding: bytes)
    else { return nil }
    return Set(node.items.lazy.map(\.oid))
  }
}
