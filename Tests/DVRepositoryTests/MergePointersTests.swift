import DVObject
import Testing

@testable import DVRepository

/// What a merge of pointers decides without looking into trees.
@Suite struct MergePointersTests {
  private static func oid(_ text: String) -> ObjectID {
    let bytes = Array(text.utf8)
    return ObjectID(hashing: bytes.span)
  }

  private func file(_ text: String, executable: Bool = false, run: String? = nil) -> Pointer {
    Pointer(file: Self.oid(text), size: 1, executable: executable, run: run.map { Self.oid($0) })
  }

  private func tree(_ text: String, run: String? = nil) -> Pointer {
    Pointer(tree: Self.oid(text), totals: TreeTotals(files: 1, bytes: 1), run: run.map { Self.oid($0) })
  }

  private func merge(_ base: Pointer?, _ ours: Pointer, _ theirs: Pointer) -> MergePointers.Outcome? {
    MergePointers.withoutTrees(base: base.map { .pointer($0) } ?? .none, ours: ours, theirs: theirs)
  }

  @Test func equalContentKeepsTheLowerRun() {
    let runs = ["r1", "r2"].sorted { Self.oid($0) < Self.oid($1) }
    let lower = tree("a", run: runs[0])
    #expect(merge(tree("0"), tree("a", run: runs[0]), tree("a", run: runs[1])) == .merged(lower))
    #expect(merge(tree("0"), tree("a", run: runs[1]), tree("a", run: runs[0])) == .merged(lower))
    #expect(merge(tree("0"), tree("a"), tree("a", run: runs[1])) == .merged(tree("a", run: runs[1])))
    #expect(merge(nil, file("a"), file("a")) == .merged(file("a")))
  }

  @Test func otherContentOfARunIsNeverMerged() {
    #expect(merge(tree("0"), tree("a", run: "r"), tree("b")) == .conflicted(.run))
    #expect(merge(tree("0"), tree("a"), tree("b", run: "r")) == .conflicted(.run))
    #expect(merge(tree("0", run: "r"), tree("a"), tree("b")) == nil)
    #expect(merge(nil, file("a", run: "r"), file("b")) == .conflicted(.run))
  }

  @Test func oneSideThatChangedWins() {
    #expect(merge(file("0"), file("0"), file("b")) == .merged(file("b")))
    #expect(merge(tree("0"), tree("a", run: "r"), tree("0")) == .merged(tree("a", run: "r")))
    #expect(merge(tree("0"), file("a"), tree("0")) == .merged(file("a")))
  }

  @Test func filesMergeContentAndModeByThemselves() {
    #expect(merge(file("0"), file("0", executable: true), file("b")) == .merged(file("b", executable: true)))
    #expect(
      merge(file("0", executable: true), file("a", executable: true), file("0")) == .merged(file("a")))
    #expect(merge(file("0"), file("a"), file("b")) == .conflicted(.file))
    #expect(merge(nil, file("a"), file("b")) == .conflicted(.file))
  }

  @Test func conflictsThatNoTreeCanSolve() {
    #expect(merge(tree("0"), tree("a"), file("b")) == .conflicted(.kind))
    #expect(MergePointers.withoutTrees(base: .unreadable, ours: tree("a"), theirs: tree("b")) == .conflicted(.base))
    #expect(merge(tree("0"), tree("a"), tree("b")) == nil)
  }
}
