public import DVLineage
public import DVObject
public import DVPipeline
import DVStore
public import DVWorkspace

/// Says what two recorded runs have otherwise: code, command, parameters, inputs, environment, metrics, outputs.
public struct CompareRuns: Sendable {
  /// A path that one of them has otherwise, or alone.
  public struct ContentDifference: Sendable {
    public let path: String
    public let old: ContentState?
    public let new: ContentState?
  }

  public struct Report: Sendable {
    public let old: (id: ObjectID, run: RunRecord)
    public let new: (id: ObjectID, run: RunRecord)
    /// What differs in how they were run: `stage`, `command`, `directory`, `status`, `seed`, `user`, `host`, `base`.
    public internal(set) var facts: [ValueDifference] = []
    /// Files of the code.
    public internal(set) var code: [TreeChange] = []
    /// Whether the code differs; more than ``code`` can tell, if one of the two is not at hand.
    public internal(set) var isCodeDifferent = false
    /// By `file:name`.
    public internal(set) var parameters: [ValueDifference] = []
    public internal(set) var inputs: [ContentDifference] = []
    public internal(set) var environment: [EnvironmentDifference] = []
    /// By `file:name`.
    public internal(set) var metrics: [ValueDifference] = []
    public internal(set) var outputs: [ContentDifference] = []
    /// What could not be compared, in words.
    public internal(set) var problems: [String] = []

    /// Whether nothing differs but when and by whom they were run.
    public var isSame: Bool {
      facts.allSatisfy { ["user", "host", "base"].contains($0.name) } && !isCodeDifferent && parameters.isEmpty && inputs.isEmpty
        && environment.isEmpty && metrics.isEmpty && outputs.isEmpty
    }
  }

  private let old: String
  private let new: String

  /// - Parameters: the starts of the runs' IDs, as ``ShowRun`` takes them.
  public init(_ old: String, _ new: String) {
    self.old = old
    self.new = new
  }

  /// Carries it out. Code and environments that are neither here nor on the default remote are problems, not failures.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if no run or several begin like this.
  public func run(in repository: Repository) async throws -> Report {
    let (before, after) = (try await ShowRun(old).run(in: repository), try await ShowRun(new).run(in: repository))
    var report = Report(old: before, new: after)
    let (a, b) = (before.run, after.run)
    for (id, run) in [before, after] where run.isPartial {
      report.problems.append("Some of run \(id.shortHex) is in an object that is not in the local store; 'dv fetch' may bring it.")
    }
    report.facts = ValueDifference.between(Self.facts(a), Self.facts(b))
    report.parameters = ValueDifference.between(Self.parameters(a), Self.parameters(b))
    report.metrics = ValueDifference.between(Self.metrics(a), Self.metrics(b))
    report.inputs = Self.contents(a.inputs, b.inputs)
    report.outputs = Self.contents(a.outputs, b.outputs)
    let reader = try repository.dataReader()
    if a.code?.id != b.code?.id {
      report.isCodeDifferent = true
      do throws(WorkspaceError) {
        let difference = TreeDifference(readOld: reader.nodes, readNew: reader.nodes)
        try await difference.run(from: a.code?.id, to: b.code?.id) { report.code.append($0) }
        report.code = report.code.detectingRenames()
      } catch {
        guard error.code == .missing else { throw error }
        report.problems.append("The code of one of the runs is neither here nor on the remote.")
      }
    }
    if a.environment?.id != b.environment?.id {
      let (one, other) = (try await Self.environment(a, reader), try await Self.environment(b, reader))
      if let one, let other {
        report.environment = EnvironmentDifference.between(one, other)
      } else if a.environment != nil, b.environment != nil {
        report.problems.append("The environment of one of the runs is neither here nor on the remote.")
      }
    }
    return report
  }

  private static func facts(_ run: RunRecord) -> JSONValue {
    var facts = JSONObject()
    facts["stage"] = run.stage.map { .string($0) }
    facts["command"] = .string(run.commands.joined(separator: "\n"))
    facts["directory"] = run.workingDirectory.isRoot ? nil : .string(run.workingDirectory.text)
    facts["status"] = .string(run.status.rawValue)
    facts["exit"] = run.exitCode.map { .integer($0) }
    facts["seed"] = run.seed.map { .string($0) }
    for (name, value) in run.declared { facts["declared \(name)"] = .string(value) }
    facts["user"] = run.user.map { .string($0) }
    facts["host"] = run.host.map { .string($0) }
    facts["base"] = run.base.map { .string($0) }
    return .object(facts)
  }

  private static func parameters(_ run: RunRecord) -> JSONValue {
    var values = JSONObject()
    for parameter in run.parameters {
      values["\(parameter.file):\(parameter.name)"] = parameter.value
    }
    return .object(values)
  }

  private static func metrics(_ run: RunRecord) -> JSONValue {
    var values = JSONObject()
    for (file, content) in run.metrics {
      for (name, value) in content.flattened() { values["\(file):\(name)"] = value }
    }
    return .object(values)
  }

  private static func contents(_ old: [PathState], _ new: [PathState]) -> [ContentDifference] {
    var found: [ContentDifference] = []
    for state in new {
      let before = old.first { $0.path == state.path }?.content
      if before?.isSame(as: state.content) != true {
        found.append(ContentDifference(path: state.path.text, old: before, new: state.content))
      }
    }
    for state in old where !new.contains(where: { $0.path == state.path }) {
      found.append(ContentDifference(path: state.path.text, old: state.content, new: nil))
    }
    return found
  }

  /// Reads what was recorded of a run's surroundings; `nil` if there is nothing, or it is not at hand.
  static func environment(_ run: RunRecord, _ reader: DataReader) async throws -> JSONValue? {
    guard let object = run.environment, object.size <= 64 << 20 else { return nil }
    var bytes: [UInt8] = []
    do {
      try await reader.readFile(object.id, size: object.size, restart: { bytes.removeAll() }) { piece in
        for index in 0..<piece.count { bytes.append(piece[index]) }
      }
    } catch let error as StoreError where error.code == .missing {
      return nil
    }
    return try? JSONValue(parsing: bytes, named: "the recorded environment")
  }
}
