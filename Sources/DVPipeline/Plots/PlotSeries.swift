/// Values of one version of one column, drawn along those of another.
public struct PlotSeries: Hashable, Sendable {
  /// The version, as it was asked for.
  public let revision: String
  public let file: StagePath
  /// The name of the column.
  public let field: String
  public let xField: String?
  public let x: PlotColumn
  public let y: PlotColumn

  public init(revision: String, file: StagePath, field: String, xField: String?, x: PlotColumn, y: PlotColumn) {
    self.revision = revision
    self.file = file
    self.field = field
    self.xField = xField
    self.x = x
    self.y = y
  }
}

extension PlotDefinition {
  /// Returns what is to be drawn of one version.
  ///
  /// - Parameters:
  ///   - table: reads the rows of a file, given the columns that are wanted; `nil` if the version has no such file.
  ///   - warn: called with what is missing, in words.
  public func series(
    of revision: String, warn: (String) -> Void, table: (StagePath, [String]) -> PlotTable?
  ) -> [PlotSeries] {
    var found: [PlotSeries] = []
    for source in sources {
      let axis = axis(of: source)
      guard let rows = table(source.file, source.fields + (axis?.file == source.file ? axis?.fields ?? [] : [])) else { continue }
      let xField = axis?.fields.first
      var x: PlotColumn?
      if let axis, let xField {
        x = axis.file == source.file ? rows.column(xField) : table(axis.file, [xField])?.column(xField)
        if x == nil { warn("'\(axis.file)' at '\(revision)' has no column '\(xField)', which the plot '\(name)' draws along.") }
      }
      let columns = rows.names
      let fields = source.fields.isEmpty ? Array(columns.filter { $0 != xField }.suffix(1)) : source.fields
      for field in fields {
        guard let y = rows.column(field) else {
          let known = columns.prefix(8).joined(separator: ", ")
          warn("'\(source.file)' at '\(revision)' has no column '\(field)', which the plot '\(name)' draws. It has: \(known).")
          continue
        }
        found.append(
          PlotSeries(
            revision: revision, file: source.file, field: field, xField: x == nil ? nil : xField,
            x: x ?? .numbers((0..<y.count).map(Double.init)), y: y))
      }
    }
    return found
  }

  /// What a source is drawn along: a column of its own file if one is named, else of the only file that is.
  private func axis(of source: Source) -> Source? {
    switch x {
    case .row: nil
    case .field(let name): name.isEmpty ? nil : Source(file: source.file, fields: [name])
    case .sources(let all): all.first { $0.file == source.file } ?? (all.count == 1 ? all[0] : nil)
    }
  }
}
