import DVObject

/// What records say is complete, to be asked about one content or about many.
struct RecordedRoots: Sendable {
  /// Each in ascending order.
  private let lists: [[RootRecord.Root]]
  /// All of them together, where so many questions are to come that this is cheaper.
  private let all: Set<RootRecord.Root>?

  /// Nothing.
  init() { (lists, all) = ([], nil) }

  /// - Parameter questions: how many contents will be asked about.
  init(_ lists: [[RootRecord.Root]], for questions: Int) {
    let count = lists.reduce(0) { $0 + $1.count }
    self.lists = lists
    all =
      questions > count / max(1, lists.count)
      ? lists.reduce(into: Set(minimumCapacity: count)) { $0.formUnion($1) } : nil
  }

  /// Whether there is any tree among them: trees come last.
  var haveTrees: Bool { lists.contains { $0.last?.kind == .tree } }

  /// Whether a content is among them.
  ///
  /// - Complexity: O(log *n*) for each record, O(1) for one of many questions.
  func contains(_ root: RootRecord.Root) -> Bool {
    if let all { return all.contains(root) }
    return lists.contains { list in
      let place = list.place(of: root)
      return place < list.count && list[place] == root
    }
  }

  /// Whether a tree is among them, whatever its size.
  ///
  /// - Complexity: O(log *n*) for each record.
  func containsTree(_ oid: ObjectID) -> Bool {
    let first = RootRecord.Root(kind: .tree, oid: oid, size: 0)
    return lists.contains { list in
      let place = list.place(of: first)
      return place < list.count && list[place].kind == .tree && list[place].oid == oid
    }
  }
}

extension [RootRecord.Root] {
  /// Returns the place of the first of ascending roots that does not come before `root`.
  fileprivate func place(of root: RootRecord.Root) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < root { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
