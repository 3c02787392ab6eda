import DVObject
import Testing

@testable import DVLineage

struct ModelRegistryTests {
  @Test(arguments: [
    ("churn@v1.2.0", "churn", "register v1.2.0"), ("churn@v1.2.0!#4", "churn", "deregister v1.2.0"),
    ("risk=churn#production#7", "risk:churn", "assign production"), ("churn#production!#8", "churn", "unassign production"),
    ("churn@deprecated#9", "churn", "deprecate"), ("churn@created#1", "churn", "create"), ("churn#staging", "churn", "assign staging"),
    ("a/b-c_d@v0.0.1-rc.1+build.5", "a/b-c_d", "register v0.0.1-rc.1+build.5"),
  ])
  func tagsOfTheGrammarAreRead(tag: String, model: String, action: String) throws {
    let parsed = try #require(RegistryTag(tag))
    #expect(parsed.model.text == model)
    let words: String =
      switch parsed.action {
      case .register(let version): "register \(version)"
      case .deregister(let version): "deregister \(version)"
      case .assign(let alias): "assign \(alias)"
      case .unassign(let alias): "unassign \(alias)"
      case .deprecate: "deprecate"
      case .create: "create"
      }
    #expect(words == action)
    #expect(parsed.name == tag)
  }

  @Test(arguments: [
    "v1.2.0", "churn", "churn@1.2.0", "churn@v1.2", "churn@v01.2.0", "-churn@v1.2.0", "churn-@v1.2.0", "churn@v1.2.0!x", "churn#", "churn#a#x",
    "churn#-a#1", "ch..urn@v1.0.0", "a=b=c@v1.0.0", "churn@deprecated!#1", "churn.lock/x@v1.0.0", "@v1.0.0", "churn@v99999999999.0.0",
  ])
  func otherTagsAreNone(tag: String) { #expect(RegistryTag(tag) == nil) }

  /// The order of Semantic Versioning, from its own examples.
  @Test func versionsAreOrdered() {
    let ordered = [
      "v1.0.0-alpha", "v1.0.0-alpha.1", "v1.0.0-alpha.beta", "v1.0.0-beta", "v1.0.0-beta.2", "v1.0.0-beta.11", "v1.0.0-rc.1", "v1.0.0",
      "v1.0.0+b", "v1.2.0", "v1.10.0", "v2.0.0",
    ].compactMap { ModelVersion($0) }
    #expect(ordered.count == 12)
    #expect(ordered.reversed().sorted() == ordered)
    #expect(ModelVersion("v1.2.3")?.bumped(.minor).description == "v1.3.0")
    #expect(ModelVersion("v1.2.3-rc.1")?.bumped(.patch).description == "v1.2.3")
  }

  private static let churn = ModelName("churn")!  // a name by the grammar

  private func version(_ release: String, commit: String, time: Int64) throws -> TagContent {
    let record = try ModelRecord(
      model: Self.churn, release: #require(ModelVersion(release)), path: "model.bin",
      oid: ObjectID(hashing: [UInt8](release.utf8).span), isTree: false, size: 5, files: nil, run: nil, commit: commit, time: time,
      user: "Ada <ada@example.com>"
    ).encoded()
    return TagContent(
      name: "churn@\(release)", object: "tag-\(release)", commit: commit, message: TagMessage.text(title: "x", description: nil, record: record),
      tagger: nil, time: 0)
  }

  /// The tag object of a move: 40 hex digits, as git's are.
  private func object(_ number: Int) -> String { String(repeating: "0", count: 36) + String(1000 + number) }

  private func move(
    _ number: Int, _ release: String?, after previous: Int?, resolving: [Int] = []
  ) throws -> TagContent {
    let record = try AliasRecord(
      model: Self.churn, alias: "production", release: release.flatMap { ModelVersion($0) }, previous: previous.map(object),
      resolves: resolving.map(object), reason: "why", time: Int64(1000 * number), user: nil
    ).encoded()
    return TagContent(
      name: "churn#production\(release == nil ? "!" : "")#\(number)", object: object(number), commit: "c1",
      message: TagMessage.text(title: "x", description: "# a line\n\n{no record}", record: record), tagger: nil, time: 0)
  }

  private func state(of tags: [TagContent]) throws -> (releases: [String], isContested: Bool) {
    // In whatever order the tags come, the state is one.
    var states: Set<String> = []
    var generator = SystemRandomNumberGenerator()
    var result: (releases: [String], isContested: Bool) = ([], false)
    for _ in 0..<8 {
      let registry = ModelRegistry(tags.shuffled(using: &generator))
      let model = try #require(registry.models[Self.churn])
      let alias = try #require(model.alias("production"))
      result = (alias.heads.map { model.release(of: $0)?.description ?? "none" }.sorted(), alias.isContested)
      states.insert("\(result)")
    }
    #expect(states.count == 1)
    return result
  }

  @Test func theHeadOfTheChainHasTheAlias() throws {
    var tags = [try version("v1.0.0", commit: "c1", time: 1), try version("v2.0.0", commit: "c2", time: 2)]
    tags += [try move(1, "v1.0.0", after: nil), try move(2, "v2.0.0", after: 1)]
    #expect(try state(of: tags) == (["v2.0.0"], false))
    // Later in the chain, whatever the number says.
    tags.append(try move(3, nil, after: 2))
    #expect(try state(of: tags) == (["none"], false))
  }

  /// Two clones promote after the same move, and both tags arrive.
  @Test func forkedMovesContestTheAliasUntilItIsResolved() throws {
    var tags = [try version("v1.0.0", commit: "c1", time: 1), try version("v2.0.0", commit: "c2", time: 2)]
    tags += [try move(1, "v1.0.0", after: nil), try move(2, "v2.0.0", after: 1), try move(4, "v1.0.0", after: 1)]
    #expect(try state(of: tags) == (["v1.0.0", "v2.0.0"], true))
    tags.append(try move(5, "v2.0.0", after: 2, resolving: [4]))
    #expect(try state(of: tags) == (["v2.0.0"], false))
  }

  /// What followed a removed move follows what that had followed; until the removal, it was there.
  @Test func removedMovesAreSteppedOver() throws {
    let versions = try (1...4).map { try version("v\($0).0.0", commit: "c\($0)", time: Int64($0)) }
    let moves = try (1...4).map { try move($0, "v\($0).0.0", after: $0 == 1 ? nil : $0 - 1) }
    func registered(_ gone: [Int], isKept: Bool = true) throws -> ModelRegistry.Model {
      let removals = gone.map { number -> (record: RemovalRecord, tag: String, content: TagContent?) in
        let record = RemovalRecord(tag: moves[number - 1].name, object: object(number), reason: "why", time: 10_000, user: nil)
        return (record, record.tagName, isKept ? moves[number - 1] : nil)
      }
      let there = moves.enumerated().filter { !gone.contains($0.offset + 1) }.map(\.element)
      return try #require(ModelRegistry((versions + there).shuffled(), removals: removals).models[Self.churn])
    }
    func holders(_ model: ModelRegistry.Model, asOf moment: Int64 = .max) -> [String] {
      (model.alias("production", asOf: moment)?.heads ?? []).compactMap { model.release(of: $0)?.description }
    }
    for (gone, now) in [([2], "v4.0.0"), ([2, 3], "v4.0.0"), ([1], "v4.0.0"), ([4], "v3.0.0"), ([3, 4], "v2.0.0")] {
      let model = try registered(gone)
      #expect(holders(model) == [now], "\(gone)")
      #expect(holders(model, asOf: 4500) == ["v4.0.0"] && holders(model, asOf: 2500) == ["v2.0.0"], "\(gone)")
      #expect(holders(model, asOf: 20_000) == [now])
      // Others may have the tag still.
      #expect(model.nextCounter == 5)
      #expect(model.removed.map(\.record.object) == gone.map(object))
    }
    #expect(try registered([2, 3]).moves(before: #require(try registered([2, 3]).events.last)) == [object(1)])
    // That it was is not undone: a policy compares with what has been promoted.
    func yardsticks(_ gone: [Int], from: [Int], until moment: Int64 = .max) throws -> [String] {
      try registered(gone).moves(backFrom: from.map(object), of: "production", until: moment).map(\.tag.object)
    }
    #expect(try yardsticks([], from: [4]) == [4, 3, 2, 1].map(object))
    #expect(try yardsticks([2, 4], from: [3]) == [4, 3, 2, 1].map(object))
    #expect(try yardsticks([3, 4], from: [2]) == [4, 3, 2, 1].map(object))
    #expect(try yardsticks([1, 2, 3, 4], from: []) == [4, 3, 2, 1].map(object))
    #expect(try yardsticks([1], from: [4]) == [4, 3, 2, 1].map(object))
    #expect(try yardsticks([2, 3], from: [1], until: 3000) == [3, 2, 1].map(object))
    #expect(try yardsticks([2, 3, 4], from: [1], until: 2500) == [2, 1].map(object))
    // What it followed is lost with it: then people decide.
    #expect(holders(try registered([2], isKept: false)) == ["v1.0.0", "v4.0.0"])
    #expect(try registered([1, 2, 3, 4]).alias("production") == nil)
    // A clone that has the tag still has not been told.
    let told = RemovalRecord(tag: moves[3].name, object: object(4), reason: "why", time: 10_000, user: nil)
    let model = try #require(ModelRegistry(versions + moves, removals: [(told, told.tagName, moves[3])]).models[Self.churn])
    #expect(holders(model) == ["v4.0.0"] && model.removed.isEmpty)
  }

  @Test(arguments: [
    ("churn#production#2", "churn"), ("a=churn@v1.0.0", "a:churn"), ("dv/approval/churn@v1.0.0/production/0011223344556677", "churn"),
    ("dv/signature/a=b@v1.0.0/0011223344556677", "a:b"), ("dv/removal/x", nil), ("dv/approval/churn", nil), ("v1.0.0", nil),
  ] as [(String, String?)])
  func removalsSayOfWhichModelTheyAre(tag: String, model: String?) {
    #expect(RemovalRecord(tag: tag, object: object(1), reason: "", time: 0, user: nil).model?.text == model)
  }

  /// GTO's own tags have no chain: the last number counts.
  @Test func tagsWithoutRecordsFollowTheirNumbers() throws {
    func plain(_ name: String, _ commit: String) -> TagContent {
      TagContent(name: name, object: name, commit: commit, message: "made by gto", tagger: "x", time: 0)
    }
    let tags = [
      plain("churn@v1.0.0", "c1"), plain("churn@v2.0.0", "c2"), plain("churn#production#1", "c1"), plain("churn#production#2", "c2"),
      plain("churn#production#10", "c1"),
    ]
    #expect(try state(of: tags) == (["v1.0.0"], false))
  }

  /// A tag beside a chain that has no record of its own may be one whose record somebody took out: it decides nothing silently.
  @Test func tagsWithoutRecordsContestChainsOfRecords() throws {
    func stripped(_ tag: TagContent) -> TagContent {
      // Another message is another tag object.
      TagContent(
        name: tag.name, object: String(tag.object.reversed()), commit: tag.commit, message: "Assign production", tagger: nil, time: tag.time)
    }
    let versions = [try version("v1.0.0", commit: "c1", time: 1), try version("v2.0.0", commit: "c2", time: 2)]
    let moves = [try move(1, "v1.0.0", after: nil), try move(2, "v2.0.0", after: 1), try move(3, "v1.0.0", after: 2)]
    #expect(try !state(of: versions + moves).isContested)
    for index in moves.indices {
      var changed = moves
      changed[index] = stripped(changed[index])
      #expect(try state(of: versions + changed).isContested, "\(changed[index].name)")
    }
    // The other way round all is in order: dv's move names the one of GTO's that it follows.
    let plain = TagContent(name: "churn#production#1", object: object(1), commit: "c1", message: "made by gto", tagger: "x", time: 0)
    #expect(try state(of: versions + [plain, moves[1], moves[2]]) == (["v1.0.0"], false))
    // And one of GTO's after dv's is decided by people.
    let late = TagContent(name: "churn#production#4", object: object(4), commit: "c2", message: nil, tagger: "x", time: 0)
    #expect(try state(of: versions + moves + [late]) == (["v1.0.0", "v2.0.0"], true))
    #expect(try state(of: versions + moves + [late, move(5, "v2.0.0", after: 3, resolving: [4])]) == (["v2.0.0"], false))
  }

  private static let malformedMembers: [(String, JSONValue)] = [
    ("previous", 7), ("previous", "abc"), ("previous", "ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD"), ("resolves", "x"),
    ("resolves", ["x"]), ("resolves", [1]), ("evidence", ["auc"]), ("evidence", [["auc"]]), ("evidence", [["auc", 1]]),
    ("evidence", [["auc", "0.9", "x"]]), ("evidence", [["auc", "0.9", [:]]]), ("policy", "main"), ("reason", 1), ("user", [:]),
  ]

  /// What a record says beside what it must is read, or the tag is named and nothing of it is believed.
  @Test(arguments: malformedMembers)
  func malformedMembersAreErrors(key: String, value: JSONValue) throws {
    let good = try move(2, "v1.0.0", after: 1)
    let message = try #require(good.message)
    let record = try #require(try TagMessage.record(in: message))
    var json = record.json
    json[key] = value
    let text = TagMessage.text(title: "x", description: nil, record: try Record(json))
    let event = try #require(
      ModelRegistry([TagContent(name: good.name, object: good.object, commit: good.commit, message: text, tagger: nil, time: 0)])
        .models[Self.churn]?.events.first)
    #expect(event.alias == nil)
    #expect(event.problem?.contains("'churn#production#2'") == true && event.problem?.contains("'\(key)'") == true, "\(event.problem ?? "")")
  }

  @Test func evidenceIsReadBack() throws {
    var inputs = JSONObject()
    inputs["value"] = 0.93
    let record = AliasRecord(
      model: Self.churn, alias: "production", release: ModelVersion("v1.0.0"), previous: object(1), resolves: [object(2)], reason: "why",
      policy: object(3), evidence: [.init(check: "metric auc", finding: "0.93", inputs: inputs), .init(check: "lineage", finding: "full")],
      time: 1, user: "Ada")
    #expect(try AliasRecord(record.encoded()) == record)
    // Many checks need more room than other records have.
    var long = record
    long.evidence = (0..<100).map { .init(check: "check \($0)", finding: String(repeating: "x", count: 100)) }
    let message = TagMessage.text(title: "x", description: nil, record: try long.encoded())
    #expect(try TagMessage.record(in: message).map { try AliasRecord($0) } == long)
  }

  /// A record that speaks of another model, version, alias or commit than its tag is not believed.
  @Test func recordsThatContradictTheirTagsAreFound() throws {
    let good = try version("v1.0.0", commit: "c1", time: 1)
    let copies = [
      TagContent(name: "churn@v3.0.0", object: "a", commit: "c1", message: good.message, tagger: nil, time: 0),
      TagContent(name: "other@v1.0.0", object: "b", commit: "c1", message: good.message, tagger: nil, time: 0),
      TagContent(name: "churn@v1.0.0", object: "c", commit: "c9", message: good.message, tagger: nil, time: 0),
      TagContent(name: "churn#production#1", object: "d", commit: "c1", message: good.message, tagger: nil, time: 0),
      TagContent(name: "churn#staging#1", object: "e", commit: "c1", message: try move(1, "v1.0.0", after: nil).message, tagger: nil, time: 0),
      TagContent(name: "churn#production!#1", object: "f", commit: "c1", message: try move(1, "v1.0.0", after: nil).message, tagger: nil, time: 0),
    ]
    for copy in copies {
      let events = ModelRegistry([copy]).models.values.flatMap(\.events)
      #expect(events.count == 1)
      #expect(events.first?.problem != nil && events.first?.version == nil && events.first?.alias == nil, "\(copy.name)")
    }
  }

  /// Whatever single byte of a record is changed, the tag is not read as it was.
  @Test func everyChangedByteOfARecordIsFound() throws {
    let tag = try version("v1.0.0", commit: "c1", time: 1)
    let message = Array(try #require(tag.message).utf8)
    let start = try #require(message.firstIndex(of: UInt8(ascii: "{")))
    let original = ModelRegistry([tag]).models.values.first?.events.first
    for index in start..<(message.count - 1) {
      for flip: UInt8 in [1, 0x20] {
        var changed = message
        changed[index] ^= flip
        let text = String(decoding: changed, as: UTF8.self)
        let event = ModelRegistry([
          TagContent(name: tag.name, object: tag.object, commit: tag.commit, message: text, tagger: nil, time: 0)
        ]).models.values.first?.events.first
        // The tag object's own name changes with every byte: here only what the record says is compared.
        #expect(event?.problem != nil || event?.recordID != original?.recordID || event?.version == nil)
      }
    }
  }
}
