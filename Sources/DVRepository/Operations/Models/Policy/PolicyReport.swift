public import DVLineage
public import DVObject

/// One thing that a policy asks for, and whether a version has it.
public struct PolicyCheck: Hashable, Sendable {
  /// Such as `metric auc` or `approvals`.
  public let name: String
  public let passes: Bool
  /// What was found, for people; if it does not pass, what is missing.
  public let finding: String
  /// What it was decided on, for programs.
  public let inputs: JSONObject

  init(_ name: String, _ passes: Bool, _ finding: String, _ inputs: JSONObject = JSONObject()) {
    (self.name, self.passes, self.finding, self.inputs) = (name, passes, finding, inputs)
  }
}

/// What a policy says of a version that takes an alias.
public struct PolicyReport: Sendable {
  public let model: ModelName
  public let release: ModelVersion
  public let alias: String
  /// Where the policy was read; `nil` if no branch can have one.
  public let source: ProtectedPolicy?
  /// Empty if nothing is needed.
  public internal(set) var checks: [PolicyCheck] = []

  public var isFulfilled: Bool { checks.allSatisfy(\.passes) }

  /// What goes into the record of a move.
  var evidence: [AliasRecord.Evidence] {
    checks.map { AliasRecord.Evidence(check: $0.name, finding: $0.finding, inputs: $0.inputs) }
  }
}

/// A version may not have an alias: the answer of a policy, with all that is missing.
public struct PolicyRefusal: Error, Sendable {
  public let report: PolicyReport
}
