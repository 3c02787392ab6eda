public import DVObject

/// A tag of a git repository, as far as a registry needs it.
public struct TagContent: Hashable, Sendable {
  /// The short name.
  public let name: String
  /// The tag object, or the commit of a tag that is not annotated, as hex digits.
  public let object: String
  /// The commit that it leads to, as hex digits; `nil` if it leads to none.
  public let commit: String?
  /// `nil` for a tag that is not annotated.
  public let message: String?
  /// Who made it, as git names people.
  public let tagger: String?
  /// When, in milliseconds since 1970.
  public let time: Int64

  public init(name: String, object: String, commit: String?, message: String?, tagger: String?, time: Int64) {
    (self.name, self.object, self.commit, self.message, self.tagger, self.time) = (name, object, commit, message, tagger, time)
  }
}

/// The models of a repository: what its tags say together.
///
/// Pure: from the same tags the same registry, in whatever order they come. Which version has an alias follows from the
/// chain of `previous` alone, never from clocks: the head is the move that no other names as what was before it. Two heads
/// make the alias contested. Tags without a record follow each other by their numbers, never one that has a record.
public struct ModelRegistry: Sendable {
  /// One event of a model, in the order of its number and name.
  public struct Event: Sendable {
    public let tag: TagContent
    public let parsed: RegistryTag
    /// What the tag's record says; `nil` for a tag without one, as GTO makes them.
    public let version: ModelRecord?
    public let alias: AliasRecord?
    /// Why an alias was moved or the model given up, as the record says.
    public let reason: String?
    /// Why the record cannot be believed; `nil` if it can, or there is none.
    public let problem: String?
    public let recordID: ObjectID?
    /// When the record of a model that is given up says that it was, in milliseconds since 1970.
    fileprivate let deprecationTime: Int64?

    /// Whether it has no record at all, as GTO makes tags.
    public var isPlain: Bool { recordID == nil && problem == nil }
  }

  /// What is known of an alias.
  public struct AliasState: Sendable {
    public let alias: String
    /// The moves that nothing followed: one, unless the alias is contested.
    public let heads: [Event]
    public var isContested: Bool { heads.count > 1 }
    /// Why one of them cannot be believed; `nil` if all can.
    public var problem: String? { heads.lazy.compactMap(\.problem).first }
  }

  /// A tag that was removed on purpose: its record says who did it, when and why.
  public struct RemovedTag: Sendable {
    public let record: RemovalRecord
    /// The short name of the tag that says so.
    public let tag: String
    /// What the tag said; `nil` if its object is lost, or spoke of an approval or a signature.
    public let event: Event?
  }

  public struct Model: Sendable {
    public let name: ModelName
    /// All tags of the model.
    public internal(set) var events: [Event] = []
    /// Those that were removed on purpose and are not here, the oldest removal first.
    public internal(set) var removed: [RemovedTag] = []

    public init(name: ModelName) { self.name = name }
  }

  public private(set) var models: [ModelName: Model] = [:]

  /// Reads tags; those that say nothing of models are left out.
  ///
  /// - Parameter removals: what is on record of removed tags: the record, the tag that holds it, and the removed tag if its object is kept.
  public init(_ tags: some Sequence<TagContent>, removals: [(record: RemovalRecord, tag: String, content: TagContent?)] = []) {
    for tag in tags {
      guard let parsed = RegistryTag(tag.name) else { continue }
      models[parsed.model, default: Model(name: parsed.model)].events.append(Event(tag, parsed))
    }
    for removal in removals {
      guard let name = removal.record.model else { continue }
      // A clone that has the tag still has not been told.
      if models[name]?.events.contains(where: { $0.tag.object == removal.record.object }) == true { continue }
      let event = removal.content.flatMap { content in RegistryTag(content.name).map { Event(content, $0) } }
      models[name, default: Model(name: name)].removed.append(RemovedTag(record: removal.record, tag: removal.tag, event: event))
    }
    for name in models.keys {
      models[name]?.events.sort { $0.precedes($1) }
      models[name]?.removed.sort { ($0.record.time, $0.tag) < ($1.record.time, $1.tag) }
    }
  }
}

extension ModelRegistry.Event {
  init(_ tag: TagContent, _ parsed: RegistryTag) {
    self.tag = tag
    self.parsed = parsed
    var version: ModelRecord?
    var alias: AliasRecord?
    var reason: String?
    var time: Int64?
    var problem: String?
    var id: ObjectID?
    do throws(RecordError) {
      if let record = try tag.message.flatMap({ message throws(RecordError) in try TagMessage.record(in: message) }) {
        id = record.id
        switch parsed.action {
        case .register: version = try ModelRecord(record)
        case .assign, .unassign: alias = try AliasRecord(record)
        case .deprecate: (reason, time) = (record.json["reason"]?.string, record.json["time"]?.integer)
        case .deregister, .create: break
        }
      }
      problem = Self.contradiction(parsed, tag, version, alias)
    } catch {
      problem = "The tag '\(tag.name)' cannot be believed: \(error.message)"
    }
    self.version = problem == nil ? version : nil
    self.alias = problem == nil ? alias : nil
    self.reason = problem == nil ? alias?.reason ?? reason : nil
    self.problem = problem
    recordID = id
    deprecationTime = time
  }

  /// What record and tag say differently of the same thing.
  private static func contradiction(
    _ parsed: RegistryTag, _ tag: TagContent, _ version: ModelRecord?, _ alias: AliasRecord?
  ) -> String? {
    if let version {
      guard case .register(let release) = parsed.action, version.model == parsed.model, version.release == release else {
        return "The tag '\(tag.name)' holds the record of \(version.model)@\(version.release)."
      }
      guard version.commit == tag.commit else {
        return "The tag '\(tag.name)' names commit \((tag.commit ?? "none").prefix(12)); its record names \(version.commit.prefix(12))."
      }
    }
    if let alias {
      let expected: String? =
        switch parsed.action {
        case .assign(let name) where alias.release != nil: name
        case .unassign(let name) where alias.release == nil: name
        default: nil
        }
      guard alias.model == parsed.model, alias.alias == expected else {
        return "The tag '\(tag.name)' holds the record of another move, of \(alias.model)#\(alias.alias)."
      }
    }
    return nil
  }

  /// The order in which events are shown: by number, then by name. Versions have no number; they stand by their time.
  func precedes(_ other: Self) -> Bool {
    if let own = parsed.counter, let theirs = other.parsed.counter, own != theirs { return own < theirs }
    if time != other.time { return time < other.time }
    return tag.name < other.tag.name
  }

  /// When it happened, as its record or else its tag says, in milliseconds since 1970.
  public var time: Int64 { version?.time ?? alias?.time ?? deprecationTime ?? tag.time }
}

extension ModelRegistry.Model {
  /// The versions that are registered and not taken back, the oldest first.
  public var versions: [(release: ModelVersion, event: ModelRegistry.Event)] {
    var found: [ModelVersion: ModelRegistry.Event] = [:]
    var withdrawn: Set<ModelVersion> = []
    for event in events {
      switch event.parsed.action {
      case .register(let release): found[release] = found[release] ?? event
      case .deregister(let release): withdrawn.insert(release)
      default: break
      }
    }
    return found.filter { !withdrawn.contains($0.key) }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// The tag of a version.
  public func version(_ release: ModelVersion) -> ModelRegistry.Event? { versions.first { $0.release == release }?.event }

  /// Whether the model is given up.
  public var isDeprecated: Bool { events.contains { $0.parsed.action == .deprecate } }

  /// The number of the next tag. That of a removed one is not used again: others may have it still.
  public var nextCounter: UInt64 {
    let gone = removed.compactMap { RegistryTag($0.record.tag)?.counter }
    return ((events.compactMap(\.parsed.counter) + gone).max() ?? 0) + 1
  }

  /// The version that a move gave the alias to; `nil` if it took the alias away, or a tag of GTO's names a commit without version.
  public func release(of move: ModelRegistry.Event) -> ModelVersion? {
    if let alias = move.alias { return alias.release }
    guard move.isPlain, case .assign = move.parsed.action, let commit = move.tag.commit else { return nil }
    return versions.last { $0.event.tag.commit == commit }?.release
  }
}

extension ModelRegistry.Event {
  /// The alias that it moves or takes away.
  public var movedAlias: String? {
    switch parsed.action {
    case .assign(let alias), .unassign(let alias): alias
    default: nil
    }
  }
}
