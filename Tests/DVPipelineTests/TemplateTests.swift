import DVObject
import DVPipeline
import Testing

/// `${…}` in a `dv.yaml`.
struct TemplateTests {
  @Test func valuesComeFromParamsAndVars() throws {
    let file = try PipelineText(
      """
      vars:
      - extra.json:model
      - data: {dir: data}
        n: 3
      stages:
        train:
          vars:
          - local: deep
          cmd: python train.py --lr ${train.lr} -n ${n} ${local} \\${HOME} ${model.layers[1]}
          deps: ["${data.dir}/in.csv"]
          outs:
          - ${data.dir}/${local}.bin:
              persist: ${train.keep}
          params: [train.lr]
      """,
      files: [
        "params.yaml": "train:\n  lr: 1e-05\n  keep: true\n", "extra.json": "{\"model\": {\"layers\": [1, 2]}, \"other\": 1}",
      ]
    ).load()
    let stage = try #require(file.stages.first)
    #expect(stage.commands == ["python train.py --lr 1e-05 -n 3 deep ${HOME} 2"])
    #expect(stage.inputs.map(\.text) == ["data/in.csv"])
    #expect(stage.outputs.map(\.path.text) == ["data/deep.bin"])
    #expect(stage.outputs[0].isPersistent)
  }

  @Test func mappingsBecomeOptions() throws {
    let text = PipelineText(
      "stages:\n  a:\n    cmd: run ${opt}\n",
      files: ["params.yaml": "opt:\n  lr: 0.1\n  deep: true\n  slow: false\n  name: it's\n  l: [1, two]\n  n: {x: 1}\n"])
    #expect(
      try text.load().commands["a"] == ["run --lr 0.1 --deep --name 'it'\"'\"'s' --l 1 two --n.x 1"])
    var settings = ParsingSettings()
    settings.writesFalse = true
    settings.repeatsName = true
    #expect(
      try text.load(settings: settings).commands["a"]
        == ["run --lr 0.1 --deep --no-slow --name 'it'\"'\"'s' --l 1 --l two --n.x 1"])
  }

  @Test func foreachMakesStages() throws {
    let file = try PipelineText(
      """
      stages:
        plain:
          foreach: [us, 2, true]
          do: {cmd: "echo ${item}", outs: ["${item}.txt"]}
        named:
          foreach: {uk: {epochs: 3}, fr: {epochs: 4}}
          do: {cmd: "t ${key} ${item.epochs}"}
        complex:
          foreach: ${list}
          do: {cmd: "t ${item.a}"}
      """, files: ["params.yaml": "list: [{a: 1}, {a: 2}]"]
    ).load()
    #expect(
      file.stages.map(\.name)
        == ["plain@us", "plain@2", "plain@true", "named@uk", "named@fr", "complex@0", "complex@1"])
    #expect(file.commands["named@fr"] == ["t fr 4"])
    #expect(file.commands["complex@1"] == ["t 2"])
  }

  @Test func matrixMakesCombinations() throws {
    let file = try PipelineText(
      """
      stages:
        train:
          matrix:
            model: [cnn, xgb]
            feature: ${features}
            config: [{n: 1}]
          cmd: t ${item.model} ${item.feature} ${item.config.n} ${key}
      """, files: ["params.yaml": "features: [f1, f2]"]
    ).load()
    #expect(
      file.stages.map(\.name)
        == ["train@cnn-f1-config0", "train@cnn-f2-config0", "train@xgb-f1-config0", "train@xgb-f2-config0"])
    #expect(file.stages[3].commands == ["t xgb f2 1 xgb-f2-config0"])
  }

  @Test(arguments: [
    ("stages:\n  a:\n    cmd: x ${nope}\n", "line 3", ""), ("stages:\n  a:\n    cmd: x ${train.lrr}\n", "'train.lr'", ""),
    ("vars:\n- train: {lr: 3}\nstages: {}\n", "'train.lr' has a value from 'params.yaml'", ""),
    ("vars: [gone.yaml]\n", "no file 'gone.yaml'", ""), ("vars: ['params.yaml:train']\n", "whole file", ""),
    ("stages:\n  a:\n    cmd: x\n    deps: ['${train}']\n", "cannot stand here", ""),
    ("stages:\n  a:\n    foreach: 3\n    do: {cmd: x}\n", "expected a list or a mapping", ""),
    ("stages:\n  a:\n    foreach: [1, 1]\n    do: {cmd: x}\n", "twice", ""),
  ])
  func errorsNameLineAndCause(text: String, expected: String, _: String) {
    let error = #expect(throws: PipelineError.self) {
      try PipelineText(text, files: ["params.yaml": "train:\n  lr: 1\n"]).load()
    }
    #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
  }

  /// A matrix of long lists is refused before it is made.
  @Test func matricesAreBounded() {
    let list = "[" + (0..<300).map(String.init).joined(separator: ", ") + "]"
    let text = "stages:\n  a:\n    matrix: {x: \(list), y: \(list), z: \(list)}\n    cmd: x\n"
    let error = #expect(throws: PipelineError.self) { try PipelineText(text).load() }
    #expect(error?.code == .limit)
  }
}
