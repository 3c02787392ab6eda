/// Commits waiting for their turn in a walk: a binary heap, the newest on top.
struct CommitQueue {
  struct Commit {
    let id: GitObjectID
    let time: Int64
    let parents: [GitObjectID]
  }

  private var heap: [Commit] = []

  /// - Complexity: O(log *n*).
  mutating func push(_ commit: Commit) {
    heap.append(commit)
    var child = heap.count - 1
    while child > 0, isBefore(heap[child], heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// - Complexity: O(log *n*).
  mutating func popNewest() -> Commit? {
    guard let last = heap.popLast() else { return nil }
    guard let top = heap.first else { return last }
    heap[0] = last
    var parent = 0
    while true {
      var next = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isBefore(heap[child], heap[next]) {
        next = child
      }
      guard next != parent else { return top }
      heap.swapAt(parent, next)
      parent = next
    }
  }

  /// Newer first; of one second, by ID, so that the order is the same on every machine.
  private func isBefore(_ left: Commit, _ right: Commit) -> Bool {
    left.time != right.time ? left.time > right.time : left.id < right.id
  }
}
