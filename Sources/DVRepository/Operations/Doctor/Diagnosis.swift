/// What `dv doctor` found of one thing.
public struct Finding: Hashable, Sendable {
  /// How it is.
  public enum State: String, Sendable {
    case good
    /// Something that is slower, or less convenient, than it could be.
    case note
    case wrong
  }

  /// What was looked at: `store`, `remote 'origin'`.
  public let subject: String
  public let state: State
  /// How it is, or what is wrong.
  public let message: String
  /// What to do about it.
  public let remedy: String?

  init(_ subject: String, _ state: State, _ message: String, remedy: String? = nil) {
    self.subject = subject
    self.state = state
    self.message = message
    self.remedy = remedy
  }
}

/// What `dv doctor` found of everything.
public struct Diagnosis: Sendable {
  /// In the order in which they were looked at.
  public internal(set) var findings: [Finding] = []

  /// Whether nothing is wrong.
  public var isHealthy: Bool { !findings.contains { $0.state == .wrong } }

  mutating func add(_ subject: String, _ state: Finding.State = .good, _ message: String, remedy: String? = nil) {
    findings.append(Finding(subject, state, message, remedy: remedy))
  }
}
