import DVFile
import Foundation
import SystemPackage
import Testing

/// `dv repro`: what must run runs, and nothing else.
struct PipelineTests {
  private static let all = ["prepare", "featurize", "train", "evaluate"]

  private func every(_ decision: String) -> [String: String] {
    Dictionary(uniqueKeysWithValues: Self.all.map { ($0, decision) })
  }

  @Test func aPipelineRunsOnceAndThenNoMore() throws {
    let sandbox = try Sandbox()
    try sandbox.makePipeline()
    let dry = try sandbox.dv("repro", "--dry-run").succeed()
    #expect(dry.errorText.contains("prepare: run: it has not run yet"))
    #expect(dry.errorText.contains("evaluate: decided when"))
    #expect(try !sandbox.exists("model.json"))

    let first = try sandbox.dv("repro").succeed()
    #expect(first.text.contains("prepared 300 rows"))
    #expect(try sandbox.exists("model.json.dv") && !sandbox.exists("dv.lock"))
    #expect(try sandbox.read("model.json.dv").contains("\nrun sha256:"))
    // Pointers, ignore files, metrics and the four records are staged, nothing else is left over.
    let status = try sandbox.git("status", "--porcelain").text
    #expect(status.split(separator: "\n").allSatisfy { $0.hasPrefix("A ") || $0.hasPrefix("M ") }, "\(status)")
    #expect(status.contains("A  eval/metrics.json"))
    #expect(status.split(separator: "\n").count { $0.contains(".dv/records/") } == 4)
    try sandbox.commit("run")

    #expect(try sandbox.decisions() == every("up-to-date"))
    #expect(try sandbox.git("status", "--porcelain").text == "")
    #expect(try sandbox.runs().count == 4)
  }

  @Test func aChangedParameterRunsWhatDependsOnIt() throws {
    let sandbox = try Sandbox()
    try sandbox.makePipeline()
    try sandbox.dv("repro").succeed()
    try sandbox.commit("run")
    try sandbox.shell("sed -i 's/epochs: 5/epochs: 9/' params.yaml")
    let dry = try sandbox.dv("repro", "--dry-run").succeed().errorText
    #expect(dry.contains("train: run: parameter changed: params.yaml:train.epochs (5 -> 9)"))
    #expect(dry.contains("featurize: up to date"))
    try sandbox.dv("repro").succeed()
    let difference = try sandbox.dv("metrics", "diff", "--json").succeed().json["differences"] as? [[String: Any]]
    #expect(difference?.map { $0["name"] as? String } == ["mse"])
    #expect(try sandbox.dv("params", "diff").succeed().text.contains("train.epochs  5  9  +4"))
    try sandbox.commit("more epochs")

    // Another branch: its data is checked out, and nothing runs.
    try sandbox.git("checkout", "--quiet", "HEAD~1").succeed()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.decisions() == every("up-to-date"))
    try sandbox.git("checkout", "--quiet", "main").succeed()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.decisions() == every("up-to-date"))

    // The old value again: what was made then is restored, not made.
    try sandbox.shell("sed -i 's/epochs: 9/epochs: 5/' params.yaml")
    var expected = every("up-to-date")
    expected["train"] = "restore"
    expected["evaluate"] = "restore"
    #expect(try sandbox.decisions() == expected)
    #expect(try sandbox.git("diff", "HEAD~1", "--stat", "--", "*.dv", "eval", "params.yaml").text == "")
    #expect(try sandbox.runs().count == 6)
  }

  @Test func aCloneThatPullsRunsNothing() throws {
    let sandbox = try Sandbox()
    try sandbox.makePipeline()
    let share = sandbox.folder.appending("share")
    try share.createDirectories()
    try sandbox.dv("remote", "add", "origin", Sandbox.Argument(share)).succeed()
    try sandbox.dv("repro").succeed()
    try sandbox.commit("run")
    try sandbox.dv("push").succeed()
    try sandbox.git("clone", "--quiet", Sandbox.Argument(sandbox.work), "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    // Without any data first: pointers say what is there.
    #expect(try sandbox.decisions("--dry-run", in: clone) == every("up-to-date"))
    try sandbox.dv("pull", in: clone).succeed()
    #expect(try sandbox.decisions(in: clone) == every("up-to-date"))
    #expect(try sandbox.git("status", "--porcelain", in: clone).text == "")
    // What was printed came along.
    let run = try #require(try sandbox.runs().first { (($0["record"] as? [String: Any])?["stage"] as? String) == "prepare" })
    let id = try #require(run["run"] as? String)
    #expect(try sandbox.dv("runs", "show", "--log", .init(id), in: clone).succeed().text == "prepared 300 rows\n")
    // An output that is lost is restored.
    try clone.appending("model.json").removeFile()
    try clone.appending("model.json.dv").removeFile()
    #expect(try sandbox.decisions(in: clone)["train"] == "restore")
    #expect(try sandbox.git("status", "--porcelain", in: clone).text == "")
  }

  @Test func aStageThatFailsStopsWhatNeedsIt() throws {
    let sandbox = try Sandbox()
    try sandbox.makePipeline()
    try sandbox.shell("echo 'raise SystemExit(3)' > src/featurize.py; printf '  other:\\n    cmd: echo x > other.txt\\n    deps: [params.yaml]\\n    outs: [other.txt]\\n' > more; sed -i '/^plots:/,$d' dv.yaml; cat more >> dv.yaml; rm more")
    let failed = try sandbox.dv("repro", "--keep-going").exit(1)
    #expect(failed.errorText.contains("featurize: failed with exit code 3"))
    #expect(failed.errorText.contains("train: skipped, because 'featurize' failed"))
    #expect(try sandbox.exists("other.txt.dv") && !sandbox.exists("model.json"))
    let runs = try sandbox.runs().compactMap { $0["record"] as? [String: Any] }
    #expect(runs.contains { $0["status"] as? String == "failed" && $0["exit"] as? Int == 3 })
    // A failure is never taken for a result.
    #expect(try sandbox.decisions("--dry-run")["featurize"] == "run")
    #expect(try sandbox.dv("repro", "--dry-run").succeed().errorText.contains("featurize: run: its last run did not succeed: "))
  }

  @Test func independentStagesRunAtOnce() throws {
    let sandbox = try Sandbox()
    // Each waits for the other's file: only together they end.
    try sandbox.write(
      """
      stages:
        a: {cmd: "touch a.here; while [ ! -e b.here ]; do sleep 0.05; done; echo A > a", deps: [dv.yaml], outs: [a]}
        b: {cmd: "touch b.here; while [ ! -e a.here ]; do sleep 0.05; done; echo B > b", deps: [dv.yaml], outs: [b]}
        c: {cmd: "cat a b > c", deps: [a, b], outs: [c]}

      """, to: "dv.yaml")
    let outcome = try sandbox.run(
      ["timeout", "60", Sandbox.Argument(Sandbox.program), "repro", "--jobs", "2"]).succeed()
    #expect(outcome.errorText.contains("c: done"))
    #expect(try sandbox.read("c") == "A\nB\n")
  }

  @Test func selectionsFollowTheGraph() throws {
    let sandbox = try Sandbox()
    try sandbox.makePipeline()
    #expect(Set(try sandbox.decisions("featurize").keys) == ["prepare", "featurize"])
    try sandbox.shell("echo '# changed' >> src/featurize.py")
    #expect(Set(try sandbox.decisions("--downstream", "featurize", "--dry-run").keys) == ["featurize", "train", "evaluate"])
    #expect(Set(try sandbox.decisions("--single", "featurize", "--dry-run").keys) == ["featurize"])
    #expect(try sandbox.decisions("--force", "prepare")["prepare"] == "run")
    #expect(try sandbox.dv("dag", "--format", "dot").succeed().text.contains("\"featurize\" -> \"train\";"))
    try sandbox.dv("repro", "trian").exit(2)
  }

  /// What is in the way of an output is not lost.
  @Test func whatIsReplacedIsKept() throws {
    let sandbox = try Sandbox()
    try sandbox.makePipeline()
    try sandbox.dv("repro").succeed()
    try sandbox.write("by hand\n", to: "model.json")
    let outcome = try sandbox.dv("repro").succeed()
    #expect(outcome.errorText.contains("'model.json' was in the way; its bytes are kept in the store as sha256:"))
    #expect(try sandbox.read("model.json").hasPrefix("{\"w\":"))
  }

  @Test func errorsNameWhatIsWrong() throws {
    let sandbox = try Sandbox()
    try sandbox.write("stages:\n  a: {cmd: x, deps: [gone.csv]}\n", to: "dv.yaml")
    let missing = try sandbox.dv("repro").exit(2)
    #expect(missing.errorText.contains("'gone.csv', which the stage 'a' reads (dv.yaml line 2), does not exist"))
    try sandbox.write("stages:\n  a: {cmd: x, outs: [o]}\n  b: {cmd: y, outs: [o]}\n", to: "dv.yaml")
    #expect(try sandbox.dv("repro").exit(2).errorText.contains("Two stages make 'o'"))
    try sandbox.write("stages:\n  a: {cmd: x, dep: [o]}\n", to: "dv.yaml")
    #expect(try sandbox.dv("repro").exit(2).errorText.contains("unknown key 'dep'"))
  }
}
