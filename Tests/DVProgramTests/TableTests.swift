import Testing

@testable import dv

@Test func columnsAreAlignedAndLinesDoNotEndInSpaces() {
  var table = Table(.left, .right, .left)
  table.append("train.csv", "2.1 GB", "modified")
  table.append("数据", "512 B", "")
  table.append("x")
  #expect(table.lines == ["train.csv  2.1 GB  modified", "数据        512 B", "x"])
}

@Test func truncationCountsColumns() {
  #expect("数据集".truncated(to: 6) == "数据集")
  #expect("数据集".truncated(to: 5) == "数据…")
  #expect("abc".truncated(to: 0) == "")
}
