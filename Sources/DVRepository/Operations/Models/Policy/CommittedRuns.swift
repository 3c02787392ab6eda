import DVGit
import DVLineage
import DVObject
import DVPipeline

/// The runs and reproductions whose records a commit holds: what is known of its data, whoever asks and wherever.
struct CommittedRuns {
  let commit: GitObjectID
  private(set) var runs: [ObjectID: RunRecord] = [:]
  private(set) var reproductions: [ObjectID: ReproductionRecord] = [:]
  /// Contents of which a record says where they came from.
  private(set) var sourced: Set<ObjectID> = []

  /// - Complexity: O(*n*) in the records of the commit.
  init(of commit: String, in repository: Repository) async throws {
    self.commit = try GitObjectID(hex: commit)
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    for record in try Self.records(at: self.commit, in: repository) {
      switch record.type {
      case RunRecord.type: runs[record.id] = try await book.run(record)
      case ReproductionRecord.type: reproductions[record.id] = try? ReproductionRecord(record)
      case "source", "import": addSources(.object(record.json))
      default: break
      }
    }
  }

  private static func records(at commit: GitObjectID, in repository: Repository) throws -> [Record] {
    try repository.git.files(in: commit, under: try GitPath(".dv/records")).compactMap { file in
      guard let id = LineageIndex.recordName(file.path), file.kind == .file else { return nil }
      return try Record(decoding: try repository.git.readBlob(file.id, limit: Record.maximumByteCount), named: id)
    }
  }

  static func reproductions(at commit: GitObjectID, in repository: Repository) throws -> [ObjectID: ReproductionRecord] {
    try records(at: commit, in: repository).filter { $0.type == ReproductionRecord.type }
      .reduce(into: [:]) { $0[$1.id] = try? ReproductionRecord($1) }
  }

  /// A value with `path` and `oid`, wherever it stands, is data that was imported.
  private mutating func addSources(_ value: JSONValue, depth: Int = 0) {
    guard depth < 4 else { return }
    if value["path"]?.string != nil, let oid = value["oid"]?.string.flatMap(LineageIndex.oid) { sourced.insert(oid) }
    for member in value.object?.members ?? [] { addSources(member.value, depth: depth + 1) }
    for element in value.array ?? [] { addSources(element, depth: depth + 1) }
  }

  /// The runs that made a content, the last first; one that was vouched for after those that somebody saw.
  func makers(of content: ObjectID) -> [(id: ObjectID, run: RunRecord)] {
    runs.filter { entry in
      (entry.value.status == .complete || entry.value.status == .asserted) && entry.value.outputs.contains { $0.content.oid == content }
    }.sorted { one, other in
      let (isSeen, isOtherSeen) = (one.value.status == .complete, other.value.status == .complete)
      if isSeen != isOtherSeen { return isSeen }
      return (one.value.end, one.key) > (other.value.end, other.key)
    }.map { ($0.key, $0.value) }
  }

  /// The metrics of the run that made a model, and of those that read it: evaluations. Of one name in one file the last run counts.
  func metrics(of model: ModelRecord) -> [MetricValue] {
    var found: [String: (end: Int64, value: MetricValue)] = [:]
    for (id, run) in runs where run.status == .complete {
      guard id == model.run || run.inputs.contains(where: { $0.content.oid == model.oid }) else { continue }
      func visit(_ value: JSONValue, _ file: String, _ name: String) {
        if case .object(let object) = value {
          for member in object.members { visit(member.value, file, name.isEmpty ? member.key : "\(name).\(member.key)") }
        } else {
          let key = "\(file):\(name)"
          if let known = found[key], (known.end, known.value.run) > (run.end, id) { return }
          found[key] = (run.end, MetricValue(file: file, name: name, value: value.double, run: id))
        }
      }
      for (file, values) in run.metrics { visit(values, file.text, "") }
      if let logged = run.logged?["metrics"] { visit(logged, "logged", "") }
    }
    return found.values.map(\.value).sorted { ($0.file, $0.name) < ($1.file, $1.name) }
  }
}

/// What a recorded run measured.
struct MetricValue: Hashable, Sendable {
  /// The file of metrics; `logged` for what the run logged.
  let file: String
  let name: String
  /// `nil` for what is no number.
  let value: Double?
  let run: ObjectID
}

/// Whether a metric is as a rule wants it.
struct MetricQuestion {
  /// A version that had the alias.
  struct Holder {
    let release: ModelVersion
    let values: [MetricValue]
  }

  let rule: ModelPolicy.MetricRule
  let values: [MetricValue]
  /// The last first.
  let holders: [Holder]

  private enum Look {
    case value(MetricValue, Double)
    case none(String)
  }

  private func look(in values: [MetricValue]) -> Look {
    let matching = values.filter { $0.name == rule.name || "\($0.file):\($0.name)" == rule.name }
    guard let found = matching.first else { return .none("no run that made or read the model measured it") }
    guard matching.count == 1 else {
      let names = matching.map { "\($0.file):\($0.name)" }.joined(separator: " and ")
      return .none("\(names) are called so: write the file before it")
    }
    guard let number = found.value, number.isFinite else { return .none("it is no number") }
    return .value(found, number)
  }

  var answer: PolicyCheck {
    let name = rule.checkName
    let found: MetricValue
    let number: Double
    switch look(in: values) {
    case .none(let why): return PolicyCheck(name, false, "\(rule.name): \(why)")
    case .value(let value, let double):
      found = value
      number = double
    }
    var inputs = JSONObject()
    inputs["value"] = .number(number)
    inputs["file"] = .string(found.file)
    inputs["run"] = .string(found.run.hex)
    var words = ["\(number)"]
    var passes = true
    if let minimum = rule.minimum {
      inputs["min"] = .number(minimum)
      words.append("at least \(minimum)")
      passes = passes && number >= minimum
    }
    if let maximum = rule.maximum {
      inputs["max"] = .number(maximum)
      words.append("at most \(maximum)")
      passes = passes && number <= maximum
    }
    if rule.maximumDrop != nil || rule.maximumRise != nil {
      // One that never measured it is no yardstick, and must not do away with the one before.
      let holder = holders.lazy.compactMap { holder -> (ModelVersion, Double)? in
        guard case .value(_, let number) = look(in: holder.values) else { return nil }
        return (holder.release, number)
      }.first
      if let (release, yardstick) = holder {
        inputs["holder"] = .string(release.description)
        inputs["holderValue"] = .number(yardstick)
        // Decimal fractions such as 0.91 - 0.9 are no more than 0.01.
        let slack = 4 * max(abs(number), abs(yardstick)).ulp
        if let drop = rule.maximumDrop {
          inputs["maxDrop"] = .number(drop)
          words.append("at most \(drop) below the \(yardstick) of \(release)")
          passes = passes && yardstick - number <= drop + slack
        }
        if let rise = rule.maximumRise {
          inputs["maxRise"] = .number(rise)
          words.append("at most \(rise) above the \(yardstick) of \(release)")
          passes = passes && number - yardstick <= rise + slack
        }
      } else {
        words.append("nothing to compare with")
      }
    }
    return PolicyCheck(name, passes, words.joined(separator: ", "), inputs)
  }
}
