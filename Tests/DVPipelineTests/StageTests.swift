import DVObject
import DVPipeline
import Testing

/// The schema of stages, and the graph they make.
struct StageTests {
  @Test func allOfAStageIsRead() throws {
    let file = try PipelineText(
      """
      params: [more.yaml]
      metrics: [eval/top.json]
      plots:
      - eval/plots
      - ROC:
          template: simple
          x: fpr
          y: {eval/roc.json: tpr}
      artifacts:
        model: {path: model.pkl, type: model, labels: [a], meta: {x: 1}}
      stages:
        train:
          cmd: [python a.py, python b.py]
          wdir: src
          deps: [train.py, ../data/raw]
          params: [lr, {../conf.toml: [a.b, c]}, {all.json: }]
          outs:
          - ../model.pkl: {cache: true, desc: weights, push: false}
          - out
          metrics:
          - m.json: {cache: false}
          plots:
          - p.csv: {x: a, y: b, cache: false}
          env: {variables: [OMP_NUM_THREADS], lock: ../uv.lock, packages: [torch, python]}
          frozen: true
          always_changed: false
          desc: trains
          meta: {owner: "${nobody}"}
      """
    ).load()
    let stage = try #require(file.stages.first)
    #expect(stage.commands == ["python a.py", "python b.py"])
    #expect(stage.workingDirectory.text == "src")
    #expect(stage.inputs.map(\.text) == ["src/train.py", "data/raw"])
    #expect(stage.parameters.map(\.file.text) == ["src/params.yaml", "conf.toml", "src/all.json"])
    #expect(stage.parameters.map(\.names) == [["lr"], ["a.b", "c"], []])
    #expect(stage.outputs.map(\.path.text) == ["model.pkl", "src/out", "src/m.json", "src/p.csv"])
    #expect(stage.outputs.map(\.isCached) == [true, true, false, false])
    #expect(stage.outputs.map(\.role) == [.data, .data, .metric, .plot])
    #expect(!stage.outputs[0].isPushed)
    #expect(stage.environment.lockFiles.map(\.text) == ["uv.lock"])
    #expect(stage.isFrozen && !stage.isAlwaysChanged)
    #expect(stage.meta == ["owner": "${nobody}"])
    #expect(file.metrics.map(\.text) == ["eval/top.json"])
    #expect(file.plots.map(\.name) == ["eval/plots", "ROC"])
    #expect(file.artifacts["model"]?["path"] == "model.pkl")
  }

  @Test(arguments: [
    ("stages:\n  a:\n    cmd: x\n    dep: [y]\n", "line 4"), ("stages:\n  a:\n    dependz: 1\n    cmd: x\n", "unknown key"),
    ("stages:\n  a: {}\n", "no 'cmd'"), ("stages: []\n", "expected a mapping"), ("stages:\n  'a b': {cmd: x}\n", "no name of a stage"),
    ("stages:\n  a: {cmd: x, outs: [.git]}\n", "cannot be an output"), ("stages:\n  a: {cmd: x, outs: [.]}\n", "cannot be an output"),
    ("stages:\n  a: {cmd: x, wdir: sub, outs: [..]}\n", "cannot be an output"),
    ("stages:\n  a: {cmd: x, metrics: [sub/.GIT/x: {cache: false}]}\n", "cannot be an output"),
    ("stages:\n  a: {cmd: x, outs: [.dv/config]}\n", "cannot be an output"),
    ("stages:\n  a: {cmd: x, outs: [/abs]}\n", "absolute"), ("stages:\n  a: {cmd: x, deps: [../up]}\n", "leads out"),
    ("stages:\n  a: {cmd: x, deps: ['s3://b/k']}\n", "URL"), ("stages:\n  a: {cmd: x, frozen: maybe}\n", "true or false"),
    ("stages:\n  a: {cmd: x, outs: [b, b]}\n", "twice"), ("stages:\n  a: {cmd: x, outs: {b: {cache: 1}}}\n", "expected a list"),
    ("stages:\n  a: {cmd: x, outs: [b: {cach: true}]}\n", "unknown key 'cach'"), ("stagez: {}\n", "unknown key 'stagez'"),
  ])
  func errorsNameWhatIsWrong(text: String, expected: String) {
    let error = #expect(throws: PipelineError.self) { try PipelineText(text).load() }
    #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
  }

  private static let diamond = """
    stages:
      evaluate: {cmd: e, deps: [model.pkl, features/test.csv], metrics: [m.json: {cache: false}]}
      train: {cmd: t, deps: [features], outs: [model.pkl]}
      featurize: {cmd: f, deps: [prepared], outs: [features]}
      prepare: {cmd: p, deps: [raw.csv], outs: [prepared]}
      other: {cmd: o}
    """

  @Test func stagesComeAfterThoseTheyNeed() throws {
    let graph = try PipelineText(Self.diamond).graph()
    #expect(graph.stages.map(\.name) == ["prepare", "featurize", "train", "evaluate", "other"])
    #expect(graph.upstream == [[], [0], [1], [1, 2], []])
    #expect(graph.closure(of: [2]) == [0, 1, 2])
    #expect(graph.closure(of: [1], downstream: true) == [1, 2, 3])
    #expect(try graph.positions(named: "train") == [2])
    #expect(try graph.positions(named: "model.pkl") == [2])
    #expect(try graph.positions(named: "dv.yaml").count == 5)
    let error = #expect(throws: PipelineError.self) { try graph.positions(named: "trian") }
    #expect(error?.message.contains("Did you mean 'train'") == true)
  }

  @Test func graphsAreShownInThreeWays() throws {
    let graph = try PipelineText(Self.diamond).graph()
    let all = Array(graph.stages.indices)
    #expect(
      GraphText.text.rendering(graph, all)
        == "prepare\nfeaturize <- prepare\ntrain <- featurize\nevaluate <- featurize, train\nother\n")
    #expect(GraphText.dot.rendering(graph, [0, 1]) == "digraph dv {\n  \"prepare\";\n  \"featurize\";\n  \"prepare\" -> \"featurize\";\n}\n")
    #expect(GraphText.mermaid.rendering(graph, [0, 1]) == "flowchart TD\n  n0[\"prepare\"]\n  n1[\"featurize\"]\n  n0 --> n1\n")
  }

  @Test(arguments: [
    ("stages:\n  a: {cmd: x, outs: [o]}\n  b: {cmd: y, outs: [o]}\n", "Two stages make 'o': 'a' (dv.yaml line 2) and 'b'"),
    ("stages:\n  a: {cmd: x, outs: [d]}\n  b: {cmd: y, outs: [d/f]}\n", "lies in 'd'"),
    (
      "stages:\n  a: {cmd: x, deps: [c], outs: [a]}\n  b: {cmd: y, deps: [a], outs: [b]}\n  c: {cmd: z, deps: [b], outs: [c]}\n",
      "a needs c needs b needs a"
    ), ("stages:\n  a: {cmd: x, deps: [o], outs: [o]}\n", "as input and as output"),
  ])
  func graphsThatMakeNoSenseAreExplained(text: String, expected: String) {
    let error = #expect(throws: PipelineError.self) { try PipelineText(text).graph() }
    #expect(error?.code == .graph)
    #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
  }

  /// A long chain does not exhaust the stack, and is put in order in the time its length asks for.
  @Test func longChainsAreOrdered() throws {
    let stages = try (0..<20_000).reversed().map { number in
      var stage = Stage(name: "s\(number)", file: try StagePath("dv.yaml"), commands: ["x"], workingDirectory: .root)
      stage.inputs = [try StagePath("f\(number)")]
      stage.outputs = [Output(try StagePath("f\(number + 1)"))]
      return stage
    }
    #expect(try StageGraph(stages).stages.first?.name == "s0")
  }

  /// What is written is read back as the same stage.
  @Test func stagesAreWrittenAsTheyAreRead() throws {
    var stage = Stage(
      name: "train", file: try StagePath("dv.yaml"), line: 2, commands: ["python -c 'print(\"a: #b ${X}\")'"],
      workingDirectory: try StagePath("src"))
    stage.inputs = [try StagePath("src/a: b"), try StagePath("data")]
    stage.parameters = [
      ParameterSelection(file: try StagePath("src/params.yaml"), names: ["lr", "1"]),
      ParameterSelection(file: try StagePath("p.toml"), names: []),
    ]
    stage.outputs = [
      Output(try StagePath("model"), isPersistent: true), Output(try StagePath("true")),
      Output(try StagePath("m.json"), role: .metric, isCached: false),
    ]
    stage.isAlwaysChanged = true
    stage.description = "- it's \"odd\"\n"
    let text = "stages:\n" + StageText(stage).lines.map { $0 + "\n" }.joined()
    let read = try #require(try PipelineText(text).load().stages.first)
    #expect(StageText(read).lines == StageText(stage).lines)
    #expect(read.commands == stage.commands && read.inputs == stage.inputs && read.outputs == stage.outputs)
    #expect(read.parameters == stage.parameters && read.description == stage.description)
  }

  @Test func wordsOfCommandsAreFound() {
    #expect(ShellWord.words(of: "python 'a b' c\\ d \"e 'f'\" ''") == ["python", "a b", "c d", "e 'f'", ""])
    #expect(ShellWord.line(["a", "b c", "it's", ""]) == "a 'b c' 'it'\"'\"'s' ''")
  }
}
