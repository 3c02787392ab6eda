import DVObject
public import DVPipeline

/// What versions of models need before they may take an alias: the file `.dv/policy.yaml`.
///
/// The form stands in `docs/format/policy.md`. What is not known is refused: a rule that is misspelt must not be one that is missing.
public struct ModelPolicy: Hashable, Sendable {
  /// Where it lies, relative to the top of a commit's tree.
  public static let path = ".dv/policy.yaml"
  /// The most bytes of the file.
  public static let maximumByteCount = 256 << 10

  /// What one alias asks for.
  public struct Requirements: Hashable, Sendable {
    public var metrics: [MetricRule] = []
    /// Whether the code that ran must be in git as it ran.
    public var cleanCode = false
    public var lineage: Lineage?
    /// The worst verdict of the last reproduction that will do.
    public var reproduction: ReproductionVerdict?
    /// Keys of which one must have signed the version; `nil` if no signature is needed.
    public var signature: [KeyPattern]?
    public var approvals: Approvals?
    /// Whether the tags of version and alias must be signed with keys that git trusts here.
    public var signedTags = false
    /// Whether the version's commit must be signed with a key that git trusts here.
    public var signedCommit = false

    public init() {}

    /// The names of the checks that these are decided by, as evidence has them.
    public var checkNames: [String] {
      var names = metrics.map(\.checkName)
      for (name, isNeeded) in [
        ("lineage", lineage != nil), ("clean code", cleanCode), ("reproduction", reproduction != nil), ("signature", signature != nil),
        ("approvals", approvals != nil), ("signed tags", signedTags), ("signed commit", signedCommit),
      ] where isNeeded { names.append(name) }
      return names
    }
  }

  /// How far back it must be known what a model comes from.
  public enum Lineage: String, Hashable, Sendable, CaseIterable {
    /// All that the runs behind it read is tracked, or made by a recorded run.
    case recorded
    /// And of all data that no run made, it is recorded where it came from.
    case full
  }

  /// What a metric must be.
  public struct MetricRule: Hashable, Sendable {
    /// `NAME` or `FILE:NAME`, as `dv metrics` shows it; `logged:NAME` for what a run logged.
    public var name: String
    public var minimum: Double?
    public var maximum: Double?
    /// By how much it may be lower than that of the version that has the alias.
    public var maximumDrop: Double?
    /// By how much it may be higher than that of the version that has the alias.
    public var maximumRise: Double?

    public init(name: String, minimum: Double? = nil, maximum: Double? = nil, maximumDrop: Double? = nil, maximumRise: Double? = nil) {
      (self.name, self.minimum, self.maximum) = (name, minimum, maximum)
      (self.maximumDrop, self.maximumRise) = (maximumDrop, maximumRise)
    }

    /// The name of the check that decides on it.
    public var checkName: String { "metric \(name)" }
  }

  /// Which keys are meant: one by its fingerprint, or all that the user's trust store gives a role.
  public enum KeyPattern: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The SHA-256 of the public key in PEM, as hex digits.
    case fingerprint(String)
    case role(String)

    public var description: String {
      switch self {
      case .fingerprint(let hex): "sha256:\(hex.prefix(12))"
      case .role(let role): role
      }
    }
  }

  public struct Approvals: Hashable, Sendable {
    /// How many different people must have approved.
    public var count: Int
    /// Whose keys count; `nil` for all of the trust store.
    public var keys: [KeyPattern]?

    public init(count: Int, keys: [KeyPattern]? = nil) {
      self.count = count
      self.keys = keys
    }
  }

  /// What holds for the aliases of a model, or of all.
  struct Section: Hashable, Sendable {
    var standard: Requirements?
    var aliases: [String: Requirements] = [:]
  }

  private var common = Section()
  private var models: [ModelName: Section] = [:]

  /// What a version of `model` needs to take `alias`; `nil` if nothing.
  ///
  /// The nearest counts, alone: of the model its alias, its default, then of all the alias, the default.
  public func requirements(of alias: String, for model: ModelName) -> Requirements? {
    models[model]?.aliases[alias] ?? models[model]?.standard ?? common.aliases[alias] ?? common.standard
  }

  /// All keys and roles that any of its rules names, each once.
  public var keyPatterns: [KeyPattern] {
    let all = ([common] + models.values).flatMap { [$0.standard].compactMap(\.self) + $0.aliases.values }
    return Set(all.flatMap { ($0.signature ?? []) + ($0.approvals?.keys ?? []) }).sorted()
  }

  /// Reads the file.
  ///
  /// - Parameter file: its name, for messages.
  /// - Throws: ``PipelineError`` with file and line for anything that is not known or makes no sense.
  public init(parsing bytes: [UInt8], named file: String) throws(PipelineError) {
    guard bytes.count <= Self.maximumByteCount else {
      throw PipelineError(.limit, "'\(file)' has \(bytes.count) bytes; at most \(Self.maximumByteCount) are read.")
    }
    guard let root = try YAMLReader.read(bytes, named: file) else {
      throw PipelineError(.schema, "'\(file)' is empty.", remedy: "Write 'version: 1' and what is needed, or remove it.")
    }
    let reader = PolicyReader(section: SchemaReader(file: file))
    (common, models) = try reader.policy(root)
  }
}

/// Takes the nodes of a policy for what they are, or refuses them with their line.
private struct PolicyReader {
  let section: SchemaReader

  func policy(_ root: YAMLNode) throws(PipelineError) -> (ModelPolicy.Section, [ModelName: ModelPolicy.Section]) {
    var models: [ModelName: ModelPolicy.Section] = [:]
    let members = try section.members(of: root, "the policy", allowing: ["version", "default", "aliases", "models"])
    guard let version = members.first(where: { $0.key == "version" })?.value, case .scalar(.integer(1)) = version.content else {
      throw section.failure(
        "the policy must say 'version: 1'", root.line, remedy: "A policy of another version needs another dv: nothing of it is read.")
    }
    for member in members where member.key == "models" {
      for model in try section.members(of: member.value, "'models'") {
        guard let name = ModelName(model.key) else { throw section.failure("'\(model.key)' can be no model", model.keyLine) }
        let inner = try section.members(of: model.value, "the model '\(model.key)'", allowing: ["default", "aliases"])
        models[name] = try aliases(inner)
      }
    }
    return (try aliases(members), models)
  }

  private func aliases(_ members: [YAMLNode.Member]) throws(PipelineError) -> ModelPolicy.Section {
    var found = ModelPolicy.Section()
    for member in members {
      switch member.key {
      case "default": found.standard = try requirements(member.value, "'default'")
      case "aliases":
        for alias in try section.members(of: member.value, "'aliases'") {
          guard RegistryTag.isAlias(alias.key) else { throw section.failure("'\(alias.key)' can be no alias", alias.keyLine) }
          found.aliases[alias.key] = try requirements(alias.value, "the alias '\(alias.key)'")
        }
      default: break
      }
    }
    return found
  }

  private func requirements(_ node: YAMLNode, _ what: String) throws(PipelineError) -> ModelPolicy.Requirements {
    var found = ModelPolicy.Requirements()
    let known = ["metrics", "clean_code", "lineage", "reproduction", "signature", "approvals", "signed_tags", "signed_commit"]
    for member in try section.members(of: node, what, allowing: known) {
      let value = member.value
      switch member.key {
      case "metrics":
        for metric in try section.members(of: value, "'metrics'") { found.metrics.append(try rule(metric)) }
      case "clean_code": found.cleanCode = try section.bool(value, "'clean_code'")
      case "signed_tags": found.signedTags = try section.bool(value, "'signed_tags'")
      case "signed_commit": found.signedCommit = try section.bool(value, "'signed_commit'")
      case "lineage":
        found.lineage = try one(of: ModelPolicy.Lineage.allCases.map(\.rawValue), value, "'lineage'") { ModelPolicy.Lineage(rawValue: $0) }
      case "reproduction":
        let good = ReproductionVerdict.allCases.filter(\.isGood).map(\.rawValue)
        found.reproduction = try one(of: good, value, "'reproduction'") { ReproductionVerdict(rawValue: $0) }
      case "signature": found.signature = try keys(value, "'signature'")
      default: found.approvals = try approvals(value)
      }
    }
    return found
  }

  private func one<Value>(
    of words: [String], _ node: YAMLNode, _ what: String, _ make: (String) -> Value?
  ) throws(PipelineError) -> Value {
    let text = try section.text(node, what)
    guard words.contains(text), let value = make(text) else {
      throw section.failure("\(what) is '\(text)'", node.line, remedy: "Known are: \(words.joined(separator: ", ")).")
    }
    return value
  }

  private func rule(_ metric: YAMLNode.Member) throws(PipelineError) -> ModelPolicy.MetricRule {
    let what = "the metric '\(metric.key)'"
    var rule = ModelPolicy.MetricRule(name: metric.key)
    let members = try section.members(of: metric.value, what, allowing: ["min", "max", "max_drop", "max_rise"])
    guard !members.isEmpty else {
      throw section.failure("\(what) says not what it must be", metric.keyLine, remedy: "Say min, max, max_drop or max_rise.")
    }
    for member in members {
      guard let number = member.value.value.double, number.isFinite else {
        throw section.failure("'\(member.key)' of \(what) is \(member.value.value.kindText), expected a number", member.value.line)
      }
      switch member.key {
      case "min": rule.minimum = number
      case "max": rule.maximum = number
      default:
        guard number >= 0 else { throw section.failure("'\(member.key)' of \(what) is less than 0", member.value.line) }
        if member.key == "max_drop" { rule.maximumDrop = number } else { rule.maximumRise = number }
      }
    }
    return rule
  }

  private func approvals(_ node: YAMLNode) throws(PipelineError) -> ModelPolicy.Approvals {
    func count(_ node: YAMLNode) throws(PipelineError) -> Int {
      guard let number = node.value.integer, (1...100).contains(number) else {
        throw section.failure("the number of approvals is no number from 1 to 100", node.line)
      }
      return Int(number)
    }
    guard case .mapping = node.content else { return ModelPolicy.Approvals(count: try count(node)) }
    var approvals = ModelPolicy.Approvals(count: 1)
    for member in try section.members(of: node, "'approvals'", allowing: ["count", "by"]) {
      if member.key == "count" { approvals.count = try count(member.value) } else { approvals.keys = try keys(member.value, "'by'") }
    }
    return approvals
  }

  private func keys(_ node: YAMLNode, _ what: String) throws(PipelineError) -> [ModelPolicy.KeyPattern] {
    var found: [ModelPolicy.KeyPattern] = []
    for element in try section.elements(of: node, what) {
      let text = try section.text(element, what)
      if text.hasPrefix("sha256:") {
        guard let id = try? ObjectID(text: text) else {
          throw section.failure("'\(text)' is no fingerprint: 'sha256:' and 64 lowercase hex digits", element.line)
        }
        found.append(.fingerprint(id.hex))
      } else {
        guard TrustStore.isRole(text) else {
          throw section.failure("'\(text)' is neither a role nor a fingerprint that begins with 'sha256:'", element.line)
        }
        found.append(.role(text))
      }
    }
    guard !found.isEmpty else {
      throw section.failure("\(what) lists no keys", node.line, remedy: "List roles or fingerprints, or leave it out.")
    }
    return found
  }
}
