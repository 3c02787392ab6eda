/// Rows of cells in aligned columns, two spaces apart.
struct Table {
  /// To which edge of its column a cell goes.
  enum Alignment {
    case left
    case right
  }

  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// A table with one column for each of `alignments`.
  init(_ alignments: Alignment...) {
    self.alignments = alignments
  }

  /// Adds a row of cells, which must be safe to print. Cells that a short row lacks stay empty.
  mutating func append(_ cells: String...) {
    precondition(cells.count <= alignments.count, "a row has more cells than its table has columns")
    rows.append(cells)
  }

  /// The lines of the table, none of which ends in spaces.
  var lines: [String] {
    var widths = [Int](repeating: 0, count: alignments.count)
    for row in rows {
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.displayWidth) }
    }
    return rows.map { row in
      var line = ""
      // Spaces are written when a cell follows them, so that none is left at the end.
      var gap = 0
      for (column, cell) in row.enumerated() {
        let padding = widths[column] - cell.displayWidth
        if alignments[column] == .right { gap += padding }
        if !cell.isEmpty {
          line += String(repeating: " ", count: gap) + cell
          gap = 0
        }
        gap += 2 + (alignments[column] == .left ? padding : 0)
      }
      return line
    }
  }
}
