import DVLineage
import DVObject
import DVPipeline
import DVRepository

/// The parameters and metrics of experiments, one column for each name.
struct ExperimentColumns {
  struct Column {
    /// `params.lr`, `metrics.auc`; with the file where two have the same name.
    let name: String
    /// One for each experiment.
    let values: [JSONValue?]
  }

  private(set) var columns: [Column] = []

  /// - Parameter showsAll: whether to keep columns in which all are the same.
  init(_ kept: [KeptExperiment], showsAll: Bool) {
    for (kind, files) in [("params", \Experiment.parameters), ("metrics", \Experiment.metrics)] {
      var order: [String] = []
      var values: [String: [JSONValue?]] = [:]
      var places: [String: Set<String>] = [:]
      for (index, one) in kept.enumerated() {
        guard let experiment = one.experiment else { continue }
        for file in experiment[keyPath: files].members {
          for (name, value) in file.value.flattened() {
            let full = "\(file.key):\(name)"
            if values[full] == nil {
              values[full] = [JSONValue?](repeating: nil, count: kept.count)
              order.append(full)
              places[name, default: []].insert(file.key)
            }
            values[full]?[index] = value
          }
        }
      }
      for full in order {
        guard let all = values[full], let colon = full.firstIndex(of: ":") else { continue }
        let first = all.first??.canonical()
        // Of parameters only what makes a difference; metrics are what one looks for.
        if !showsAll, kind == "params", all.allSatisfy({ $0?.canonical() == first }) { continue }
        let name = String(full[full.index(after: colon)...])
        columns.append(Column(name: "\(kind).\((places[name]?.count ?? 0) > 1 ? full : name)", values: all))
      }
    }
  }
}

/// Experiments as text and as JSON.
enum ExperimentText {
  /// A line for each experiment.
  ///
  /// - Parameters:
  ///   - showsAll: whether all columns are shown, also those in which all are the same, and however wide that gets.
  ///   - first: names of values whose columns come first.
  ///   - width: the most columns of the terminal; `nil` if it does not matter.
  static func table(_ kept: [KeptExperiment], showsAll: Bool, first: [String], width: Int?) -> [String] {
    guard !kept.isEmpty else { return [] }
    var columns = ExperimentColumns(kept, showsAll: showsAll).columns
    columns = columns.filter { first.contains($0.name) } + columns.filter { !first.contains($0.name) }
    var cells = [["name"] + kept.map(\.name), ["created"] + kept.map { DateText(milliseconds: $0.time * 1000).description }]
    if showsAll || Set(kept.map(\.base)).count > 1 { cells.append(["base"] + kept.map { $0.base.map { String($0.prefix(10)) } ?? "-" }) }
    var (room, hidden) = ((showsAll ? nil : width) ?? .max, [String]())
    for column in cells { room -= breadth(column) }
    for column in columns {
      let name = SafeText.name(column.name)
      let cell = [name] + kept.indices.map { ValueText(column.values[$0], precision: 6).description }
      if hidden.isEmpty, breadth(cell) <= room {
        room -= breadth(cell)
        cells.append(cell)
      } else {
        hidden.append(name)
      }
    }
    let lines = aligned((0...kept.count).map { row in cells.map { $0[row] } })
    guard let next = hidden.first else { return lines }
    return lines + ["Too narrow for '\(next)'\(hidden.count > 1 ? " and \(hidden.count - 1) more" : ""): --all shows them, --sort NAME puts one first."]
  }

  /// How wide a column is, with the space behind it.
  private static func breadth(_ cells: [String]) -> Int { 2 + (cells.map(\.displayWidth).max() ?? 0) }

  /// Rows of cells in columns, two spaces apart.
  static func aligned(_ rows: [[String]]) -> [String] {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.displayWidth)
      }
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell
        if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.displayWidth + 2) }
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  static func lines(_ kept: KeptExperiment) -> [String] {
    var table = Table(.left, .left)
    table.append("experiment", kept.name)
    table.append("commit", kept.commit)
    if let base = kept.base { table.append("base", base) }
    table.append("created", DateText(milliseconds: kept.time * 1000).description)
    table.append("author", SafeText.name(kept.author))
    guard let experiment = kept.experiment else { return table.lines }
    for setting in experiment.settings { table.append("set", SafeText.name(setting.text)) }
    for run in experiment.runs { table.append("run", run.hex) }
    for (title, files) in [("parameter", experiment.parameters), ("metric", experiment.metrics)] {
      for file in files.members {
        for (name, value) in file.value.flattened() {
          table.append(title, "\(SafeText.name(file.key)):\(SafeText.name(name)) = \(ValueText(value))")
        }
      }
    }
    return table.lines
  }

  /// Writes the members of an experiment.
  static func write(_ kept: KeptExperiment, to json: inout JSONText) {
    json.member("name", kept.name)
    json.member("commit", kept.commit)
    json.member("base", kept.base)
    json.member("created", kept.time)
    json.member("author", kept.author)
    json.member("params", kept.experiment.map { JSONValue.object($0.parameters) })
    json.member("metrics", kept.experiment.map { JSONValue.object($0.metrics) })
    json.array("set") { json in for setting in kept.experiment?.settings ?? [] { json.value(setting.text) } }
    json.array("runs") { json in for run in kept.experiment?.runs ?? [] { json.value(run.text) } }
  }
}
