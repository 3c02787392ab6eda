import DVObject
import DVPipeline
import DVRepository

/// What is decided about a stage, in words.
struct DecisionText: CustomStringConvertible {
  let decision: StageDecision

  var description: String {
    switch decision {
    case .upToDate: "up to date"
    case .frozen: "frozen"
    case .restore(let record, let reason): "restore from run \(record.shortHex): \(Self.text(reason))"
    case .run(let reason): "run: \(Self.text(reason))"
    case .wait(let stage): "decided when '\(SafeText.name(stage))' has run"
    }
  }

  /// One word for programs.
  var word: String {
    switch decision {
    case .upToDate: "up-to-date"
    case .frozen: "frozen"
    case .restore: "restore"
    case .run: "run"
    case .wait: "wait"
    }
  }

  /// Why, in words; `nil` where there is nothing to say.
  var reason: String? {
    switch decision {
    case .run(let reason), .restore(_, let reason): Self.text(reason)
    case .wait(let stage): "depends on '\(stage)'"
    case .upToDate, .frozen: nil
    }
  }

  private static func text(_ reason: StageDecision.Reason) -> String {
    switch reason {
    case .neverRun: "it has not run yet"
    case .unrecorded: "nothing says which run made its outputs ('dv stage accept' takes them as they are)"
    case .lastRunFailed(let record): "its last run did not succeed: \(record.shortHex)"
    case .forced: "asked for with --force"
    case .alwaysChanged: "it runs every time (always_changed)"
    case .noInputs: "it has no inputs, so it runs every time"
    case .commandChanged: "its command changed"
    case .workingDirectoryChanged: "its working directory changed"
    case .inputChanged(let path): "input changed: \(SafeText.name(path.text))"
    case .inputAdded(let path): "new input: \(SafeText.name(path.text))"
    case .inputRemoved(let path): "input no longer named: \(SafeText.name(path.text))"
    case .parameterChanged(let file, let name, let old, let new):
      "parameter changed: \(SafeText.name(file.text)):\(SafeText.name(name)) (\(ValueText(old)) -> \(ValueText(new)))"
    case .outputsDeclaredOtherwise: "its outputs are declared otherwise"
    case .environmentChanged(let name): "environment changed: \(SafeText.name(name))"
    case .surroundingsDiffer(let name, let old, let new):
      "surroundings differ: \(SafeText.name(name)) (\(old.map { SafeText.name($0) } ?? "-") -> \(new.map { SafeText.name($0) } ?? "-"))"
    case .surroundingsUnknown: "what surrounded its run is recorded nowhere, or cannot be had"
    case .outputMissing(let path): "output missing: \(SafeText.name(path.text))"
    case .outputChanged(let path): "output changed: \(SafeText.name(path.text))"
    }
  }
}

/// What differs between the surroundings in which outputs were made and those here: `made with torch 2.3; here 2.5`.
struct SurroundingsText: CustomStringConvertible {
  let differences: [EnvironmentDifference]

  private static let shownCount = 3

  var description: String {
    let shown = differences.prefix(Self.shownCount)
    let then = shown.map { "\(Self.name($0)) \(Self.value($0.recorded))" }.joined(separator: ", ")
    let here = shown.map { shown.count == 1 ? Self.value($0.here) : "\(Self.name($0)) \(Self.value($0.here))" }.joined(separator: ", ")
    let rest = differences.count - shown.count
    return "made with \(then); here \(here)\(rest > 0 ? "; \(Count(UInt64(rest)).of("more difference"))" : "")"
  }

  private static func name(_ difference: EnvironmentDifference) -> String {
    let words = difference.name.split(separator: " ", maxSplits: 1)
    return SafeText.name(words.first == "package" && words.count == 2 ? String(words[1]) : difference.name)
  }

  private static func value(_ text: String?) -> String {
    text.map { SafeText.name(String($0.prefix(40))) } ?? "none"
  }
}

/// A value as people read it: text without quotes, nothing as `-`.
struct ValueText: CustomStringConvertible {
  private let value: JSONValue?
  private let precision: Int?

  /// - Parameter precision: how many significant digits a number gets; `nil` for all.
  init(_ value: JSONValue?, precision: Int? = nil) {
    self.value = value
    self.precision = precision
  }

  var description: String {
    switch value {
    case nil: "-"
    case .string(let text)?: SafeText.name(text)
    case .number(let number)? where precision != nil && number.isFinite: Self.rounded(number, precision ?? 17)
    case .number(let number)? where !number.isFinite: number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
    case let value?: SafeText.name(String(decoding: value.canonical(), as: UTF8.self))
    }
  }

  private static func rounded(_ number: Double, _ digits: Int) -> String {
    guard number != 0 else { return "0" }
    var scale = 1.0
    var exponent = 0
    var magnitude = number.magnitude
    while magnitude >= 10 { (magnitude, exponent) = (magnitude / 10, exponent + 1) }
    while magnitude < 1 { (magnitude, exponent) = (magnitude * 10, exponent - 1) }
    let steps = digits - 1 - exponent
    guard (0...15).contains(steps) else { return String(decoding: JSONValue.number(number).canonical(), as: UTF8.self) }
    for _ in 0..<steps { scale *= 10 }
    let rounded = (number * scale).rounded() / scale
    return String(decoding: JSONValue.number(rounded).canonical(), as: UTF8.self)
  }
}
