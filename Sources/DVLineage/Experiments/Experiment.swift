public import DVObject

/// What a commit at `refs/dv/exp/<name>` says of an experiment: parameters and metrics, so that a list of thousands reads no
/// file.
///
/// It is the last line of the commit's message, `dv-experiment: ` and canonical JSON of
///
///     metrics   of each file its values
///     params    of each file its values
///     runs      hashes of the records of the runs that made its outputs
///     set       what was set for it: list of [file, name, value]
///     version   1
public struct Experiment: Hashable, Sendable {
  /// Where experiments are kept.
  public static let referencePrefix = "refs/dv/exp/"
  /// The most bytes of the line; values beyond are left out, the largest files first.
  public static let maximumByteCount = 64 << 10

  static let mark = "dv-experiment: "

  /// By file.
  public var parameters: JSONObject
  /// By file.
  public var metrics: JSONObject
  public var runs: [ObjectID]
  public var settings: [Setting]

  /// A parameter that was set for the experiment.
  public struct Setting: Hashable, Sendable {
    public let file: String
    public let name: String
    public let value: JSONValue

    public init(file: String, name: String, value: JSONValue) {
      self.file = file
      self.name = name
      self.value = value
    }
  }

  public init(parameters: JSONObject, metrics: JSONObject, runs: [ObjectID], settings: [Setting]) {
    self.parameters = parameters
    self.metrics = metrics
    self.runs = runs
    self.settings = settings
  }

  /// The message of the experiment's commit.
  public func message(_ title: String) -> String {
    var copy = self
    while true {
      let line = Self.mark + String(decoding: copy.json.canonical(), as: UTF8.self)
      if line.utf8.count <= Self.maximumByteCount { return "\(title)\n\n\(line)\n" }
      guard copy.removeLargest() else { return "\(title)\n" }
    }
  }

  private var json: JSONValue {
    [
      "version": 1, "params": .object(parameters), "metrics": .object(metrics), "runs": .array(runs.map { .string($0.hex) }),
      "set": .array(settings.map { [.string($0.file), .string($0.name), $0.value] }),
    ]
  }

  /// Leaves out the largest file's values.
  private mutating func removeLargest() -> Bool {
    let sizes = parameters.members.map { (true, $0.key, $0.value.canonical().count) }
      + metrics.members.map { (false, $0.key, $0.value.canonical().count) }
    guard let largest = sizes.max(by: { $0.2 < $1.2 }) else { return false }
    if largest.0 { parameters[largest.1] = nil } else { metrics[largest.1] = nil }
    return true
  }

  /// Reads the message of a commit; `nil` if it is none of an experiment's.
  public init?(message: String) {
    guard let line = message.split(separator: "\n").last(where: { $0.hasPrefix(Self.mark) }),
      line.utf8.count <= Self.maximumByteCount,
      let json = try? JSONValue(parsing: Array(line.dropFirst(Self.mark.count).utf8), named: "the experiment"),
      json["version"]?.integer == 1
    else { return nil }
    parameters = json["params"]?.object ?? JSONObject()
    metrics = json["metrics"]?.object ?? JSONObject()
    runs = (json["runs"]?.array ?? []).compactMap { try? ObjectID(hex: $0.string ?? "") }
    settings = (json["set"]?.array ?? []).compactMap { value in
      guard let parts = value.array, parts.count == 3, let file = parts[0].string, let name = parts[1].string else { return nil }
      return Setting(file: file, name: name, value: parts[2])
    }
  }
}

extension Experiment {
  /// Whether `name` can name an experiment: letters, digits, `_`, `-` and `.`, 100 at most.
  public static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 100 && !name.hasPrefix("-") && !name.hasPrefix(".") && !name.hasSuffix(".")
      && !name.hasSuffix(".lock") && !name.contains("..")
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  /// Returns the value that `params.lr`, `metrics.auc` or `metrics.eval.json:auc` names; `nil` if there is none.
  public func value(_ name: String) -> JSONValue? {
    let files: JSONObject
    let rest: Substring
    if name.hasPrefix("params.") {
      (files, rest) = (parameters, name.dropFirst("params.".count))
    } else if name.hasPrefix("metrics.") {
      (files, rest) = (metrics, name.dropFirst("metrics.".count))
    } else {
      return nil
    }
    for member in files.members {
      if rest.hasPrefix(member.key + ":") { return Self.find(rest.dropFirst(member.key.utf8.count + 1), in: member.value) }
    }
    for member in files.members {
      if let value = Self.find(rest, in: member.value) { return value }
    }
    return nil
  }

  /// The value at a name with dots; a key may have dots itself.
  private static func find(_ name: Substring, in value: JSONValue) -> JSONValue? {
    guard let object = value.object else { return nil }
    if let found = object[String(name)] { return found }
    var end = name.startIndex
    while let dot = name[end...].firstIndex(of: ".") {
      if let inner = object[String(name[..<dot])], let found = find(name[name.index(after: dot)...], in: inner) { return found }
      end = name.index(after: dot)
    }
    return nil
  }
}
