/// What made what: facts and the ways between them. An edge goes from cause to effect.
public struct LineageGraph: Sendable {
  /// One fact.
  public struct Node: Hashable, Sendable {
    /// What kind of fact it is.
    public enum Kind: String, Sendable, CaseIterable {
      case commit, data, source, run, parameters, model, alias, reproduction, profile, attestation, record
    }

    /// Its name in this graph: the kind, a colon, and what names it everywhere.
    public let id: String
    public let kind: Kind
    /// What a person calls it.
    public let label: String
    /// What else is known of it, in the order in which a person reads it.
    public let facts: [Fact]
  }

  /// Something known of a node.
  public struct Fact: Hashable, Sendable {
    public let name: String
    public let value: String

    init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// A way from cause to effect.
  public struct Edge: Hashable, Sendable {
    public let from: String
    public let to: String
    /// `input`, `output`, `parameterised by`, `executed at`, `committed at`, `derived from`, `registered as`,
    /// `promoted to`, `reproduced by`, `part of`, `same content`, `about`.
    public let role: String
  }

  /// What was asked for.
  public internal(set) var targets: [String] = []
  /// In the order in which they were found.
  public internal(set) var nodes: [Node] = []
  public internal(set) var edges: [Edge] = []
  /// Whether more would have been found beyond the depth that was asked for.
  public internal(set) var isCut = false
  /// Trees that could not be searched, because they are not here.
  public internal(set) var unsearchedTrees = 0
  /// What was found damaged, in words.
  public internal(set) var problems: [String] = []

  /// The node of that name.
  public func node(_ id: String) -> Node? { nodes.first { $0.id == id } }
}
