public import DVLineage
public import DVObject
import DVPipeline

/// Which experiments to run.
public struct ExperimentRequest: Sendable {
  /// A parameter and the values it is to take.
  public struct Axis: Hashable, Sendable {
    public let file: String
    public let name: String
    public let values: [JSONValue]

    /// Reads `lr=0.1`, `conf.yaml:train.lr=0.1` or, of a grid, `lr=0.1,0.01`.
    ///
    /// - Returns: `nil` if it is neither.
    public init?(_ text: String, isGrid: Bool) {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else { return nil }
      let left = text[..<equals]
      let right = String(text[text.index(after: equals)...])
      if let colon = left.lastIndex(of: ":") {
        file = String(left[..<colon])
        name = String(left[left.index(after: colon)...])
      } else {
        file = ParameterSelection.defaultFile
        name = String(left)
      }
      guard !file.isEmpty, !name.isEmpty else { return nil }
      values = (isGrid ? Self.split(right) : [right]).map { ValueEdit.value(of: $0) }
      if values.isEmpty { return nil }
    }

    /// Splits at commas outside of brackets and quotes.
    private static func split(_ text: String) -> [String] {
      var parts = [""]
      var (depth, quote) = (0, Character?.none)
      for character in text {
        if let open = quote {
          if character == open { quote = nil }
        } else if character == "\"" || character == "'" {
          quote = character
        } else if "[{(".contains(character) {
          depth += 1
        } else if "]})".contains(character) {
          depth -= 1
        } else if character == ",", depth == 0 {
          parts.append("")
          continue
        }
        parts[parts.count - 1].append(character)
      }
      return parts
    }
  }

  /// Names of stages or outputs; all stages if there is none.
  public var targets: [String] = []
  /// Set in all experiments, or one after the other: every combination is an experiment.
  public var axes: [Axis] = []
  /// The name; with several experiments each gets a number after it. `nil` for names that are made up.
  public var name: String?
  /// How many run at once.
  public var width = 1
  /// Whether stages run though they are up to date.
  public var isForced = false

  public init() {}

  /// The most experiments of one command.
  static let maximumCount = 10_000

  /// Every combination of the values, the last axis changing fastest.
  func combinations() throws -> [[Experiment.Setting]] {
    var all: [[Experiment.Setting]] = [[]]
    for axis in axes {
      guard all.count * axis.values.count <= Self.maximumCount else {
        throw RepositoryError(.usage, "The grid makes more than \(Self.maximumCount) experiments.")
      }
      all = all.flatMap { settings in
        axis.values.map { settings + [Experiment.Setting(file: axis.file, name: axis.name, value: $0)] }
      }
    }
    return all
  }
}

/// What became of experiments.
public struct ExperimentReport: Sendable {
  public struct Item: Sendable {
    /// Its name; `nil` if it has none because it failed.
    public internal(set) var name: String?
    public internal(set) var commit: String?
    public let settings: [Experiment.Setting]
    public internal(set) var experiment: Experiment?
    public internal(set) var stages: ReproduceReport?
    /// Why it failed.
    public internal(set) var failure: String?
    /// Whether what a stage needs is missing here and on the remote.
    public internal(set) var isMissingData = false
  }

  /// In the order of the combinations.
  public internal(set) var items: [Item] = []
  public internal(set) var wasInterrupted = false
}
