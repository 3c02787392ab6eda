import DVFile
import Foundation
import SystemPackage
import Testing

/// `dv run`: whatever becomes of a command, a record says so.
struct RunTests {
  @Test func aRunIsRecorded() throws {
    let sandbox = try Sandbox()
    try sandbox.makePipeline()
    // Without its stages: one of them makes what the run is to make.
    try sandbox.git("rm", "--quiet", "dv.yaml").succeed()
    try sandbox.write("PASSWORD=x\n", to: ".env")
    try sandbox.git("add", "--force", ".env")
    let outcome = try sandbox.run(
      [
        Sandbox.Argument(Sandbox.program), "run", "--json", "-d", "data/data.tsv", "-d", "src/prepare.py", "-p", "prepare.seed,prepare.split",
        "-o", "data/prepared", "--", "python3", "src/prepare.py", "data/data.tsv",
      ], environment: ["OMP_NUM_THREADS": "3", "MY_TOKEN": "very secret", "DV_SEED": "17"]
    ).succeed()
    let record = try #require(try outcome.json["record"] as? [String: Any])
    #expect(record["status"] as? String == "complete")
    #expect(record["cmd"] as? [String] == ["python3 src/prepare.py data/data.tsv"])
    #expect((record["inputs"] as? [[String: Any]])?.compactMap { $0["path"] as? String } == ["data/data.tsv", "src/prepare.py"])
    #expect((record["outputs"] as? [[String: Any]])?.compactMap { $0["mode"] as? String } == ["tree"])
    #expect(record["user"] as? String == "Ada <ada@example.com>")
    #expect(record["seed"] as? String == "17")
    #expect((record["memory"] as? Int).map { $0 > 1 << 20 } == true)
    #expect(record["base"] as? String == (try sandbox.git("rev-parse", "HEAD").text.trimmingCharacters(in: .newlines)))
    #expect(outcome.errorText.contains("Left out of the recorded code, as they may hold secrets: '.env'"))
    #expect(outcome.errorText.contains("prepared 300 rows"))
    let id = try #require(try outcome.json["run"] as? String)
    #expect(try sandbox.dv("runs", "show", "--log", .init(id)).succeed().text == "prepared 300 rows\n")
    // Nothing that was recorded, in whatever form, has the secret.
    let found = try sandbox.run(["grep", "-rl", "very secret", ".git/dv", ".dv"])
    #expect(found.text == "")
    let shown = try sandbox.dv("runs", "show", .init(String(id.dropFirst(7).prefix(8)))).succeed().text
    #expect(shown.contains("parameter    params.yaml:prepare.seed = 20170428"))
  }

  @Test func aNamedRunBecomesAStage() throws {
    let sandbox = try Sandbox()
    try sandbox.write("one\n", to: "in.txt")
    try sandbox.git("add", "in.txt")
    try sandbox.dv("run", "-n", "copy", "-d", "in.txt", "-o", "out.txt", "--", "cp", "in.txt", "out.txt").succeed()
    #expect(
      try sandbox.read("dv.yaml")
        == "stages:\n  copy:\n    cmd: cp in.txt out.txt\n    deps:\n    - in.txt\n    outs:\n    - out.txt\n")
    #expect(try sandbox.decisions() == ["copy": "up-to-date"])
    // A line for the shell, added below, with the comment kept.
    try sandbox.shell("sed -i '1i # mine' dv.yaml")
    try sandbox.dv("run", "-n", "count", "-d", "out.txt", "-M", "n.json", "--", "echo {\\\"n\\\": $(wc -l < out.txt)} > n.json").succeed()
    #expect(try sandbox.read("dv.yaml").hasPrefix("# mine\nstages:\n  copy:"))
    #expect(try sandbox.dv("metrics", "show").succeed().text == "n.json  n  1\n")
    #expect(try sandbox.decisions() == ["copy": "up-to-date", "count": "up-to-date"])
    // Another stage of that name is not replaced unasked.
    try sandbox.dv("run", "-n", "copy", "-o", "out.txt", "--", "touch", "out.txt").exit(2)
    try sandbox.dv("run", "-n", "copy", "-f", "-d", "in.txt", "-o", "out.txt", "--", "cp", "-p", "in.txt", "out.txt").succeed()
    #expect(try sandbox.read("dv.yaml").contains("  copy:\n    cmd: cp -p in.txt out.txt\n"))
    // An output of another stage is refused before anything runs.
    try sandbox.dv("run", "-o", "out.txt", "--", "touch", "ran").exit(2)
    #expect(try !sandbox.exists("ran"))
  }

  @Test func failuresKeepTheirExitCode() throws {
    let sandbox = try Sandbox()
    let failed = try sandbox.dv("run", "-o", "out", "--", "echo said; exit 7").exit(7)
    #expect(failed.text == "said\n")
    try sandbox.dv("run", "-o", "out", "--", "true").exit(1)
    try sandbox.dv("run", "--", "no-such-program").exit(127)
    let runs = try sandbox.runs().compactMap { $0["record"] as? [String: Any] }
    #expect(runs.map { $0["status"] as? String } == ["failed", "failed", "failed"])
    #expect(try !sandbox.exists("out.dv"))
    // Failed runs stay in the clone and out of git.
    #expect(try sandbox.git("status", "--porcelain").text == "")
  }

  /// Ctrl-C: the command gets it too, and the record says that it was interrupted.
  @Test func interruptedRunsLeaveARecord() throws {
    let sandbox = try Sandbox()
    let outcome = try sandbox.shell(
      "dv run -o out -- 'trap \"echo bye; exit 4\" INT; touch started; while true; do sleep 0.1; done' > log 2>&1 & pid=$!\n"
        + "while [ ! -e started ]; do sleep 0.05; done; kill -TERM $pid; code=0; wait $pid || code=$?; cat log; exit $code")
    #expect(outcome.code == 130, "\(outcome.text)\(outcome.errorText)")
    #expect(outcome.text.contains("bye"))
    let record = try #require(try sandbox.runs().last?["record"] as? [String: Any])
    #expect(record["status"] as? String == "interrupted")
  }

  @Test func killedCommandsLeaveARecord() throws {
    let sandbox = try Sandbox()
    try sandbox.dv("run", "--", "kill -9 $$").exit(1)
    let record = try #require(try sandbox.runs().last?["record"] as? [String: Any])
    #expect(record["status"] as? String == "killed" && record["signal"] as? Int == 9)
  }

  /// kill -9 of dv itself: the next command records that nobody knows how it ended, and the tree can be used.
  @Test func runsWhoseDVWasKilledAreRecorded() throws {
    let sandbox = try Sandbox()
    try sandbox.write("stages:\n  s: {cmd: 'touch started; sleep 2; echo x > out', deps: [dv.yaml], outs: [out]}\n", to: "dv.yaml")
    try sandbox.shell(
      "dv repro > log 2>&1 & pid=$!\nwhile [ ! -e started ]; do sleep 0.05; done; kill -9 $pid; wait $pid || true")
    let record = try #require(try sandbox.runs().last?["record"] as? [String: Any])
    #expect(record["status"] as? String == "abandoned" && record["stage"] as? String == "s")
    #expect(try sandbox.decisions() == ["s": "run"])
    #expect(try sandbox.read("out") == "x\n")
    #expect(try sandbox.runs().count == 2)
  }

  /// Killed or interrupted wherever: a record says so, nothing runs on, and the tree can be used at once.
  @Test(arguments: [false, true])
  func nothingRunsOnAfterAKill(dv: Bool) throws {
    let sandbox = try Sandbox()
    try sandbox.write(
      "stages:\n  s: {cmd: 'sh s.sh', deps: [in], outs: [out]}\n", to: "dv.yaml")
    // With a child that takes no notice of a request to end.
    try sandbox.write(
      "echo $$ > pids; (trap '' TERM HUP; sleep 300 & echo $! >> pids; wait) & echo $! >> pids\necho half > out; echo said; touch started; sleep 300; echo whole > out\n",
      to: "s.sh")
    try sandbox.write("1\n", to: "in")
    try sandbox.commit("stage")
    let outcome = try sandbox.shell(
      """
      dv repro > log 2>&1 & pid=$!
      for i in $(seq 600); do [ ! -e started ] || break; sleep 0.05; done
      if [ \(dv) = true ]; then kill -9 $pid; else kill -9 -$(cut -d' ' -f5 /proc/$(head -1 pids)/stat); fi
      wait $pid || true
      running() { for p in $(cat pids); do case $(cut -d' ' -f3 /proc/$p/stat 2>/dev/null || echo gone) in gone|Z|X) ;; *) return 0 ;; esac; done; return 1; }
      for i in $(seq 200); do running || break; sleep 0.1; done
      running && echo running || echo ended
      """)
    #expect(outcome.text == "ended\n", "\(outcome.text)\(outcome.errorText)")
    let record = try #require(try sandbox.runs().last?["record"] as? [String: Any])
    #expect(record["status"] as? String == (dv ? "abandoned" : "killed"))
    let id = try #require(try sandbox.runs().last?["run"] as? String)
    #expect(try sandbox.dv("runs", "show", "--log", .init(id)).succeed().text == "said\n")
    #expect(try sandbox.path(".git/dv/tmp").listDirectory().isEmpty)
    #expect(try sandbox.git("status", "--porcelain", "--untracked-files=no").text == "")
    try sandbox.write("echo whole > out\n", to: "s.sh")
    try sandbox.dv("repro").succeed()
    #expect(try sandbox.read("out") == "whole\n" && sandbox.decisions() == ["s": "up-to-date"])
    #expect(try sandbox.runs().count == 2)
    try sandbox.dv("fsck").succeed()
  }

  /// Two runs in one clone form a chain.
  @Test func recordsFormAChain() throws {
    let sandbox = try Sandbox()
    for _ in 0..<3 { try sandbox.dv("run", "--", "true").succeed() }
    let runs = try sandbox.runs()
    let chains = runs.compactMap { ($0["record"] as? [String: Any])?["chain"] as? [Any] }
    #expect(chains.compactMap { $0[1] as? Int }.sorted() == [1, 2, 3])
    let ids = Set(runs.compactMap { ($0["run"] as? String)?.dropFirst(7) }.map(String.init))
    #expect(chains.compactMap { $0.count > 2 ? $0[2] as? String : nil }.allSatisfy { ids.contains($0) })
  }

  /// More than fits a record is kept all the same.
  @Test func largeRunsAreRecorded() throws {
    let sandbox = try Sandbox()
    let names = (0..<60).map { "o\($0)" }
    var command: [Sandbox.Argument] = [Sandbox.Argument(Sandbox.program), "run", "-n", "many", "-d", "in"]
    for name in names { command += ["-o", .init(name)] }
    try sandbox.write("x\n", to: "in")
    try sandbox.run(command + ["--", .init("for i in \(names.joined(separator: " ")); do cp in $i; done")]).succeed()
    #expect(try sandbox.decisions() == ["many": "up-to-date"])
    let record = try #require(try sandbox.runs().last?["record"] as? [String: Any])
    #expect((record["outputs"] as? [Any])?.count == 60)
    let sizes = try sandbox.shell("find .dv/records -type f -size +2048c | wc -l").text
    #expect(sizes == "0\n")
  }

  /// Garbage collection leaves what recorded runs need.
  @Test func collectionKeepsWhatRunsNeed() throws {
    let sandbox = try Sandbox()
    try sandbox.write("1\n", to: "in")
    try sandbox.git("add", "in")
    try sandbox.dv("run", "-n", "s", "-d", "in", "-o", "out", "--", "cat in in > out; echo printed").succeed()
    let run = try #require(try sandbox.runs().last?["run"] as? String)
    try sandbox.write("2\n", to: "in")
    try sandbox.decisions()
    try sandbox.dv("gc", "--now").succeed()
    #expect(try sandbox.dv("runs", "show", "--log", .init(run)).succeed().text == "printed\n")
    try sandbox.write("1\n", to: "in")
    #expect(try sandbox.decisions() == ["s": "restore"])
    #expect(try sandbox.read("out") == "1\n1\n")
  }
}
