/// What the name of a git tag says about a model, in GTO's grammar:
///
///     NAME@v1.2.0          registers a version      NAME@v1.2.0!#4      takes it back
///     NAME#production#7    assigns an alias         NAME#production!#8  takes it away
///     NAME@deprecated#9    gives the model up       NAME@created#1      names it
///
/// Numbers count up over all tags of a model. GTO also reads tags without a number, such as `NAME#production`.
public struct RegistryTag: Hashable, Sendable {
  public enum Action: Hashable, Sendable {
    case register(ModelVersion)
    case deregister(ModelVersion)
    case assign(String)
    case unassign(String)
    case deprecate
    case create
  }

  public let model: ModelName
  public let action: Action
  /// The number after the last `#`; a version that is registered has none.
  public let counter: UInt64?

  public init(_ model: ModelName, _ action: Action, counter: UInt64? = nil) {
    self.model = model
    self.action = action
    self.counter = counter
  }

  /// Reads the short name of a tag.
  ///
  /// - Returns: `nil` if it is no tag of a registry.
  public init?(_ tag: String) {
    guard let mark = tag.firstIndex(where: { $0 == "#" || $0 == "@" }), let model = ModelName(inTag: tag[..<mark]) else { return nil }
    var rest = tag[tag.index(after: mark)...]
    var counter: UInt64?
    if let hash = rest.lastIndex(of: "#") {
      guard let number = UInt64(rest[rest.index(after: hash)...]) else { return nil }
      counter = number
      rest = rest[..<hash]
    }
    let isCancelled = rest.last == "!"
    if isCancelled { rest = rest.dropLast() }
    if tag[mark] == "#" {
      guard ModelName.isWord(rest) else { return nil }
      action = isCancelled ? .unassign(String(rest)) : .assign(String(rest))
    } else if rest == "deprecated" || rest == "created" {
      guard !isCancelled else { return nil }
      action = rest == "deprecated" ? .deprecate : .create
    } else {
      guard rest.first == "v", let version = ModelVersion(rest) else { return nil }
      action = isCancelled ? .deregister(version) : .register(version)
    }
    self.model = model
    self.counter = counter
  }

  /// The short name of the tag.
  public var name: String {
    let number = counter.map { "#\($0)" } ?? ""
    let event =
      switch action {
      case .register(let version): "@\(version)"
      case .deregister(let version): "@\(version)!"
      case .assign(let alias): "#\(alias)"
      case .unassign(let alias): "#\(alias)!"
      case .deprecate: "@deprecated"
      case .create: "@created"
      }
    return model.inTag + event + number
  }

  /// Whether `text` can be an alias.
  public static func isAlias(_ text: String) -> Bool {
    ModelName.isWord(text) && text.utf8.count <= 60 && !text.contains("/") && ModelVersion(text) == nil
  }
}
