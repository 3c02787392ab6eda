import DVFile
import Foundation
import SystemPackage
import Testing

/// `dv reproduce`: every verdict, with real commands.
struct ReproduceTests {
  /// A pipeline of three shell and Python stages that is run and committed.
  private static func made(_ train: String = "") throws -> Sandbox {
    let sandbox = try Sandbox()
    try sandbox.write("3\n1\n2\n", to: "data/raw.txt")
    try sandbox.write(
      """
      import json, os, random, struct, sys, time, zipfile
      rows = [float(line) for line in open("sorted.txt")]
      rng = random.Random(7)
      weights = [sum(rows) * rng.random() for _ in range(4)]
      \(train)
      open("model.bin", "wb").write(struct.pack("<4d", *weights))
      json.dump({"loss": sum(weights), "n": len(rows)}, open("metrics.json", "w"))
      """, to: "train.py")
    try sandbox.write(
      """
      stages:
        sort:
          cmd: sort data/raw.txt > sorted.txt
          deps: [data/raw.txt]
          outs: [sorted.txt]
        train:
          cmd: python3 train.py
          deps: [sorted.txt, train.py]
          outs: [model.bin]
          metrics:
          - metrics.json: {cache: false}

      """, to: "dv.yaml")
    try sandbox.dv("add", "data/raw.txt").succeed()
    try sandbox.git("add", "train.py", "dv.yaml").succeed()
    try sandbox.dv("repro").succeed()
    try sandbox.commit("made")
    return sandbox
  }

  private static func reproduce(_ sandbox: Sandbox, _ arguments: Sandbox.Argument...) throws -> Sandbox.Outcome {
    let command: [Sandbox.Argument] = [Sandbox.Argument(Sandbox.program), "reproduce", "--json"]
    return try sandbox.run(command + arguments)
  }

  private static func verdicts(_ outcome: Sandbox.Outcome) throws -> [String: String] {
    (try outcome.json["stages"] as? [[String: Any]] ?? []).reduce(into: [:]) { found, stage in
      found[stage["stage"] as? String ?? ""] = stage["verdict"] as? String
    }
  }

  /// What became of making runs again is listed, told with the run, and travels with it.
  @Test func reproductionsAreRecordedBesideTheirRuns() throws {
    let sandbox = try Self.made()
    try sandbox.dv("reproduce", "HEAD").succeed()
    try sandbox.write("open('metrics.json','w').write('{}'); open('model.bin','w').write('other')\n", to: "train.py")
    try sandbox.commit("other code")
    try sandbox.dv("reproduce", "--as-committed", "HEAD", "train").exit(1)
    let listed = try sandbox.dv("runs", "list", "--reproductions").succeed().text.split(separator: "\n").map(String.init)
    #expect(listed.count == 3 && listed[0].contains("identical") && listed[0].hasSuffix("sort") && listed[2].contains("different"), "\(listed)")
    let items = try #require(try sandbox.dv("runs", "list", "--reproductions", "--json").succeed().json["reproductions"] as? [[String: Any]])
    let run = try #require(items[2]["run"] as? String)
    let id = try #require(items[2]["reproduction"] as? String)
    let shown = try sandbox.dv("runs", "show", .init(run)).succeed().text
    #expect(shown.contains("made again   identical at") && shown.contains("made again   different at"))
    #expect((try sandbox.dv("runs", "show", "--json", .init(run)).succeed().json["reproductions"] as? [[String: Any]])?.count == 2)
    let own = try sandbox.dv("runs", "show", .init(String(id.dropFirst(7).prefix(10)))).succeed().text
    #expect(own.contains("of run        \(run.dropFirst(7))") && own.contains("asked for     --as-committed") && own.contains("model.bin"), "\(own)")
    // Staged like the records of runs: a clone has them.
    #expect(try sandbox.git("diff", "--cached", "--name-only").text.split(separator: "\n").filter { $0.hasPrefix(".dv/records/") }.count == 1)
    try sandbox.commit("reproduced")
    try sandbox.git("clone", "--quiet", .init(sandbox.work), "../clone").succeed()
    let there = try sandbox.dv("runs", "list", "--reproductions", in: sandbox.folder.appending("clone")).succeed().text
    #expect(there.split(separator: "\n").count == 3)
    #expect(try sandbox.dv("lineage", .init(run), "--down").succeed().text.contains("reproduc"))
  }

  /// An interpreter that no version of the code has is that of the user's tree, and the plan says so.
  @Test func interpretersOfTheUsersTreeAreBorrowed() throws {
    let sandbox = try Sandbox()
    try sandbox.shell("mkdir -p .venv/bin && touch .venv/pyvenv.cfg && ln -s $(command -v python3) .venv/bin/python && echo .venv/ > .gitignore")
    try sandbox.write("import json; n = float(open('params.yaml').read().split()[1]); json.dump(n, open('sub/out.json', 'w'))\n", to: "make.py")
    try sandbox.write("n: 1\n", to: "params.yaml")
    try sandbox.write("", to: "sub/.gitkeep")
    try sandbox.write(
      "stages:\n  s: {cmd: 'cd .. && .venv/bin/python make.py', wdir: sub, deps: [../make.py], params: [../params.yaml: [n]], outs: [out.json]}\n  t: {cmd: '../.venv/bin/python -c \"print(1)\" > t', wdir: sub, deps: [out.json], outs: [t]}\n",
      to: "dv.yaml")
    try sandbox.commit("stage")
    try sandbox.dv("repro").succeed()
    try sandbox.commit("made")
    let plan = try sandbox.dv("reproduce", "--dry-run", "HEAD", "t").succeed().text
    #expect(plan.contains("interpreter: '.venv' of your working tree is used, which git does not version"), "\(plan)")
    let outcome = try Self.reproduce(sandbox, "HEAD", "t").succeed()
    #expect(try Self.verdicts(outcome) == ["t": "identical"])
    let experiment = try sandbox.dv("exp", "run", "--set", "n=2").succeed()
    #expect(experiment.errorText.contains("Uses '.venv' of your working tree"), "\(experiment.errorText)")
    try sandbox.shell("rm -r .venv")
    let blocked = try sandbox.dv("reproduce", "HEAD", "t").exit(1)
    #expect(blocked.text.contains("blocked: '.venv/bin/python', which the command runs, is not in your working tree"), "\(blocked.text)")
  }

  @Test func anOldCommitIsIdentical() throws {
    let sandbox = try Self.made()
    // The user goes on: other code, other data, a tree full of changes.
    try sandbox.write("print('broken')\nraise SystemExit(3)\n", to: "train.py")
    try sandbox.write("9\n", to: "data/raw.txt")
    try sandbox.dv("add", "data/raw.txt").succeed()
    try sandbox.commit("later")
    try sandbox.write("dirty\n", to: "train.py")
    try sandbox.write("new\n", to: "untracked.txt")
    let before = try sandbox.shell("git status --porcelain=v2 | grep -v .dv/records/; find . -path ./.git -prune -o -path ./.dv/records -prune -o -type f -print0 | sort -z | xargs -0 sha256sum").text

    let plan = try sandbox.dv("reproduce", "--dry-run", "HEAD~1").succeed().text
    #expect(plan.contains("Plan: 2 runs of commit"))
    #expect(plan.contains("1. sort"))
    #expect(plan.contains("$ python3 train.py"))
    #expect(plan.contains("data/raw.txt") && plan.contains("here"))
    #expect(plan.contains("code-mismatch") == false)

    let outcome = try Self.reproduce(sandbox, "HEAD~1").succeed()
    #expect(try Self.verdicts(outcome) == ["sort": "identical", "train": "identical"])
    #expect(try outcome.json["verdict"] as? String == "identical")
    let metrics = try #require(try outcome.json["metrics"] as? [[String: Any]])
    #expect(metrics.map { $0["name"] as? String } == ["loss", "n"])
    #expect(metrics.allSatisfy { $0["recorded"] as? Double == $0["reproduced"] as? Double })
    let after = try sandbox.shell("git status --porcelain=v2 | grep -v .dv/records/; find . -path ./.git -prune -o -path ./.dv/records -prune -o -type f -print0 | sort -z | xargs -0 sha256sum").text
    #expect(before == after)
    #expect(try sandbox.git("worktree", "list").text.split(separator: "\n").count == 1)
    // The record of the reproduction names the run.
    let stage = try #require((try outcome.json["stages"] as? [[String: Any]])?.first)
    let record = try #require(stage["record"] as? String).dropFirst("sha256:".count)
    let text = try sandbox.read(".git/dv/records/\(record.prefix(2))/\(record).json")
    let run = try #require(stage["run"] as? String)
    #expect(text.contains("\"type\":\"reproduction\"") && text.contains(run.dropFirst(7)))
    // A single run, by its ID, and one stage of the commit.
    #expect(try Self.verdicts(Self.reproduce(sandbox, .init(run)).succeed()) == ["sort": "identical"])
    #expect(try Self.verdicts(Self.reproduce(sandbox, "HEAD~1", "train").succeed()) == ["train": "identical"])
    try sandbox.dv("model", "register", "small", "model.bin", "--version", "v1.0.0").succeed()
    #expect(try Self.verdicts(Self.reproduce(sandbox, "small@v1.0.0").succeed()) == ["sort": "identical", "train": "identical"])
    try sandbox.dv("reproduce", "small@v2.0.0").exit(2)
    try sandbox.dv("reproduce", "HEAD~1", "nothing").exit(2)
    try sandbox.dv("reproduce", "no-such-thing").exit(2)
  }

  /// Without its seed, training comes out differently: with the names of what differs, and within a tolerance if it is wide.
  @Test func aRemovedSeedIsSeen() throws {
    let sandbox = try Self.made("rng = random.Random()\nweights = [sum(rows) * (1 + rng.random() / 1e6) for _ in range(4)]")
    let outcome = try Self.reproduce(sandbox, "HEAD").exit(1)
    #expect(try Self.verdicts(outcome) == ["sort": "identical", "train": "different"])
    let outputs = try #require(try outcome.json["outputs"] as? [[String: Any]])
    let metrics = try #require(outputs.first { $0["path"] as? String == "metrics.json" })
    #expect(metrics["verdict"] as? String == "different")
    #expect((metrics["reason"] as? String)?.hasPrefix("'loss': ") == true)
    #expect((metrics["largestRelativeDifference"] as? Double).map { $0 < 1e-5 } == true)

    let tolerant = try Self.reproduce(sandbox, "--tolerance", "loss=0.001", "--tolerance", "lost=0.1", "HEAD").exit(1)
    #expect(tolerant.errorText.contains("The tolerance 'lost' fits nothing") && !tolerant.errorText.contains("'loss' fits"))
    let second = try #require(try tolerant.json["outputs"] as? [[String: Any]])
    #expect(second.first { $0["path"] as? String == "metrics.json" }?["verdict"] as? String == "within-tolerance")
    // The other file is no format whose numbers are known.
    #expect(second.first { $0["path"] as? String == "model.bin" }?["verdict"] as? String == "different")
    let repeated = try Self.reproduce(sandbox, "--determinism", "2", "HEAD", "train").exit(1)
    let stage = try #require((try repeated.json["stages"] as? [[String: Any]])?.first)
    #expect(stage["results"] as? Int == 2 && stage["attempts"] as? Int == 2)
  }

  /// Archives with other times and JSON with other spaces are equivalent; numbers in arrays are within a declared tolerance.
  @Test func encodingsDoNotCount() throws {
    let sandbox = try Sandbox()
    try sandbox.write(
      """
      import json, os, random, struct, time, zipfile
      def npy(values):
          head = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }" % len(values)
          head += " " * (63 - (len(head) + 10) % 64) + "\\n"
          return b"\\x93NUMPY\\x01\\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack("<%dd" % len(values), *values)
      moment = time.time_ns()
      def archive(name, values):
          with zipfile.ZipFile(name, "w") as z:
              info = zipfile.ZipInfo("w.npy", (1980 + moment // 10**9 % 40, 1 + moment // 1000 % 12, 1, 0, 0, moment // 10 % 29 * 2))
              info.compress_type = random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
              info.comment = b"%d" % moment
              z.writestr(info, npy(values))
      archive("same.npz", [1.0, 2.0])
      archive("near.npz", [1.0, 2.0 + moment % 1000003 * 1e-12])
      order = [("a", 1), ("b", 2.0)]
      random.shuffle(order)
      json.dump(dict(order), open("order.json", "w"), indent=1 + moment % 7919)
      """, to: "make.py")
    try sandbox.write(
      """
      stages:
        make:
          cmd: python3 make.py
          deps: [make.py]
          outs: [same.npz, near.npz, order.json]
          meta:
            tolerance: {"w": 0.001}

      """, to: "dv.yaml")
    try sandbox.git("add", ".").succeed()
    try sandbox.dv("repro").succeed()
    try sandbox.commit()
    let outcome = try Self.reproduce(sandbox, "--report", "r.md", "--report", "r.json", "HEAD").succeed()
    #expect(try outcome.json["verdict"] as? String == "within-tolerance")
    let outputs = (try outcome.json["outputs"] as? [[String: Any]] ?? []).reduce(into: [String: String]()) {
      $0[$1["path"] as? String ?? ""] = $1["verdict"] as? String
    }
    #expect(outputs == ["same.npz": "equivalent", "near.npz": "within-tolerance", "order.json": "equivalent"])
    #expect(try sandbox.read("r.md").contains("| same.npz | equivalent |"))
    #expect(try sandbox.read("r.json") == outcome.text)
  }

  @Test func failuresAndBlocksAreTold() throws {
    let sandbox = try Sandbox()
    try sandbox.write("in\n", to: "in.txt")
    try sandbox.write(
      """
      stages:
        once:
          cmd: test -n "$ALLOWED" && cp in.txt out.txt
          deps: [in.txt]
          outs: [out.txt]
        declared:
          cmd: cp in.txt other.txt
          deps: [in.txt]
          env: {variables: [MODE]}
          outs: [other.txt]

      """, to: "dv.yaml")
    try sandbox.git("add", ".").succeed()
    try sandbox.run([.init(Sandbox.program), "repro"], environment: ["ALLOWED": "1", "MODE": "fast"]).succeed()
    try sandbox.commit()
    let outcome = try Self.reproduce(sandbox, "HEAD").exit(1)
    #expect(try Self.verdicts(outcome) == ["once": "failed", "declared": "blocked"])
    let text = try sandbox.dv("reproduce", "HEAD").exit(1).text
    #expect(text.contains("once: failed: the command ended with exit code 1"))
    #expect(text.contains("declared: blocked: the stage declares variable MODE fast, and here it is "))
    #expect(text.contains("Verdict: failed"))
    let good = try sandbox.run(
      [.init(Sandbox.program), "reproduce", "--chain", "HEAD"], environment: ["ALLOWED": "1", "MODE": "fast"])
    try good.succeed()
  }

  /// What is not in the store is fetched; what is nowhere ends it with 3 and a name.
  /// A stage may have a name with which the ID of a run begins.
  @Test func shortNamesAreOfStages() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x\n", to: "in.txt")
    let names = "0123456789abcdef".map { String($0) }
    for name in names { try sandbox.dv("run", "-n", .init("s" + name), "-d", "in.txt", "-o", .init(name + ".txt"), "--", .init("echo \(name) > \(name).txt")).succeed() }
    try sandbox.shell("sed -i 's/^  s\\(.\\):$/  \"\\1\":/' dv.yaml && rm ?.txt ?.txt.dv")
    try sandbox.dv("repro", "--force").succeed()
    try sandbox.commit("stages")
    for name in names {
      let plan = try sandbox.dv("reproduce", "--dry-run", "--json", "HEAD", .init(name)).succeed().json
      #expect((plan["stages"] as? [[String: Any]])?.compactMap { $0["stage"] as? String } == [name])
    }
    let id = try #require(try sandbox.runs().last?["run"] as? String)
    #expect(try sandbox.dv("reproduce", "--dry-run", "HEAD", .init(String(id.prefix(15)))).succeed().text.contains("Plan: 1 run "))
  }

  @Test func missingInputsAreNamed() throws {
    let sandbox = try Self.made()
    let remote = sandbox.folder.appending("remote")
    try remote.createDirectories()
    try sandbox.dv("remote", "add", "origin", .init(remote)).succeed()
    try sandbox.dv("push").succeed()
    try sandbox.commit("remote")
    let clone = sandbox.folder.appending("clone")
    try sandbox.git("clone", "--quiet", .init(sandbox.work), .init(clone)).succeed()
    let plan = try sandbox.dv("reproduce", "--dry-run", "HEAD", in: clone).succeed().text
    #expect(plan.contains("on remote 'origin'"))
    let outcome = try sandbox.dv("reproduce", "--json", "HEAD", in: clone).succeed()
    #expect(try Self.verdicts(outcome) == ["sort": "identical", "train": "identical"])

    // Another clone, and a remote that has lost everything.
    let other = sandbox.folder.appending("other")
    try sandbox.git("clone", "--quiet", .init(sandbox.work), .init(other)).succeed()
    try remote.removeTree()
    try remote.createDirectories()
    let missing = try sandbox.dv("reproduce", "HEAD", in: other).exit(3)
    #expect(missing.text.contains("MISSING"))
    #expect(missing.text.contains("Verdict: missing"))
  }

  /// The commit's code, not the one that ran; chained stages feed each other.
  @Test func codeOfTheCommit() throws {
    let sandbox = try Self.made()
    // What is committed with the record is not what ran.
    try sandbox.shell("sed -i 's/Random(7)/Random(8)/' train.py; git add train.py; git commit --quiet --amend --no-edit")
    let plan = try sandbox.dv("reproduce", "--dry-run", "HEAD").succeed().text
    #expect(plan.contains("code-mismatch: the commit has another 'train.py' than the one that ran"))
    #expect(try Self.verdicts(Self.reproduce(sandbox, "HEAD").succeed())["train"] == "identical")
    let committed = try Self.reproduce(sandbox, "--as-committed", "HEAD").exit(1)
    #expect(try Self.verdicts(committed) == ["sort": "identical", "train": "different"])
    let stages = try #require(try committed.json["stages"] as? [[String: Any]])
    #expect(stages.last?["codeMismatch"] as? [String] == ["train.py"])
    let chained = try sandbox.dv("reproduce", "--chain", "HEAD").succeed().text
    #expect(chained.contains("made again by 'sort'"))
  }

  /// kill -9 leaves a working tree behind; the next run removes it.
  @Test func killedOnesLeaveNothing() throws {
    let sandbox = try Self.made()
    try sandbox.write(
      """
      stages:
        slow:
          cmd: test -z "$SLOW" || { touch "$SLOW"; sleep 30; }; cp data/raw.txt slow.txt
          deps: [data/raw.txt]
          outs: [slow.txt]

      """, to: "dv.yaml")
    try sandbox.dv("repro").succeed()
    try sandbox.commit("slow")
    try sandbox.shell(
      """
      SLOW='\(sandbox.folder.appending("started").string)' '\(Sandbox.program.string)' reproduce HEAD slow > /dev/null 2>&1 &
      dv=$!
      for i in $(seq 300); do
        test -e ../started && break
        sleep 0.1
      done
      kill -9 $dv
      wait $dv || true
      test "$(ls .git/worktrees | wc -l)" = 1
      """)
    #expect(try sandbox.git("worktree", "list").text.split(separator: "\n").count == 2)
    try sandbox.git("fsck").succeed()
    #expect(try Self.verdicts(Self.reproduce(sandbox, "HEAD", "slow").succeed()) == ["slow": "identical"])
    #expect(try sandbox.git("worktree", "list").text.split(separator: "\n").count == 1)
    #expect(try sandbox.shell("ls .git/dv/worktrees").text == "lock\n")
  }

  /// Without network, where the system can do that; else a refusal that says so.
  @Test func offlineCommandsHaveNoNetwork() throws {
    let sandbox = try Sandbox()
    try sandbox.write("in\n", to: "in.txt")
    try sandbox.git("add", "in.txt").succeed()
    try sandbox.dv("run", "-n", "net", "-d", "in.txt", "-o", "out.txt", "--", "ls /sys/class/net > /dev/null; ip -o link 2>/dev/null | grep -vc ' lo:' > net.txt; cp in.txt out.txt").succeed()
    try sandbox.commit()
    let outcome = try sandbox.dv("reproduce", "--offline", "HEAD")
    if outcome.code == 2 {
      #expect(outcome.errorText.contains("does not let dv deny a command the network"))
    } else {
      try outcome.succeed()
    }
  }
}
