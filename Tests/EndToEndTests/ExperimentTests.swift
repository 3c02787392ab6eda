import DVFile
import Foundation
import SystemPackage
import Testing

/// `dv exp`: other parameters in working trees of their own.
struct ExperimentTests {
  private static func made() throws -> Sandbox {
    let sandbox = try Sandbox()
    try sandbox.makePipeline()
    try sandbox.dv("repro", "--quiet").succeed()
    try sandbox.commit("made")
    return sandbox
  }

  /// Everything of the user's: files, index, branches.
  private static func state(_ sandbox: Sandbox) throws -> String {
    try sandbox.shell(
      """
      git status --porcelain=v2 --branch; git branch --all --verbose; git stash list
      find . -path ./.git -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
      """).text
  }

  private static func experiments(_ sandbox: Sandbox, _ arguments: Sandbox.Argument..., in directory: FilePath? = nil) throws -> [[String: Any]] {
    let command: [Sandbox.Argument] = [Sandbox.Argument(Sandbox.program), "exp", "list", "--json"]
    return try sandbox.run(command + arguments, in: directory).succeed().json["experiments"] as? [[String: Any]] ?? []
  }

  @Test func experimentsLeaveTheTreeAlone() throws {
    let sandbox = try Self.made()
    // Changes that are not committed are a part of it.
    try sandbox.shell("sed -i 's/^train:/# fewer\\ntrain:/; s/epochs: 5/epochs: 4/' params.yaml; echo '# mine' >> src/train.py; echo x > untracked")
    let before = try Self.state(sandbox)
    let outcome = try sandbox.dv("exp", "run", "--json", "-n", "low", "--set", "train.lr=0.001").succeed()
    #expect(try Self.state(sandbox) == before)
    #expect(try sandbox.git("worktree", "list").text.split(separator: "\n").count == 1)
    let item = try #require((try outcome.json["experiments"] as? [[String: Any]])?.first)
    #expect(item["name"] as? String == "low")
    let stages = try #require(item["stages"] as? [[String: Any]])
    #expect(stages.map { $0["decision"] as? String } == ["up-to-date", "up-to-date", "run", "run"])
    let train = try #require(((item["params"] as? [String: Any])?["params.yaml"] as? [String: Any])?["train"] as? [String: Any])
    #expect(train["lr"] as? Double == 0.001 && train["epochs"] as? Int == 4)
    // The commit has code, parameters with their comment, pointers and the record that they name.
    #expect(try sandbox.git("show", "refs/dv/exp/low:params.yaml").succeed().text.contains("# fewer\ntrain:\n  epochs: 4\n  lr: 0.001\n"))
    #expect(try sandbox.git("show", "refs/dv/exp/low:src/train.py").succeed().text.hasSuffix("# mine\n"))
    let pointer = try sandbox.git("show", "refs/dv/exp/low:model.json.dv").succeed().text
    let run = try #require(pointer.split(separator: "\n").last?.split(separator: ":").last).prefix(64)
    #expect(try sandbox.git("show", "refs/dv/exp/low:.dv/records/\(String(run.prefix(2)))/\(String(run)).json").succeed().text.contains("\"stage\":\"train\""))
    #expect(try sandbox.git("show", "refs/dv/exp/low:untracked").code != 0)
    #expect(try sandbox.git("rev-parse", "refs/dv/exp/low^").text == sandbox.git("rev-parse", "HEAD").text)
    // The same again is restored, not run, and a name is not taken twice.
    try sandbox.dv("exp", "run", "-n", "low").exit(2)
    let again = try sandbox.dv("exp", "run", "--json", "--set", "train.lr=0.001").succeed()
    let second = try #require((try again.json["experiments"] as? [[String: Any]])?.first?["stages"] as? [[String: Any]])
    #expect(second.map { $0["decision"] as? String } == ["up-to-date", "up-to-date", "restore", "restore"])
    // dv reproduce knows experiments too.
    try sandbox.dv("reproduce", "--quiet", "refs/dv/exp/low", "train").succeed()
    #expect(try Self.state(sandbox) == before)
  }

  @Test func gridsAreListedAndCompared() throws {
    let sandbox = try Self.made()
    let before = try Self.state(sandbox)
    try sandbox.dv(
      "exp", "run", "-n", "g", "--grid", "train.lr=0.1,0.01", "--grid", "featurize.powers=1,2,3", "--set", "train.epochs=2", "-j", "3").succeed()
    #expect(try Self.state(sandbox) == before)
    let all = try Self.experiments(sandbox)
    #expect(Set(all.compactMap { $0["name"] as? String }) == ["g-1", "g-2", "g-3", "g-4", "g-5", "g-6"])
    let few = try Self.experiments(
      sandbox, "--filter", "params.train.lr < 0.05 and (params.featurize.powers >= 2 or name = 'g-1')", "--sort", "params.featurize.powers", "--desc")
    #expect(few.compactMap { $0["name"] as? String } == ["g-6", "g-5"])
    let best = try Self.experiments(sandbox, "--filter", "metrics.mse > 0", "--sort", "metrics.mse", "--limit", "2")
    let errors = best.compactMap { (($0["metrics"] as? [String: Any])?["eval/metrics.json"] as? [String: Any])?["mse"] as? Double }
    #expect(errors.count == 2 && errors == errors.sorted())
    let table = try sandbox.dv("exp", "list").succeed().text
    #expect(table.split(separator: "\n").count == 7)
    #expect(table.contains("params.train.lr") && table.contains("metrics.mse") && !table.contains("prepare.seed"))
    let compared = try sandbox.dv("exp", "compare", "g-1", "g-2").succeed().text
    #expect(compared.contains("params.featurize.powers") && !compared.contains("params.train.lr"))
    #expect(try sandbox.dv("exp", "show", "g-4").succeed().text.contains("set         train.epochs=2"))
    #expect(try sandbox.dv("exp", "list", "--filter", "metrics.mse >").exit(2).errorText.contains("makes no sense"))
    try sandbox.dv("exp", "rm", "g-1", "g-2").succeed()
    #expect(try Self.experiments(sandbox).count == 4)
    // A wrong name is told before anything runs.
    #expect(try sandbox.dv("exp", "run", "--set", "train.epoch=3").exit(2).errorText.contains("Did you mean 'train.epochs'?"))
    try sandbox.dv("exp", "rm", "--all").succeed()
    #expect(try Self.experiments(sandbox).isEmpty)
  }

  @Test func experimentsAreApplied() throws {
    let sandbox = try Self.made()
    try sandbox.dv("exp", "run", "-n", "x", "--quiet", "--set", "train.lr=0.002").succeed()
    // Work of the user's is never overwritten unasked.
    try sandbox.shell("cp params.yaml keep; echo 'mine: 1' >> params.yaml")
    let refused = try sandbox.dv("exp", "apply", "x").exit(7)
    #expect(refused.errorText.contains("params.yaml"))
    #expect(try sandbox.read("params.yaml").hasSuffix("mine: 1\n"))
    #expect(try sandbox.git("diff", "--cached", "--name-only").text == "")
    try sandbox.shell("mv keep params.yaml; echo changed > model.json")
    #expect(try sandbox.dv("exp", "apply", "x").exit(7).errorText.contains("model.json"))
    try sandbox.dv("checkout", "--force", "model.json").succeed()
    try sandbox.dv("exp", "apply", "x").succeed()
    #expect(try sandbox.read("params.yaml").contains("lr: 0.002"))
    #expect(try sandbox.dv("status", "--json").succeed().json["clean"] as? Bool == true)
    #expect(try sandbox.decisions().values.allSatisfy { $0 == "up-to-date" })
    #expect(try sandbox.git("diff", "--cached", "--name-only").text.contains("model.json.dv"))
    try sandbox.dv("exp", "branch", "x", "better").succeed()
    #expect(try sandbox.git("rev-parse", "better").text == sandbox.git("rev-parse", "refs/dv/exp/x").text)
    try sandbox.dv("exp", "branch", "x", "better").exit(2)
  }

  @Test func experimentsAreShared() throws {
    let sandbox = try Self.made()
    let (git, data, clone) = (sandbox.folder.appending("git"), sandbox.folder.appending("data"), sandbox.folder.appending("clone"))
    try data.createDirectories()
    try sandbox.git("init", "--quiet", "--bare", "--initial-branch=main", .init(git)).succeed()
    try sandbox.git("remote", "add", "origin", .init(git)).succeed()
    try sandbox.dv("remote", "add", "store", .init(data)).succeed()
    try sandbox.commit("remote")
    try sandbox.git("push", "--quiet", "origin", "main").succeed()
    try sandbox.dv("push", "--quiet").succeed()
    try sandbox.dv("exp", "run", "-n", "shared", "--quiet", "--set", "train.lr=0.003").succeed()
    try sandbox.dv("exp", "push").succeed()
    try sandbox.git("clone", "--quiet", .init(git), .init(clone)).succeed()
    #expect(try Self.experiments(sandbox, in: clone).isEmpty)
    try sandbox.dv("exp", "pull", in: clone).succeed()
    #expect(try Self.experiments(sandbox, in: clone).count == 1)
    try data.removeTree()
    try sandbox.dv("exp", "apply", "shared", in: clone).succeed()
    #expect(try clone.appending("model.json").fileStat() != nil)
  }

  /// What stands behind an experiment of somebody else's is kept by gc, and pushed on.
  @Test func runsBehindPulledExperimentsAreKeptAndPushed() throws {
    let sandbox = try Self.made()
    func folder(_ name: String) throws -> FilePath {
      try sandbox.folder.appending(name).createDirectories()
      return sandbox.folder.appending(name)
    }
    let (git, first, second) = (try folder("git"), try folder("first"), try folder("second"))
    try sandbox.git("init", "--quiet", "--bare", "--initial-branch=main", .init(git)).succeed()
    try sandbox.git("remote", "add", "origin", .init(git)).succeed()
    try sandbox.dv("remote", "add", "store", .init(first)).succeed()
    try sandbox.commit("remote")
    try sandbox.git("push", "--quiet", "origin", "main").succeed()
    try sandbox.dv("exp", "run", "-n", "shared", "--quiet", "--set", "train.lr=0.003").succeed()
    let run = try #require(try sandbox.runs().last { ($0["record"] as? [String: Any])?["stage"] as? String == "train" }?["run"] as? String)
    let record = try #require(try sandbox.dv("runs", "show", "--json", .init(run)).succeed().json["record"] as? [String: Any])
    let objects = try ["code", "environment"].map { name in try #require((record[name] as? [Any])?.first as? String) }
    try sandbox.dv("exp", "push").succeed()
    try sandbox.git("clone", "--quiet", .init(git), "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    try sandbox.dv("exp", "pull", in: clone).succeed()
    try first.removeTree()
    try sandbox.dv("gc", "--now", in: clone).succeed()
    // With the data, the code and the surroundings: it can be made again, without the remote and its maker.
    try sandbox.git("checkout", "--quiet", "refs/dv/exp/shared", in: clone).succeed()
    let again = try sandbox.dv("reproduce", "HEAD", "train", in: clone)
    #expect(again.text.contains("Verdict: identical") && !again.text.contains("MISSING"), "\(again.text)\(again.errorText)")
    try sandbox.git("checkout", "--quiet", "main", in: clone).succeed()
    try sandbox.dv("remote", "add", "other", .init(second), in: clone).succeed()
    try sandbox.dv("exp", "push", "-r", "other", in: clone).succeed()
    try sandbox.git("clone", "--quiet", .init(git), "../third").succeed()
    let third = sandbox.folder.appending("third")
    try sandbox.dv("remote", "add", "other", .init(second), in: third).succeed()
    try sandbox.dv("exp", "pull", "-r", "other", in: third).succeed()
    let found = try sandbox.dv("reproduce", "--dry-run", "--json", "refs/dv/exp/shared", "train", in: third).succeed().json
    let stage = try #require((found["stages"] as? [[String: Any]])?.first)
    #expect(stage["codePlace"] as? String == "here" && stage["environmentKnown"] as? Bool == true && stage["code"] as? String == "sha256:\(objects[0])")
  }

  /// Failures, kill -9, missing data: nothing stays behind, and others go on.
  @Test func failedExperimentsAreNone() throws {
    let sandbox = try Sandbox()
    try sandbox.write("n: 1\nlist: [1, 2]\n", to: "params.yaml")
    try sandbox.write(
      """
      stages:
        one:
          cmd: test ${n} != 2 || exit 1; if test ${n} = 3; then sleep 30; fi; cp in.txt out.txt; echo '{"n":${n}}' > m.json
          deps: [in.txt]
          params: [n]
          outs: [out.txt]
          metrics: [m.json: {cache: false}]

      """, to: "dv.yaml")
    try sandbox.write("in\n", to: "in.txt")
    try sandbox.dv("add", "in.txt").succeed()
    try sandbox.commit()
    let outcome = try sandbox.dv("exp", "run", "--json", "--grid", "n=2,1").exit(1)
    let items = try #require(try outcome.json["experiments"] as? [[String: Any]])
    #expect(items[0]["name"] is NSNull && items[0]["failure"] as? String == "the stage 'one' failed")
    #expect(items[1]["name"] is String)
    #expect(try Self.experiments(sandbox).count == 1)
    try sandbox.shell(
      """
      '\(Sandbox.program.string)' exp run --set n=3 > /dev/null 2>&1 &
      dv=$!
      for i in $(seq 100); do test -n "$(ls .git/dv/running 2>/dev/null)" && break; sleep 0.1; done
      sleep 0.3; kill -9 $dv; wait $dv || true
      """)
    #expect(try sandbox.git("worktree", "list").text.split(separator: "\n").count == 2)
    try sandbox.dv("exp", "run", "--set", "n=4").succeed()
    #expect(try sandbox.git("worktree", "list").text.split(separator: "\n").count == 1)
    #expect(try sandbox.runs().compactMap { ($0["record"] as? [String: Any])?["status"] as? String }.contains("abandoned"))
    // Data that is nowhere.
    let clone = sandbox.folder.appending("clone")
    try sandbox.git("clone", "--quiet", .init(sandbox.work), .init(clone)).succeed()
    try sandbox.dv("exp", "run", "--set", "n=9", in: clone).exit(3)
    #expect(try sandbox.git("worktree", "list", in: clone).text.split(separator: "\n").count == 1)
  }
}
