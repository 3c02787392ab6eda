public import DVObject
import DVPipeline

/// What made a model, as SLSA Provenance 1.0 states it of the run that is recorded.
///
/// A run on somebody's machine is no hardened build: this claims what the record claims, SLSA's build level 1 at most.
public struct ProvenanceStatement: Sendable {
  public static let predicateType = "https://slsa.dev/provenance/v1"

  private let model: ModelRecord
  private let run: RunRecord
  private let id: ObjectID

  /// - Parameter id: the name of the run's record.
  public init(_ model: ModelRecord, run: RunRecord, id: ObjectID) {
    (self.model, self.run, self.id) = (model, run, id)
  }

  public var json: JSONValue {
    var parameters = JSONObject()
    for parameter in run.parameters { parameters["\(parameter.file.text):\(parameter.name)"] = parameter.value }
    var external = JSONObject()
    external["command"] = .array(run.commands.map { .string($0) })
    external["stage"] = run.stage.map { .string($0) }
    external["parameters"] = .object(parameters)
    var dependencies: [JSONValue] = run.inputs.map { input in
      Self.descriptor(input.path.text, [("sha256", input.content.oid.hex)])
    }
    if let code = run.code { dependencies.append(Self.descriptor("code", [("sha256", code.id.hex)])) }
    dependencies.append(Self.descriptor("commit", [("gitCommit", model.commit)]))
    var definition = JSONObject()
    definition["buildType"] = "urn:dv:run:1"
    definition["externalParameters"] = .object(external)
    definition["resolvedDependencies"] = .array(dependencies)
    var builder = JSONObject()
    builder["id"] = .string("urn:dv:clone:\(run.chain?.clone ?? "unknown")")
    var metadata = JSONObject()
    metadata["invocationId"] = .string("sha256:\(id.hex)")
    metadata["startedOn"] = .string(Timestamp(milliseconds: run.start).description)
    metadata["finishedOn"] = .string(Timestamp(milliseconds: run.end).description)
    var details = JSONObject()
    details["builder"] = .object(builder)
    details["metadata"] = .object(metadata)
    var predicate = JSONObject()
    predicate["buildDefinition"] = .object(definition)
    predicate["runDetails"] = .object(details)
    return Statement.json(
      subject: "\(model.model)@\(model.release)", digests: [(Self.algorithm(model.isTree), model.oid.hex)],
      predicateType: Self.predicateType, predicate: predicate)
  }

  /// The digest of a directory is that of its tree's root node, which no other program computes.
  private static func algorithm(_ isTree: Bool) -> String { isTree ? "dvTree1" : "sha256" }

  private static func descriptor(_ name: String, _ digests: [(String, String)]) -> JSONValue {
    var digest = JSONObject()
    for (algorithm, value) in digests { digest[algorithm] = .string(value) }
    var json = JSONObject()
    json["name"] = .string(name)
    json["digest"] = .object(digest)
    return .object(json)
  }

  /// Checks that a statement is the provenance of a model's content.
  ///
  /// - Throws: ``SigningError/Code/malformed`` if it is of another kind, ``SigningError/Code/refused`` if it is of other content.
  public static func check(_ statement: JSONValue, of model: ModelRecord) throws(SigningError) {
    guard statement["predicateType"]?.string == predicateType, let subjects = statement["subject"]?.array else {
      throw SigningError(.malformed, "What was signed is no SLSA provenance of version 1.")
    }
    guard subjects.contains(where: { $0["digest"]?[algorithm(model.isTree)]?.string == model.oid.hex }) else {
      throw SigningError(.refused, "The provenance is of other content than \(model.model)@\(model.release).")
    }
  }
}

/// A moment in RFC 3339's form, in UTC and whole seconds.
struct Timestamp: CustomStringConvertible {
  let milliseconds: Int64

  var description: String {
    let seconds = milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000
    let day = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    let rest = seconds - day * 86_400
    // Years of 400-year eras that begin in March, so that leap days come last.
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    let date = dayOfYear - (153 * month + 2) / 5 + 1
    let civilMonth = month < 10 ? month + 3 : month - 9
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(year + era * 400 + (civilMonth <= 2 ? 1 : 0))-\(two(civilMonth))-\(two(date))T"
      + "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
  }
}
