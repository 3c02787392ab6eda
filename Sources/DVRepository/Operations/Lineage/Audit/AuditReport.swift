/// What an audit found.
public struct AuditReport: Sendable {
  public enum Severity: String, Sendable, Comparable {
    /// Something was altered: bytes are not what names and links say.
    case tampering
    /// Something that an auditor asks about: missing, unknown, not clean, not reproduced.
    case gap

    public static func < (left: Self, right: Self) -> Bool { left == .tampering && right == .gap }
  }

  public struct Finding: Hashable, Sendable {
    public let severity: Severity
    /// What kind of finding, for programs: `altered-record`, `missing-record`, `no-run` …
    public let kind: String
    /// What it is about: a record, a tag, a path at an oid.
    public let subject: String
    /// What is wrong, in a sentence.
    public let message: String
  }

  /// How sure one can be that the whole history is the one that was made.
  public struct Anchor: Sendable {
    public enum Kind: String, Sendable {
      /// A tag with a signature that git accepts.
      case signedTag = "signed-tag"
      /// The commit that is checked out has a signature that git accepts.
      case signedCommit = "signed-commit"
      /// A remote saw the tags and history before, and they are still so.
      case witness
      /// Nothing outside vouches for it: all agrees with itself, and whoever rewrote all of it would not be noticed.
      case none
    }

    public let kind: Kind
    /// The tag, the commit or the remote.
    public let name: String?
    /// When a remote saw something last, in seconds since 1970.
    public var time: UInt64?
  }

  /// The policy that was asked of versions that have aliases.
  public struct Policy: Sendable {
    /// The protected branch, such as `origin/main`.
    public let branch: String
    /// Its tip, as hex digits.
    public let commit: String
    /// The git blob, as hex digits; `nil` if the branch has no policy.
    public let blob: String?
  }

  public internal(set) var target: String?
  /// `nil` if no branch is known that could have one, or it cannot be read.
  public internal(set) var policy: Policy?
  public internal(set) var anchor = Anchor(kind: .none, name: nil)
  public internal(set) var head: String?
  public internal(set) var isFull = false
  /// How many were looked at.
  public internal(set) var commits = 0
  public internal(set) var records = 0
  public internal(set) var versions = 0
  public internal(set) var tags = 0
  public internal(set) var objects = 0
  /// Tags, commits and records that remotes bore witness to.
  public internal(set) var witnessed = 0
  public internal(set) var findings: [Finding] = []

  public var isTampered: Bool { findings.contains { $0.severity == .tampering } }
}
