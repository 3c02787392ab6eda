import DVObject
import DVPipeline
import DVRepository

/// Values of files, and their differences, as tables and JSON.
enum ValuesRendering {
  static func text(_ report: ReadValues.Report, precision: Int?) -> String {
    var table = Table(.left, .left, .right)
    for file in report.files {
      for (name, value) in file.values.flattened() {
        table.append(SafeText.name(file.path.text), SafeText.name(name), ValueText(value, precision: precision).description)
      }
    }
    return table.lines.map { $0 + "\n" }.joined()
  }

  static func json(_ report: ReadValues.Report, schema: String) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", schema)
      json.array("files") { json in
        for file in report.files {
          json.object { json in
            json.member("path", file.path.text)
            json.member("values", file.values)
          }
        }
      }
    }
    return json.text + "\n"
  }

  static func text(_ report: CompareValues.Report, precision: Int?) -> String {
    guard !report.files.isEmpty else { return "Nothing differs.\n" }
    var table = Table(.left, .left, .right, .right, .right)
    for file in report.files {
      for difference in file.differences {
        table.append(
          SafeText.name(file.path.text), SafeText.name(difference.name),
          ValueText(difference.old, precision: precision).description,
          ValueText(difference.new, precision: precision).description, change(difference, precision))
      }
    }
    return table.lines.map { $0 + "\n" }.joined()
  }

  private static func change(_ difference: ValueDifference, _ precision: Int?) -> String {
    guard let change = difference.change else { return "" }
    // What is left of a difference of decimals is noise beyond the digits that both have.
    return (change > 0 ? "+" : "") + ValueText(.number(change), precision: precision ?? 6).description
  }

  static func json(_ report: CompareValues.Report, schema: String) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", schema)
      json.array("differences") { json in
        for file in report.files {
          for difference in file.differences {
            json.object { json in
              json.member("path", file.path.text)
              json.member("name", difference.name)
              json.member("old", difference.old)
              json.member("new", difference.new)
              if let change = difference.change { json.member("change", JSONValue.number(change)) }
            }
          }
        }
      }
    }
    return json.text + "\n"
  }

  static func warn(_ problems: [String]) {
    for problem in problems { StandardError.write("warning: \(SafeText.message(problem))\n") }
  }
}
