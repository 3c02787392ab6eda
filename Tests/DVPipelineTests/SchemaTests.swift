import DVObject
import DVPipeline
import Testing

/// All that the schema of `dvc.yaml` allows: what DVC 3.67 makes of each text is what dv makes of it, but for what is refused on purpose.
struct SchemaTests {
  private static let files = ["params.yaml": "lr: 0.1\n", "c.yaml": "x: 1\ny: 2\n", "sub/params.yaml": "lr: 5\n"]

  /// A stage as one line: its commands, inputs with files of parameters, outputs.
  private static func line(_ stage: Stage) -> String {
    let inputs = (stage.inputs + stage.parameters.map(\.file)).map(\.text).sorted().joined(separator: ",")
    return "\(stage.name): \(stage.commands.joined(separator: " && ")) | \(inputs) | \(stage.outputs.map(\.path.text).sorted().joined(separator: ","))"
  }

  /// Texts below `stages:`, after `vars`, and the stages that DVC prints for them.
  @Test(arguments: [
    ("", "s: {cmd: [echo a, echo b]}", ["s: echo a && echo b |  | "]),
    ("", "s: {cmd: echo, wdir: sub, deps: [d, ../e], params: [lr], outs: [o]}", ["s: echo | e,sub/d,sub/params.yaml | sub/o"]),
    ("", "s: {cmd: echo, deps: [o/], outs: [p/]}", ["s: echo | o | p"]),
    ("", "s: {cmd: echo, params: [lr, c.yaml: [x], d.yaml: null]}", ["s: echo | c.yaml,d.yaml,params.yaml | "]),
    ("", "s: {cmd: echo, outs: [o: {cache: false, persist: true, desc: d, type: t, labels: [a], meta: {x: 1}}]}", ["s: echo |  | o"]),
    ("", "s: {cmd: echo, metrics: [m.json, n.json: {cache: false}], plots: [p.csv, q.csv: {x: a, y: b, x_label: c, y_label: d, title: t, header: false, template: linear, cache: false}]}", ["s: echo |  | m.json,n.json,p.csv,q.csv"]),
    ("", "s: {cmd: echo, frozen: true, always_changed: true, desc: text, meta: anything}", ["s: echo |  | "]),
    ("", "s: {cmd: 'echo ${lr}'}", ["s: echo 0.1 |  | "]),
    ("", "s: {cmd: 'echo \\${lr}'}", ["s: echo ${lr} |  | "]),
    ("", "s: {cmd: \"echo '${lr}'\"}", ["s: echo '0.1' |  | "]),
    ("", "s: {vars: [q: 1], cmd: 'echo ${q}'}", ["s: echo 1 |  | "]),
    ("[c.yaml]", "s: {cmd: 'echo ${x}'}", ["s: echo 1 |  | "]),
    ("['c.yaml:y']", "s: {cmd: 'echo ${y}'}", ["s: echo 2 |  | "]),
    ("[{a: {b: 1}}, {a: {c: 2}}]", "s: {cmd: 'echo ${a.b}${a.c}'}", ["s: echo 12 |  | "]),
    ("[{a: [1, 2]}]", "s: {cmd: 'echo ${a[1]} ${a.0}'}", ["s: echo 2 1 |  | "]),
    ("[{a: {lr: 0.1, on: true, off: false, l: [1, 2], n: {m: 1}}}]", "s: {cmd: 'echo ${a}'}", ["s: echo --lr 0.1 --on --l 1 2 --n.m 1 |  | "]),
    ("[{a: null}]", "s: {cmd: 'echo x${a}'}", ["s: echo xNone |  | "]),
    ("[{a: true}]", "s: {cmd: 'echo x${a}'}", ["s: echo xtrue |  | "]),
    ("[{a: c.yaml, o: out, w: sub}]", "s: {cmd: echo, wdir: '${w}', deps: ['../${a}'], params: ['../${a}': [x]], outs: ['${o}': {cache: false}]}", ["s: echo | c.yaml,c.yaml | sub/out"]),
    ("", "s: {foreach: [a, b], do: {cmd: 'echo ${item}'}}", ["s@a: echo a |  | ", "s@b: echo b |  | "]),
    ("", "s: {foreach: [x: 1, x: 2], do: {cmd: 'echo ${item.x}'}}", ["s@0: echo 1 |  | ", "s@1: echo 2 |  | "]),
    ("", "s: {foreach: {p: {x: 1}, q: {x: 2}}, do: {cmd: 'echo ${key} ${item.x}'}}", ["s@p: echo p 1 |  | ", "s@q: echo q 2 |  | "]),
    ("[{l: [a, b]}]", "s: {foreach: '${l}', do: {cmd: 'echo ${item}', wdir: sub, deps: [../c.yaml], outs: ['o${item}']}}", ["s@a: echo a | c.yaml | sub/oa", "s@b: echo b | c.yaml | sub/ob"]),
    ("", "s: {foreach: [true, null, 1.5], do: {cmd: 'echo ${item}'}}", ["s@true: echo true |  | ", "s@None: echo None |  | ", "s@1.5: echo 1.5 |  | "]),
    ("", "s: {foreach: [a], do: {vars: [z: 1], cmd: 'echo ${item}${z}'}}", ["s@a: echo a1 |  | "]),
    ("", "s: {foreach: [], do: {cmd: echo}}", []),
    ("", "s: {matrix: {a: [1, 2], b: [x, y]}, cmd: 'echo ${item.a} ${item.b} ${key}'}", ["s@1-x: echo 1 x 1-x |  | ", "s@1-y: echo 1 y 1-y |  | ", "s@2-x: echo 2 x 2-x |  | ", "s@2-y: echo 2 y 2-y |  | "]),
    ("[{l: [1, 2]}]", "s: {matrix: {a: '${l}', b: [c: 1, c: 2]}, cmd: 'echo ${item.a} ${item.b.c}'}", ["s@1-b0: echo 1 1 |  | ", "s@1-b1: echo 1 2 |  | ", "s@2-b0: echo 2 1 |  | ", "s@2-b1: echo 2 2 |  | "]),
    ("", "a: &a {cmd: echo a, desc: d}\n  b: {<<: *a, cmd: echo b}", ["a: echo a |  | ", "b: echo b |  | "]),
  ] as [(String, String, [String])])
  func stagesAreThoseOfDVC(vars: String, stages: String, expected: [String]) throws {
    let text = (vars.isEmpty ? "" : "vars: \(vars)\n") + "stages:\n  \(stages)\n"
    let file = try PipelineText(text, files: Self.files).load()
    #expect(file.stages.map(Self.line) == expected, "\(text)")
    #expect(file.warnings.isEmpty)
  }

  /// Sections beside the stages.
  @Test(arguments: [
    "params: [c.yaml]\nmetrics: [m.json]\n", "plots: [p.csv, q.csv: {x: a, y: b}, r.csv: null]\n",
    "plots: [R: {x: {p.csv: a}, y: {p.csv: [b, c], q.csv: d}, title: t, x_label: l, y_label: m, template: simple}]\n",
    "plots: [q.csv: {y: [a, b]}]\n", "artifacts:\n  m: {path: o, type: model, desc: d, labels: [a], meta: {k: v}}\n", "stages: {}\n", "",
  ])
  func sectionsAreRead(text: String) throws { #expect(try PipelineText(text).load().warnings.isEmpty) }

  /// What is read and not acted on is said.
  @Test(arguments: [
    ("datasets: [{name: d, type: dvc, url: x}]\n", "'datasets' is read and not acted on"),
    ("stages:\n  s: {cmd: echo, outs: [o: {remote: r}]}\n", "'remote' of 'o' is not acted on"),
  ])
  func whatIsNotActedOnIsNamed(text: String, expected: String) throws {
    #expect(try PipelineText(text).load().warnings.first?.contains(expected) == true)
  }

  /// What DVC refuses, dv refuses; and what DVC takes and dv does not, with the reason.
  @Test(arguments: [
    ("stages:\n  s: {deps: [a]}\n", "no 'cmd'"), ("stages:\n  s:\n", "no 'cmd'"), ("stages:\n  'a@b': {cmd: echo}\n", "no name of a stage"),
    ("stages:\n  s: {cmd: echo, locked: true}\n", "unknown key 'locked'"), ("stages:\n  s: {cmd: echo, out: [a]}\n", "unknown key 'out'"),
    ("hydra: {}\n", "unknown key 'hydra'"), ("x: &x {cmd: echo}\nstages: {s: *x}\n", "unknown key 'x'"),
    ("vars: [nope.yaml]\n", "no file 'nope.yaml'"), ("vars: [{a: 1}, {a: 2}]\n", "gives it another"),
    ("vars: [{a: [1]}]\nstages:\n  s: {cmd: 'echo x${a}'}\n", "is a list"),
    ("vars: [{a: [d]}]\nstages:\n  s: {cmd: echo, deps: '${a}'}\n", "cannot stand here"),
    ("stages:\n  s: {cmd: 'echo ${nope}'}\n", "names no value"), ("stages:\n  s: {cmd: 'echo ${}'}\n", "is no name"),
    ("stages:\n  s: {foreach: [a], cmd: echo}\n", "unknown key 'cmd'"), ("stages:\n  s: {foreach: [a]}\n", "no 'do'"),
    ("stages:\n  s: {foreach: 3, do: {cmd: echo}}\n", "expected a list or a mapping"),
    ("stages:\n  s: {matrix: {a: [[1, 2]]}, cmd: 'echo ${item.a}'}\n", "is a list"),
    ("artifacts:\n  m: {type: model}\n", "has no 'path'"), ("artifacts:\n  m: {path: o, kind: x}\n", "unknown key 'kind'"),
    // DVC passes over the matrix, runs one stage of two of one name, and takes the letters of a text for a list.
    ("stages:\n  s: {foreach: [a], do: {matrix: {m: [1]}, cmd: echo}}\n", "'matrix' in its 'do'"),
    ("stages:\n  s: {foreach: [a, a], do: {cmd: echo}}\n", "twice"), ("stages:\n  s: {matrix: {a: xy}, cmd: echo}\n", "is no list"),
    // What is outside of the working tree no commit can vouch for.
    ("stages:\n  s: {cmd: echo, deps: ['https://x.y/z']}\n", "is a URL"), ("stages:\n  s: {cmd: echo, deps: ['ds://d']}\n", "is a URL"),
    ("stages:\n  s: {cmd: echo, deps: ['remote://r/k']}\n", "is a URL"), ("stages:\n  s: {cmd: echo, outs: ['s3://b/k']}\n", "is a URL"),
    ("stages:\n  s: {cmd: echo, deps: [/etc/passwd]}\n", "absolute"), ("stages:\n  s: {cmd: echo, outs: [../x]}\n", "leads out"),
    // DVC itself has it no more.
    ("stages:\n  s: {cmd: echo, outs: [o: {checkpoint: true}]}\n", "unknown key 'checkpoint'"),
  ])
  func theRestIsRefused(text: String, expected: String) {
    let error = #expect(throws: PipelineError.self) { try PipelineText(text, files: Self.files).load() }
    #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
  }
}
