import DVFile
import Foundation
import SystemPackage
import Testing

/// Pipelines in the forms that DVC's public examples have, with small stages of our own: what runs there runs here after
/// the file has another name.
struct DVCExampleTests {
  /// As DVC's "get started" ends: directories as inputs and outputs, metrics and plots at the top that lie in an output.
  private static let getStarted = """
    stages:
      prepare:
        cmd: python3 src/prepare.py data/data.txt
        deps:
        - data/data.txt
        - src/prepare.py
        params:
        - prepare.seed
        - prepare.split
        outs:
        - data/prepared
      featurize:
        cmd: python3 src/featurization.py data/prepared data/features
        deps:
        - data/prepared
        - src/featurization.py
        params:
        - featurize.max_features
        - featurize.ngrams
        outs:
        - data/features
      train:
        cmd: python3 src/train.py data/features model.json
        deps:
        - data/features
        - src/train.py
        params:
        - train
        outs:
        - model.json
      evaluate:
        cmd: python3 src/evaluate.py model.json data/features
        deps:
        - data/features
        - model.json
        - src/evaluate.py
        outs:
        - eval
    artifacts:
      text-classification:
        path: model.json
        type: model
        desc: Detects questions about one topic.
        labels:
        - nlp
        - classification
    params:
    - params.yaml
    metrics:
    - eval/metrics.json
    plots:
    - eval/prc/test.json:
        x: recall
        y: precision
    - ROC:
        template: simple
        x: fpr
        y:
          eval/roc/train.json: tpr
          eval/roc/test.json: tpr
        x_label: False positives
    - Confusion-Matrix:
        template: confusion
        x: actual
        y:
          eval/cm/test.csv: predicted
    - eval/importance.csv:
        template: bar_horizontal_sorted
        x: weight
        y: name

    """

  @Test func getStartedRuns() throws {
    let sandbox = try Sandbox()
    try sandbox.write(Self.getStarted, to: "dvc.yaml")
    try sandbox.write(
      "prepare: {seed: 20170428, split: 0.2}\nfeaturize:\n  max_features: 100\n  ngrams: 1\ntrain: {seed: 1, n_est: 5}\n",
      to: "params.yaml")
    try sandbox.write((0..<200).map { "text number \($0)\n" }.joined(), to: "data/data.txt")
    try sandbox.write(
      "import os,sys\nos.makedirs('data/prepared')\nrows=open(sys.argv[1]).readlines()\n"
        + "open('data/prepared/train.txt','w').writelines(rows[40:])\nopen('data/prepared/test.txt','w').writelines(rows[:40])\n",
      to: "src/prepare.py")
    try sandbox.write(
      "import os,sys\nos.makedirs(sys.argv[2])\nfor p in ('train','test'):\n"
        + "  open(f'{sys.argv[2]}/{p}.txt','w').writelines(str(len(r))+'\\n' for r in open(f'{sys.argv[1]}/{p}.txt'))\n",
      to: "src/featurization.py")
    try sandbox.write(
      "import json,sys\nv=[int(r) for r in open(sys.argv[1]+'/train.txt')]\njson.dump({'mean':sum(v)/len(v)},open(sys.argv[2],'w'))\n",
      to: "src/train.py")
    try sandbox.write(
      """
      import json, os
      for d in ('eval/roc', 'eval/prc', 'eval/cm'): os.makedirs(d)
      json.dump({'avg_prec': {'test': 0.9}, 'roc_auc': {'test': 0.95}}, open('eval/metrics.json', 'w'))
      for p in ('train', 'test'):
          json.dump({'roc': [{'fpr': i / 10, 'tpr': (i / 10) ** .5, 'threshold': 1} for i in range(11)]}, open(f'eval/roc/{p}.json', 'w'))
      json.dump({'prc': [{'precision': 1 - i / 20, 'recall': i / 10} for i in range(11)]}, open('eval/prc/test.json', 'w'))
      open('eval/cm/test.csv', 'w').write('actual,predicted\\n' + '1,1\\n0,1\\n0,0\\n' * 5)
      open('eval/importance.csv', 'w').write('name,weight\\nwords,0.7\\nlength,0.2\\n')

      """, to: "src/evaluate.py")
    try sandbox.dv("add", "data/data.txt").succeed()
    try sandbox.git("add", "--all")
    try sandbox.git("mv", "dvc.yaml", "dv.yaml").succeed()
    let first = try sandbox.dv("repro").succeed()
    #expect(!first.errorText.contains("warning"), "\(first.errorText)")
    try sandbox.commit("run")
    #expect(Set(try sandbox.decisions().values) == ["up-to-date"])
    let metrics = try sandbox.dv("metrics", "show").succeed().text
    #expect(metrics.contains("avg_prec.test") && metrics.contains("0.95"), "\(metrics)")
    let outcome = try sandbox.dv("plots", "HEAD", "--json").succeed()
    #expect(outcome.errorText == "")
    let plots = try #require(try outcome.json["plots"] as? [[String: Any]])
    #expect(plots.map { $0["name"] as? String } == ["eval/prc/test.json", "ROC", "Confusion-Matrix", "eval/importance.csv"])
    #expect(plots.map { ($0["series"] as? [Any])?.count } == [1, 2, 1, 1])
    try sandbox.dv("plots", "-o", "page.html").succeed()
    #expect(try sandbox.read("page.html").contains("tpr of train.json"))
  }

  /// Values from several files, lists and mappings that make many stages, another working directory, lists of commands,
  /// parameters in other formats, files that git tracks, a frozen stage, and a pipeline in a folder that includes nothing.
  @Test func templatesRun() throws {
    let sandbox = try Sandbox()
    try sandbox.write(
      """
      vars:
      - models:
          small: {depth: 2, features: [a, b]}
          large: {depth: 8, features: [a, b, c]}
      - config/extra.json:out
      - greeting: hello
      stages:
        clean:
          foreach: [us, uk]
          do:
            wdir: work
            cmd: >-
              mkdir -p ${out.dir} &&
              tr a-z A-Z < ../raw/${item}.txt > ${out.dir}/${item}.txt
            deps: ["../raw/${item}.txt"]
            outs:
            - ${out.dir}/${item}.txt
        fit:
          foreach: ${models}
          do:
            cmd:
            - echo ${item} > ${key}.txt
            - cat work/${out.dir}/us.txt work/${out.dir}/uk.txt >> ${key}.txt
            deps: ["work/${out.dir}"]
            params:
            - models.toml: ["${key}.rate"]
            - settings.py: [SEED]
            outs:
            - ${key}.txt: {cache: false, desc: "the ${key} model"}
        grid:
          matrix:
            model: [small, large]
            rate: [0.1, 1]
          cmd: echo '{"score":' ${item.rate} '}' > scores/${item.model}-${item.rate}.json
          deps: ["${item.model}.txt"]
          metrics:
          - scores/${item.model}-${item.rate}.json: {cache: false}
        ancient:
          cmd: exit 1
          deps: [raw]
          outs: [ancient.bin]
          frozen: true
        report:
          cmd: echo ${greeting} \\${HOME} > report.txt
          deps: [small.txt, large.txt]
          outs:
          - report.txt:
              persist: true
          always_changed: false
          meta: {owner: us}

      """, to: "dv.yaml")
    try sandbox.write("{\"out\": {\"dir\": \"clean\"}, \"other\": 1}", to: "config/extra.json")
    try sandbox.write("[small]\nrate = 0.1\n[large]\nrate = 0.01\n", to: "models.toml")
    try sandbox.write("SEED = 7\nclass Net:\n    width = 3\n", to: "settings.py")
    for name in ["us", "uk"] { try sandbox.write("\(name)\n", to: "raw/\(name).txt") }
    try sandbox.write("made long ago\n", to: "ancient.bin")
    try sandbox.write("work is here\n", to: "work/README")
    try sandbox.write(
      "stages:\n  live:\n    cmd: >-\n      mkdir -p plots && printf 'step\\tacc\\n0\\t0.5\\n1\\t0.6\\n' > plots/acc.tsv && echo 'acc: 0.6' > m.yaml\n"
        + "    deps: [../report.txt]\n    outs: [plots: {cache: false}]\nmetrics: [m.yaml]\nplots:\n- plots: {x: step}\n",
      to: "live/dv.yaml")
    try sandbox.commit("pipeline")
    let outcome = try sandbox.dv("repro", "-j", "4").succeed()
    #expect(try sandbox.read("work/clean/us.txt") == "US\n")
    #expect(try sandbox.read("small.txt") == "--depth 2 --features a b\nUS\nUK\n")
    #expect(try sandbox.read("scores/large-0.1.json") == "{\"score\": 0.1 }\n")
    #expect(try sandbox.read("report.txt").hasPrefix("hello /"))
    try sandbox.commit("run")
    let decisions = try sandbox.decisions()
    #expect(decisions.count == 11 && decisions.filter { $0.value != "up-to-date" } == ["ancient": "frozen"], "\(outcome.errorText)")
    let scores = try sandbox.dv("metrics", "show").succeed().text
    #expect(scores.contains("scores/small-1.json") && scores.contains("live/m.yaml") && scores.contains("0.6"))
    // One value of one stage: only what depends on it runs.
    try sandbox.shell("sed -i 's/0.01/0.02/' models.toml")
    let changed = try sandbox.decisions("--dry-run").filter { $0.value != "up-to-date" && $0.value != "frozen" }
    #expect(Set(changed.keys) == ["fit@large", "grid@large-0.1", "grid@large-1", "report", "live/dv.yaml:live"])
    let plots = try #require(try sandbox.dv("plots", "--json").succeed().json["plots"] as? [[String: Any]])
    #expect(plots.map { $0["name"] as? String } == ["live/plots/acc.tsv"])
  }
}
