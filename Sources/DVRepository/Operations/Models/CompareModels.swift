public import DVLineage
import DVGit
import DVObject
import DVPipeline
import DVWorkspace

/// Compares two versions of a model by their tags and the records of the runs that made them: `dv model diff`.
public struct CompareModels: Sendable {
  private let model: ModelName
  private let old: String
  private let new: String

  /// One thing that is not the same in both.
  public struct Difference: Hashable, Sendable {
    public enum Kind: String, Sendable { case content, command, input, parameter, metric, code }
    public let kind: Kind
    public let name: String
    /// `nil` where the older or newer version has none.
    public let old: String?
    public let new: String?
  }

  public struct Comparison: Sendable {
    public let old: ModelRecord
    public let new: ModelRecord
    public internal(set) var differences: [Difference] = []
    /// What could not be compared.
    public internal(set) var notes: [String] = []
  }

  /// - Parameters:
  ///   - old: a version, an alias or `latest`, as is `new`.
  public init(_ model: ModelName, _ old: String, _ new: String) {
    (self.model, self.old, self.new) = (model, old, new)
  }

  /// Carries it out.
  public func run(in repository: Repository) async throws -> Comparison {
    let known = try repository.model(model)
    let (first, second) = (try record(old, of: known, in: repository), try record(new, of: known, in: repository))
    var comparison = Comparison(old: first, new: second)
    comparison.add(.content, first.path == second.path ? first.path : "\(first.path) -> \(second.path)", first.oid.shortHex, second.oid.shortHex)
    comparison.add(.content, "size", "\(first.size)", "\(second.size)")
    let runs = (try await Self.run(of: first, in: repository), try await Self.run(of: second, in: repository))
    guard let one = runs.0, let other = runs.1 else {
      for (record, run) in [(first, runs.0), (second, runs.1)] where run == nil {
        comparison.notes.append("What made \(record.release) is not recorded\(record.run == nil ? "" : " here: its run record is missing").")
      }
      return comparison
    }
    comparison.add(.command, one.stage ?? other.stage ?? "command", one.commands.joined(separator: "; "), other.commands.joined(separator: "; "))
    comparison.add(.code, "snapshot", one.code?.id.shortHex, other.code?.id.shortHex)
    comparison.add(.input, Self.pairs(one.inputs.map { ($0.path.text, $0.content.oid.shortHex) }), Self.pairs(other.inputs.map { ($0.path.text, $0.content.oid.shortHex) }))
    comparison.add(
      .parameter, Self.pairs(one.parameters.map { ("\($0.file.text):\($0.name)", $0.value.text) }),
      Self.pairs(other.parameters.map { ("\($0.file.text):\($0.name)", $0.value.text) }))
    comparison.add(.metric, Self.metrics(one), Self.metrics(other))
    return comparison
  }

  private func record(_ selector: String, of known: ModelRegistry.Model, in repository: Repository) throws -> ModelRecord {
    let event = try repository.version(selector, of: known)
    guard let record = event.version else {
      throw RepositoryError(.usage, "The tag '\(event.tag.name)' was not made by dv and holds no record to compare.")
    }
    return record
  }

  private static func run(of record: ModelRecord, in repository: Repository) async throws -> RunRecord? {
    guard let id = record.run else { return nil }
    return try await repository.runRecord(id, at: record.commit)
  }

  private static func pairs(_ pairs: [(String, String)]) -> [String: String] { Dictionary(pairs, uniquingKeysWith: { first, _ in first }) }

  private static func metrics(_ run: RunRecord) -> [String: String] {
    var found: [String: String] = [:]
    func visit(_ value: JSONValue, _ name: String) {
      if case .object(let object) = value {
        for member in object.members { visit(member.value, name.isEmpty ? member.key : "\(name).\(member.key)") }
      } else {
        found[name] = value.text
      }
    }
    for (_, values) in run.metrics { visit(values, "") }
    return found
  }
}

extension CompareModels.Comparison {
  fileprivate mutating func add(_ kind: CompareModels.Difference.Kind, _ name: String, _ old: String?, _ new: String?) {
    if old != new { differences.append(CompareModels.Difference(kind: kind, name: name, old: old, new: new)) }
  }

  fileprivate mutating func add(_ kind: CompareModels.Difference.Kind, _ old: [String: String], _ new: [String: String]) {
    for name in Set(old.keys).union(new.keys).sorted() { add(kind, name, old[name], new[name]) }
  }
}

extension JSONValue {
  /// A single value as people read it.
  fileprivate var text: String {
    if case .string(let text) = self { return text }
    return String(decoding: canonical(), as: UTF8.self)
  }
}
