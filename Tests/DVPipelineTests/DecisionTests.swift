import DVObject
import DVPipeline
import Testing

/// Keys of stages, and what is decided about them, without a disk.
struct DecisionTests {
  private static func state(_ text: String, _ mode: ContentState.Mode = .file) -> ContentState {
    ContentState(mode: mode, oid: ObjectID(hashing: Array(text.utf8).span), size: UInt64(text.utf8.count))
  }

  private static func stage() throws -> Stage {
    var stage = Stage(name: "train", file: try StagePath("dv.yaml"), commands: ["python train.py"], workingDirectory: .root)
    stage.inputs = [try StagePath("train.py"), try StagePath("data")]
    stage.parameters = [ParameterSelection(file: try StagePath("params.yaml"), names: ["lr"])]
    stage.outputs = [Output(try StagePath("model")), Output(try StagePath("m.json"), role: .metric, isCached: false)]
    return stage
  }

  private static func key(_ stage: Stage, code: String = "code", data: String = "data", lr: JSONValue = 0.1) throws -> StageKey {
    StageKey(
      stage,
      inputs: [
        PathState(try StagePath("train.py"), state(code)), PathState(try StagePath("data"), state(data, .tree)),
      ], parameters: [ParameterValue(file: try StagePath("params.yaml"), name: "lr", value: lr)], environment: [])
  }

  private static func run(_ key: StageKey, model: String, end: Int64 = 1) throws -> PastRun {
    PastRun(
      record: ObjectID(hashing: Array("\(model) \(end)".utf8).span), key: key.id, commands: key.commands,
      workingDirectory: key.workingDirectory, inputs: key.inputs, parameters: key.parameters,
      outputs: [PathState(try StagePath("model"), state(model)), PathState(try StagePath("m.json"), state("m"))],
      environment: key.environment, end: end)
  }

  /// The key's one encoding and its digest are frozen: other machines and versions must find the same runs.
  @Test func theKeyIsFrozen() throws {
    let key = try Self.key(Self.stage())
    #expect(
      String(decoding: key.json.canonical(), as: UTF8.self)
        == "{\"cmd\":[\"python train.py\"],\"inputs\":[[\"data\",\"tree\",\"3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7\"],"
        + "[\"train.py\",\"file\",\"5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b\"]],\"key\":1,"
        + "\"outs\":[[\"m.json\",[\"no-cache\"]],[\"model\",[]]],\"params\":[[\"params.yaml\",\"lr\",0.1]],\"wdir\":\"\"}")
    #expect(key.id == ObjectID(hashing: key.json.canonical().span))
  }

  /// Neither names nor what is only said to people enter the key; all that decides about the result does.
  @Test func whatEntersTheKey() throws {
    let base = try Self.key(Self.stage()).id
    var stage = try Self.stage()
    stage.description = "other"
    stage.meta = ["x": 1]
    stage.inputs.reverse()
    #expect(try Self.key(stage).id == base)
    #expect(try Self.key(Self.stage(), code: "new").id != base)
    #expect(try Self.key(Self.stage(), lr: 0.2).id != base)
    for change in [
      { $0.commands = ["python3 train.py"] }, { $0.workingDirectory = (try? StagePath("src")) ?? .root },
      { $0.outputs[0].isPersistent = true }, { $0.outputs.removeLast() },
    ] as [(inout Stage) -> Void] {
      var stage = try Self.stage()
      change(&stage)
      #expect(try Self.key(stage).id != base)
    }
  }

  private func decide(
    _ runs: [PastRun], outputs: [String: ContentState] = ["model": state("M"), "m.json": state("m")],
    change: (inout Stage) -> Void = { _ in }, key: StageKey? = nil
  ) throws -> StageDecision {
    var stage = try Self.stage()
    change(&stage)
    let there = try Dictionary(uniqueKeysWithValues: outputs.map { (try StagePath($0.key), $0.value) })
    return StageQuestion(stage: stage, key: try key ?? Self.key(stage), runs: runs, outputs: there).decide()
  }

  @Test func aRunWithTheSameKeyAndOutputsIsUpToDate() throws {
    let run = try Self.run(Self.key(Self.stage()), model: "M")
    #expect(try decide([run]) == .upToDate(record: run.record))
  }

  @Test func whatChangedIsNamed() throws {
    let run = try Self.run(Self.key(Self.stage()), model: "M")
    let stage = try Self.stage()
    #expect(try decide([]) == .run(because: .unrecorded))
    #expect(try decide([], outputs: [:]) == .run(because: .neverRun))
    #expect(
      try decide([run], key: Self.key(stage, data: "new")) == .run(because: .inputChanged(path: try StagePath("data"))))
    #expect(
      try decide([run], key: Self.key(stage, lr: 0.2))
        == .run(because: .parameterChanged(file: try StagePath("params.yaml"), name: "lr", old: 0.1, new: 0.2)))
    #expect(try decide([run]) { $0.commands = ["x"] } == .run(because: .commandChanged))
    #expect(try decide([run]) { $0.outputs.removeLast() } == .run(because: .outputsDeclaredOtherwise))
    #expect(try decide([run]) { $0.isAlwaysChanged = true } == .run(because: .alwaysChanged))
    #expect(try decide([run]) { $0.isFrozen = true } == .frozen)
  }

  @Test func aStageWithoutInputsAlwaysRuns() throws {
    var stage = try Self.stage()
    stage.inputs = []
    stage.parameters = []
    let key = StageKey(stage, inputs: [], parameters: [], environment: [])
    let question = StageQuestion(stage: stage, key: key, runs: [try Self.run(key, model: "M")], outputs: [:])
    #expect(question.decide() == .run(because: .noInputs))
  }

  @Test func missingOutputsAreRestoredIfTheyCanBe() throws {
    var run = try Self.run(Self.key(Self.stage()), model: "M")
    let model = try StagePath("model")
    #expect(try decide([run], outputs: ["m.json": Self.state("m")]) == .run(because: .outputMissing(path: model)))
    run.canBeRestored = true
    #expect(
      try decide([run], outputs: ["m.json": Self.state("m")])
        == .restore(record: run.record, because: .outputMissing(path: model)))
    #expect(
      try decide([run], outputs: ["m.json": Self.state("m"), "model": Self.state("other")])
        == .restore(record: run.record, because: .outputChanged(path: model)))
  }

  /// What is there is never swapped for what another run with the same key made.
  @Test func ofSeveralRunsTheOneThatMatchesCounts() throws {
    let key = try Self.key(Self.stage())
    var old = try Self.run(key, model: "M", end: 1)
    var new = try Self.run(key, model: "N", end: 2)
    old.canBeRestored = true
    new.canBeRestored = true
    #expect(try decide([old, new]) == .upToDate(record: old.record))
    // Nothing is there: the newest, unless a pointer or the history names another.
    let nothing: [String: ContentState] = ["m.json": Self.state("m")]
    let reason = StageDecision.Reason.outputMissing(path: try StagePath("model"))
    #expect(try decide([old, new], outputs: nothing) == .restore(record: new.record, because: reason))
    old.isInHistory = true
    #expect(try decide([old, new], outputs: nothing) == .restore(record: old.record, because: reason))
    new.isNamedByPointers = true
    #expect(try decide([old, new], outputs: nothing) == .restore(record: new.record, because: reason))
  }

  @Test func parametersThatAreMissingAreNamed() throws {
    let selection = ParameterSelection(file: try StagePath("params.yaml"), names: ["train.lrr"])
    let error = #expect(throws: PipelineError.self) { try selection.values(in: ["train": ["lr": 1]]) }
    #expect(error?.message.contains("Did you mean 'train.lr'?") == true)
  }
}
