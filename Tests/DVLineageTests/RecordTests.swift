import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVTesting
import SystemPackage
import Testing

/// Records, and those of runs among them. Test vectors: `docs/format/record.md`.
struct RecordTests {
  private static func state(_ path: String, _ text: String, _ mode: ContentState.Mode = .file) throws -> PathState {
    PathState(
      try StagePath(path),
      ContentState(mode: mode, oid: ObjectID(hashing: Array(text.utf8).span), size: UInt64(text.utf8.count)))
  }

  private static func run() throws -> RunRecord {
    var run = RunRecord()
    run.stage = "train"
    run.key = ObjectID(hashing: Array("key".utf8).span)
    run.commands = ["python train.py"]
    run.inputs = [try state("data", "data", .tree), try state("train.py", "code")]
    run.parameters = [ParameterValue(file: try StagePath("params.yaml"), name: "lr", value: 0.1)]
    run.outputs = [try state("metrics.json", "m"), try state("model.pkl", "model", .exec)]
    run.uncached = [try StagePath("metrics.json")]
    run.metrics = [(try StagePath("metrics.json"), ["auc": 0.75])]
    run.exitCode = 0
    run.start = 1_790_000_000_000
    run.end = 1_790_000_060_000
    run.processorTime = 59_000
    run.peakMemory = 1 << 30
    run.code = RunRecord.StoredObject(ObjectID(hashing: Array("code".utf8).span), size: 4)
    run.base = "0123456789abcdef0123456789abcdef01234567"
    run.environment = RunRecord.StoredObject(ObjectID(hashing: Array("environment".utf8).span), size: 11)
    run.log = RunRecord.StoredObject(ObjectID(hashing: Array("log".utf8).span), size: 3)
    run.user = "Ada <ada@example.com>"
    run.chain = RunRecord.ChainLink(clone: "c10e", sequence: 2, previous: ObjectID(hashing: Array("previous".utf8).span))
    return run
  }

  /// The encoding is frozen: a record's name is the digest of these bytes.
  @Test func theEncodingIsFrozen() throws {
    let (record, details) = try Self.run().encoded()
    #expect(details == nil)
    #expect(String(decoding: record.bytes, as: UTF8.self) == RecordVectors.run)
    #expect(record.id.hex == RecordVectors.runID)
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let run = try Self.run()
    let record = try run.encoded().record
    let read = try RunRecord(try Record(decoding: record.bytes, named: record.id))
    #expect(read.json == run.json)
    #expect(read.outputs == run.outputs && read.uncached == run.uncached)
    #expect(read.pastRun(record.id)?.key == run.key)
    #expect(!read.isPartial)
  }

  /// What does not fit goes to an object; without it the record says that it is not all.
  @Test func whatDoesNotFitGoesToAnObject() throws {
    var run = try Self.run()
    run.outputs = try (0..<40).map { try Self.state("out/\($0)", "\($0)") }
    run.parameters = try (0..<40).map { ParameterValue(file: try StagePath("p.yaml"), name: "n\($0)", value: .integer(Int64($0))) }
    let (record, details) = try run.encoded()
    #expect(record.bytes.count <= Record.maximumByteCount)
    let stored = try #require(details)
    let named = try #require(RunRecord.details(of: record))
    #expect(named.id == stored.id && named.size == UInt64(stored.bytes.count))
    let whole = try RunRecord(record, details: stored.bytes)
    #expect(whole.json == run.json)
    let partial = try RunRecord(record)
    #expect(partial.isPartial && partial.pastRun(record.id) == nil)
    #expect(throws: RecordError.self) { try RunRecord(record, details: stored.bytes + [0x20]) }
    #expect(try RunRecord(journal: run.json).json == run.json)
  }

  /// Lists and look-ups read no details, unless these may hold the stage.
  @Test func summariesNeedDetailsOnlyForTheStage() throws {
    var run = try Self.run()
    run.parameters = try (0..<80).map { ParameterValue(file: try StagePath("p.yaml"), name: "n\($0)", value: .integer(Int64($0))) }
    let (long, details) = try run.encoded()
    #expect(details != nil)
    #expect(try RunSummary(long) == RunSummary(long.id, run))

    run.commands = [String(repeating: "x", count: 3000)]
    let (longer, _) = try run.encoded()
    #expect(longer.json["cmd"] == nil)
    let summary = try #require(try RunSummary(longer))
    #expect(summary.stage == "train" && summary.key == run.key && summary.command.isEmpty)

    run.stage = nil
    let (nameless, rest) = try run.encoded()
    #expect(try RunSummary(nameless) == nil)
    let whole = try RunRecord(nameless, details: try #require(rest).bytes)
    #expect(RunSummary(nameless.id, whole).command == String(repeating: "x", count: 80))
  }

  @Test func alteredRecordsAreRefused() throws {
    let record = try Self.run().encoded().record
    var bytes = record.bytes
    let place = try #require(bytes.firstIndex(of: UInt8(ascii: "7")))
    bytes[place] = UInt8(ascii: "8")
    let error = #expect(throws: RecordError.self) { try Record(decoding: bytes, named: record.id) }
    #expect(error?.code == .altered)
  }

  @Test(arguments: [
    "{\"version\":1}", "[]", "{\"type\":\"run\", \"version\":1}", "{\"type\":\"run\",\"version\":\"1\"}", "",
  ])
  func whatIsNoRecordIsRefused(text: String) {
    #expect(throws: RecordError.self) { try Record(decoding: Array(text.utf8)) }
  }

  @Test(arguments: [
    "\"status\":\"odd\"", "\"end\":1,\"start\":1", "\"end\":1,\"key\":\"x\",\"start\":1,\"status\":\"failed\"",
    "\"end\":1,\"outputs\":[{\"path\":\"../x\"}],\"start\":1,\"status\":\"failed\"",
    "\"end\":1,\"params\":[1],\"start\":1,\"status\":\"failed\"",
  ])
  func runsThatMakeNoSenseAreRefused(members: String) throws {
    let text = "{\(members),\"type\":\"run\",\"version\":1}"
    #expect(throws: RecordError.self) { try RunRecord(try Record(decoding: Array(text.utf8))) }
  }

  @Test func recordsLieUnderTheirNames() throws {
    try withTemporaryDirectory { directory in
      let records = RecordDirectory(directory.appending("records"))
      #expect(try records.names() == [])
      let record = try Self.run().encoded().record
      try records.write(record)
      try records.write(record)
      #expect(try records.names() == [record.id])
      #expect(try records.read(record.id) == record)
      try records.file(of: record.id).replaceContent(with: Array("{}".utf8).span)
      #expect(throws: RecordError.self) { try records.read(record.id) }
      try records.remove(record.id)
      #expect(try records.read(record.id) == nil)
    }
  }
}

/// Sources of imported data.
struct SourceRecordTests {
  @Test func sourcesAreReadAsTheyWereWritten() throws {
    let oid = ObjectID(hashing: Array("x".utf8).span)
    let origins: [SourceRecord.Origin] = [
      .repository(url: "https://host/data", path: "raw", revision: "v1", commit: String(repeating: "ab", count: 20)),
      .repository(url: "../data", path: ".", revision: nil, commit: nil),
      .location(url: "https://host/f?x=1", version: .init(tag: "\"e\"", modified: "Sat, 28 Nov 2026 11:00:00 GMT", size: 7)),
      .location(url: "/mnt/f", version: nil),
    ]
    for origin in origins {
      var source = SourceRecord(
        origin, data: PathState(try StagePath("a/b"), ContentState(mode: .tree, oid: oid, size: 9)), files: 3, time: 1_790_000_000_000)
      source.user = "Ada <ada@example.com>"
      source.chain = .init(clone: "c10e", sequence: 1, previous: nil)
      let record = try source.encoded()
      let read = try SourceRecord(try Record(decoding: record.bytes, named: record.id))
      #expect(read.origin == origin && read.data == source.data && read.files == 3 && read.time == source.time)
      #expect(read.user == source.user && read.chain == source.chain)
    }
    for member in ["url", "data", "time"] {
      var json = SourceRecord(
        origins[0], data: PathState(try StagePath("a"), ContentState(mode: .file, oid: oid, size: 9)), files: nil, time: 1).json
      json[member] = nil
      let record = try Record(json)
      #expect(throws: RecordError.self) { try SourceRecord(record) }
    }
  }
}
