import DVFile
import Foundation
import SystemPackage
import Testing

/// A pipeline like that of DVC's own tutorial: prepare, featurize, train, evaluate, in Python without any package, on a small
/// set of data. The stages are in the form that `dvc.yaml` has.
extension Sandbox {
  /// Writes the pipeline's files, tracks its data and commits all.
  func makePipeline() throws {
    try write(
      """
      import json, sys
      def values(path):
          section, found = None, {}
          for line in open(path):
              if not line.strip():
                  continue
              name, _, value = line.strip().partition(":")
              if line.startswith(" "):
                  found[section][name] = float(value)
              else:
                  section = name
                  found[section] = {}
          return found
      """, to: "src/params.py")
    try write(
      """
      import os, random, sys
      from params import values
      p = values("params.yaml")["prepare"]
      rows = open(sys.argv[1]).read().splitlines()[1:]
      random.Random(p["seed"]).shuffle(rows)
      count = int(len(rows) * p["split"])
      os.makedirs("data/prepared", exist_ok=True)
      open("data/prepared/test.tsv", "w").write("\\n".join(rows[:count]) + "\\n")
      open("data/prepared/train.tsv", "w").write("\\n".join(rows[count:]) + "\\n")
      print("prepared", len(rows), "rows")
      """, to: "src/prepare.py")
    try write(
      """
      import os, sys
      from params import values
      top = int(values("params.yaml")["featurize"]["powers"])
      os.makedirs(sys.argv[2], exist_ok=True)
      for part in ("train", "test"):
          with open(f"{sys.argv[2]}/{part}.tsv", "w") as out:
              for line in open(f"{sys.argv[1]}/{part}.tsv"):
                  x, y = map(float, line.split("\\t"))
                  out.write("\\t".join(repr(x ** k) for k in range(1, top + 1)) + f"\\t{y!r}\\n")
      """, to: "src/featurize.py")
    try write(
      """
      import json, sys
      from params import values
      p = values("params.yaml")["train"]
      rows = [list(map(float, l.split("\\t"))) for l in open(f"{sys.argv[1]}/train.tsv")]
      w, b = [0.0] * (len(rows[0]) - 1), 0.0
      for _ in range(int(p["epochs"])):
          for r in rows:
              e = sum(a * c for a, c in zip(w, r)) + b - r[-1]
              w, b = [a - p["lr"] * e * c for a, c in zip(w, r)], b - p["lr"] * e
      json.dump({"w": w, "b": b}, open(sys.argv[2], "w"))
      """, to: "src/train.py")
    try write(
      """
      import json, os, sys
      model = json.load(open(sys.argv[1]))
      rows = [list(map(float, l.split("\\t"))) for l in open(f"{sys.argv[2]}/test.tsv")]
      error = [sum(a * c for a, c in zip(model["w"], r)) + model["b"] - r[-1] for r in rows]
      os.makedirs("eval/plots", exist_ok=True)
      json.dump({"mse": sum(e * e for e in error) / len(rows), "rows": len(rows)}, open("eval/metrics.json", "w"))
      json.dump([{"row": i, "error": e} for i, e in enumerate(error)], open("eval/plots/errors.json", "w"))
      """, to: "src/evaluate.py")
    try write(
      """
      prepare:
        split: 0.2
        seed: 20170428
      featurize:
        powers: 2
      train:
        epochs: 5
        lr: 0.01

      """, to: "params.yaml")
    try write(
      """
      # As DVC has it.
      stages:
        prepare:
          cmd: python3 src/prepare.py data/data.tsv
          deps: [data/data.tsv, src/prepare.py, src/params.py]
          params: [prepare.seed, prepare.split]
          outs: [data/prepared]
        featurize:
          cmd: python3 src/featurize.py data/prepared data/features
          deps: [data/prepared, src/featurize.py]
          params: [featurize]
          outs: [data/features]
        train:
          cmd: python3 src/train.py data/features model.json
          deps: [data/features, src/train.py]
          params: [train.epochs, train.lr]
          outs: [model.json]
        evaluate:
          cmd: python3 src/evaluate.py model.json data/features
          deps: [model.json, data/features, src/evaluate.py]
          metrics:
          - eval/metrics.json:
              cache: false
          outs: [eval/plots]
      plots:
      - eval/plots/errors.json: {x: row, y: error}

      """, to: "dv.yaml")
    try write("__pycache__/\n", to: ".gitignore")
    var rows = "x\ty\n"
    for number in 0..<300 { rows += "\(Double(number) / 300)\t\(Double(number * 7919 % 101) / 1000 + Double(number) / 100)\n" }
    try write(rows, to: "data/data.tsv")
    try dv("add", "data/data.tsv").succeed()
    try commit("pipeline")
  }

  /// What `dv repro --json` decided, by stage.
  @discardableResult
  func decisions(_ arguments: Argument..., in directory: FilePath? = nil) throws -> [String: String] {
    let command: [Argument] = [Argument(Self.program), "repro", "--json"]
    let report = try run(command + arguments, in: directory).json
    let stages = report["stages"] as? [[String: Any]] ?? []
    return stages.reduce(into: [:]) { found, stage in
      found[stage["stage"] as? String ?? ""] = stage["decision"] as? String
    }
  }

  /// All recorded runs, the oldest first.
  func runs() throws -> [[String: Any]] {
    try dv("runs", "list", "--json").succeed().json["runs"] as? [[String: Any]] ?? []
  }
}
