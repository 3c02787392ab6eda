/// Which version has an alias: the head of the chain of its moves. See `docs/format/registry.md`.
extension ModelRegistry.Model {
  /// All aliases that were ever moved, by name.
  public var aliases: [ModelRegistry.AliasState] { aliases(asOf: .max) }

  /// All aliases that had been moved at a moment, in milliseconds since 1970, by name.
  public func aliases(asOf moment: Int64) -> [ModelRegistry.AliasState] {
    Set(events(asOf: moment).compactMap(\.movedAlias)).sorted().compactMap { alias($0, asOf: moment) }
  }

  /// What is known of an alias; `nil` if it was never moved.
  ///
  /// - Parameter moment: in milliseconds since 1970: what was known then, by the times that tags and removals say.
  public func alias(_ name: String, asOf moment: Int64 = .max) -> ModelRegistry.AliasState? {
    let moves = events(asOf: moment).filter { $0.movedAlias == name }
    guard !moves.isEmpty else { return nil }
    var followed: Set<String> = []
    for (index, move) in moves.enumerated() {
      if move.alias != nil {
        followed.formUnion(self.moves(before: move, asOf: moment))
      } else if move.isPlain, index > 0, moves[index - 1].isPlain {
        // GTO's own tags have no chain: they follow what has the number before. Once there is a chain, a tag beside it
        // may be one whose record somebody took out: then people decide.
        followed.insert(moves[index - 1].tag.object)
      }
    }
    let heads = moves.filter { !followed.contains($0.tag.object) }
    // A circle would leave none: nobody can make one without breaking SHA-1, but damage must not look like 'no alias'.
    return ModelRegistry.AliasState(alias: name, heads: heads.isEmpty ? moves : heads)
  }

  /// The tags that there were, in their order.
  ///
  /// - Parameter moment: in milliseconds since 1970; what was removed later was there still, if its object is kept.
  public func events(asOf moment: Int64) -> [ModelRegistry.Event] {
    let gone = removed.compactMap { $0.record.time > moment ? $0.event : nil }
    let there = (events + gone).filter { $0.time <= moment }
    return gone.isEmpty ? there : there.sorted { $0.precedes($1) }
  }

  /// The tag objects of the moves that a move followed, as hex digits; without a record the one with the number before.
  ///
  /// A move that is removed on record is stepped over: what followed it follows what it had followed.
  public func moves(before move: ModelRegistry.Event, asOf moment: Int64 = .max) -> [String] {
    guard let record = move.alias else {
      let moves = events.filter { $0.movedAlias == move.movedAlias }
      guard let index = moves.firstIndex(where: { $0.tag.object == move.tag.object }), index > 0 else { return [] }
      return [moves[index - 1].tag.object]
    }
    let gone = removed.filter { $0.record.time <= moment && $0.event?.movedAlias == record.alias }
    var found: [String] = []
    var waiting = record.followed
    var seen: Set<String> = []
    while !waiting.isEmpty {
      let object = waiting.removeFirst()
      guard seen.insert(object).inserted else { continue }
      if let before = gone.first(where: { $0.record.object == object })?.event?.alias {
        waiting += before.followed
      } else {
        found.append(object)
      }
    }
    return found
  }

  /// The moves of an alias from some on back, the last first, also those that are removed on record: to remove one does not undo that it was.
  ///
  /// - Parameters:
  ///   - objects: the tag objects of those to begin with.
  ///   - moment: in milliseconds since 1970: of removed ones that came after these, only those until then count.
  public func moves(backFrom objects: [String], of alias: String, until moment: Int64 = .max) -> [ModelRegistry.Event] {
    let gone = removed.compactMap(\.event).filter { $0.movedAlias == alias }
    let all = Dictionary((events + gone).map { ($0.tag.object, $0) }, uniquingKeysWith: { first, _ in first })
    var later: [ModelRegistry.Event] = []
    var reached = Set(objects)
    for move in gone.sorted(by: { $0.time < $1.time }) where move.time <= moment {
      guard !reached.contains(move.tag.object), let followed = move.alias?.followed else { continue }
      guard followed.contains(where: reached.contains) || followed.isEmpty && objects.isEmpty else { continue }
      reached.insert(move.tag.object)
      later.insert(move, at: 0)
    }
    var found: [ModelRegistry.Event] = []
    var waiting = later.map(\.tag.object) + objects
    var seen: Set<String> = []
    while !waiting.isEmpty {
      let object = waiting.removeFirst()
      guard seen.insert(object).inserted, let move = all[object] else { continue }
      found.append(move)
      waiting += move.alias?.followed ?? moves(before: move)
    }
    return found
  }
}

extension AliasRecord {
  /// The tag objects that the move names as what was before it.
  fileprivate var followed: [String] { [previous].compactMap { $0 } + resolves }
}
