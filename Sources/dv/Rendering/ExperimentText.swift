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
  static func table(_ kept: [KeptExperiment], showsAll: Bool) -> [String] {
    guard !kept.isEmpty else { return [] }
    let columns = ExperimentColumns(kept, showsAll: showsAll).columns
    var rows = [["name", "created", "base"] + columns.map { SafeText.name($0.name) }]
    for (index, one) in kept.enumerated() {
      rows.append(
        [one.name, DateText(milliseconds: one.time * 1000).description, one.base.map { String($0.prefix(10)) } ?? "-"]
          + columns.map { ValueText($0.values[index], precision: 6).description })
    }
    return aligned(rows)
  }

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
