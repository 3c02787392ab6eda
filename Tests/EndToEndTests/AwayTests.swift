import DVFile
import Foundation
import SystemPackage
import Testing

/// Runs where there is no clone, and their way home.
struct AwayTests {
  private static let stage = """
    stages:
      train:
        cmd: sh train.sh
        deps: [data.txt, train.sh]
        params: [lr]
        outs: [model.bin]
        metrics: [m.json: {cache: false}]

    """

  /// A repository whose stage never ran, with its data on a remote, and the files of its commit without git, as a container gets them.
  private static func made() throws -> (sandbox: Sandbox, node: FilePath, commit: String) {
    let sandbox = try Sandbox()
    let remote = sandbox.folder.appending("remote")
    try remote.createDirectories()
    try sandbox.dv("remote", "add", "origin", .init(remote)).succeed()
    try sandbox.write("lr: 1\n", to: "params.yaml")
    try sandbox.write(stage, to: "dv.yaml")
    try sandbox.write("cat data.txt params.yaml > model.bin; echo '{\"auc\": 0.5}' > m.json; echo trained\n", to: "train.sh")
    try sandbox.write("some data\n", to: "data.txt")
    try sandbox.dv("add", "data.txt").succeed()
    try sandbox.commit("stage")
    try sandbox.dv("push").succeed()
    let node = sandbox.folder.appending("node")
    try sandbox.shell("mkdir ../node && git archive HEAD | tar -x -C ../node")
    return (sandbox, node, try sandbox.git("rev-parse", "HEAD").text.trimmingCharacters(in: .newlines))
  }

  private static func record(_ outcome: Sandbox.Outcome) throws -> [String: Any] { try outcome.json["record"] as? [String: Any] ?? [:] }

  @Test func bundlesComeHome() throws {
    let (sandbox, node, commit) = try Self.made()
    let run = try sandbox.dv("run", "--bundle", "../run.dvb", "-n", "train", "--json", in: node, environment: ["DV_COMMIT": commit]).succeed()
    let record = try Self.record(run)
    #expect(record["base"] as? String == commit && record["stage"] as? String == "train" && record["status"] as? String == "complete")
    #expect(record["user"] as? String == "Ada <ada@example.com>")
    // In the directory there is what the run read and made, and nothing of dv's.
    let names = try sandbox.shell("find . -type f | sort", in: node).text.split(separator: "\n").map(String.init)
    #expect(
      names == ["./.dv/config", "./.gitattributes", "./.gitignore", "./data.txt", "./data.txt.dv", "./dv.yaml", "./m.json", "./model.bin", "./params.yaml", "./train.sh"],
      "\(names)")
    #expect(try sandbox.shell("ls -A ..").text.split(separator: "\n").allSatisfy { !$0.hasPrefix(".dv-") })
    // Everybody can look into it.
    #expect(try sandbox.shell("tar -tf ../run.dvb").text.hasPrefix("dv-bundle.json\nformat/1\nrecords/0-"))
    try sandbox.dv("run", "--bundle", "../run.dvb", "-n", "train", in: node).exit(2)

    #expect(try sandbox.decisions("--dry-run") == ["train": "run"])
    let adopted = try sandbox.dv("runs", "adopt", "../run.dvb").succeed()
    #expect(adopted.text.contains("its author is Ada <ada@example.com>") && adopted.text.contains("Its code is that of commit"), "\(adopted.text)")
    #expect(try sandbox.decisions("--dry-run") == ["train": "up-to-date"])
    #expect(try sandbox.read("model.bin") == "some data\nlr: 1\n")
    let staged = try sandbox.git("diff", "--cached", "--name-only").text
    #expect(staged.contains("model.bin.dv") && staged.contains("m.json") && staged.contains(".dv/records/"))
    let id = try #require(try run.json["run"] as? String)
    #expect(try sandbox.read("model.bin.dv").contains("run \(id)\n"))
    #expect(try sandbox.dv("runs", "show", "--log", .init(id)).succeed().text == "trained\n")
    #expect(try sandbox.dv("runs", "adopt", "../run.dvb").succeed().text.hasPrefix("Took again"))
    try sandbox.commit("adopted")
    #expect(try sandbox.dv("reproduce", "HEAD").succeed().text.contains("Verdict: identical"))
    // Here the code is another: it is told.
    try sandbox.shell("echo 'echo more' >> train.sh", in: node)
    try sandbox.dv("run", "--bundle", "../other.dvb", "-n", "train", "-f", in: node, environment: ["DV_COMMIT": commit]).succeed()
    let other = try sandbox.dv("runs", "adopt", "../other.dvb").succeed()
    #expect(other.text.contains("Its code is not that of commit") && other.text.contains("'train.sh'"), "\(other.text)")
  }

  @Test func remotesBringRunsHome() throws {
    let (sandbox, node, commit) = try Self.made()
    let run = try sandbox.dv("run", "--remote", "origin", "-n", "train", "--json", in: node, environment: ["GITHUB_SHA": commit]).succeed()
    #expect(try Self.record(run)["base"] as? String == commit)
    let id = try #require(try run.json["run"] as? String)
    let adopted = try sandbox.dv("runs", "adopt", .init(String(id.dropFirst(7).prefix(8))), "--json").succeed()
    #expect(try adopted.json["placed"] as? [String] == ["model.bin", "m.json"])
    #expect((try adopted.json["code"] as? [String: Any])?["differing"] as? [String] == [])
    #expect(try sandbox.decisions("--dry-run") == ["train": "up-to-date"])
    // A remote by its path; a run that fails is a fact too.
    let failed = try sandbox.dv("run", "--remote", "../remote", "--json", "--", "echo why; exit 5", in: node).exit(5)
    let name = try #require(try failed.json["run"] as? String)
    try sandbox.dv("runs", "adopt", .init(name)).succeed()
    #expect(try sandbox.dv("runs", "show", "--log", .init(name)).succeed().text == "why\n")
    #expect(try sandbox.runs().compactMap { ($0["record"] as? [String: Any])?["status"] as? String }.sorted() == ["complete", "failed"])
    try sandbox.dv("runs", "adopt", "00000000").exit(2)
    // Without any of it the message says what there is.
    let lost = try sandbox.dv("run", "--", "true", in: node).exit(2)
    #expect(lost.errorText.contains("--bundle FILE"))
    try sandbox.dv("run", "--bundle", "../x.dvb", "--", "true", in: node, environment: ["DV_COMMIT": "main"]).exit(2)
  }

  /// Of the processes of one job the first records.
  @Test func theFirstProcessRecords() throws {
    let (sandbox, node, _) = try Self.made()
    for variable in ["RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK"] {
      let second = try sandbox.dv(
        "run", "--bundle", "../second.dvb", "-o", "out", "--", "echo second > second; exit 3", in: node, environment: [variable: "1"]
      ).exit(3)
      #expect(second.errorText.contains("Not recorded: this is process 1 of its job (\(variable))"))
      #expect(try sandbox.folder.appending("second.dvb").fileStat() == nil)
    }
    #expect(try node.appending("second").fileStat() != nil)
    // A stage of the dv.yaml, too.
    let declared = try sandbox.dv("run", "--bundle", "../second.dvb", "-n", "train", in: node, environment: ["RANK": "1"]).succeed()
    #expect(declared.text == "trained\n" && declared.errorText.contains("Not recorded"))
    #expect(try sandbox.folder.appending("second.dvb").fileStat() == nil)
    try sandbox.dv("run", "--bundle", "../first.dvb", "-o", "out", "--", "echo $RANK > out", in: node, environment: ["RANK": "0"]).succeed()
    try sandbox.dv("runs", "adopt", "../first.dvb").succeed()
    #expect(try sandbox.read("out") == "0\n")
    try sandbox.dv("run", "--", "true", environment: ["DV_RANK": "0", "SLURM_PROCID": "7"]).succeed()
    #expect(try sandbox.runs().count == 2)
  }

  /// kill -9 of dv away from home: what the run had printed is delivered all the same, under the name that was told when it started.
  @Test(arguments: ["--bundle ../run.dvb", "--remote origin"])
  func killedRunsAreDelivered(destination: String) throws {
    let (sandbox, node, commit) = try Self.made()
    let killed = try sandbox.shell(
      """
      mkdir ../tmp; export DV_COMMIT=\(commit) TMPDIR=$PWD/../tmp
      dv run \(destination) -d train.sh -o out -- 'echo half; touch started; sleep 300; echo x > out' > ../log 2>&1 & pid=$!
      for i in $(seq 600); do [ -e started ] && grep -rqs '^half' ../tmp ../.dv-* && break; sleep 0.05; done
      kill -9 $pid; wait $pid || true
      for i in $(seq 600); do ls -A .. ../tmp | grep -q '^[.]dv-' || break; sleep 0.05; done
      cat ../log; ls -A .. ../tmp ../remote/started 2>/dev/null || true
      """, in: node)
    #expect(!killed.text.contains("\n.dv-") && !killed.text.contains("\nrun.dvb.started"), "\(killed.text)")
    let name = try #require(killed.text.firstMatch(of: /dv runs adopt (\S+)/)?.output.1)
    let adopted = try sandbox.dv("runs", "adopt", "--json", .init(String(name))).succeed()
    let record = try Self.record(adopted)
    #expect(record["status"] as? String == "abandoned" && record["base"] as? String == commit)
    #expect(try sandbox.dv("runs", "show", "--log", .init(try #require(adopted.json["run"] as? String))).succeed().text == "half\n")
    #expect(try sandbox.runs().count == 1)
  }

  /// Whoever watches over it is killed too: that the run started is recorded where its record was to go, and the next run there delivers what
  /// it had printed.
  @Test(arguments: ["--bundle ../run.dvb", "--remote origin"])
  func killedRunsLeaveARecord(destination: String) throws {
    let (sandbox, node, commit) = try Self.made()
    try sandbox.shell("mkdir ../tmp")
    let isBundle = destination.hasPrefix("--bundle")
    let killed = try sandbox.shell(
      """
      export DV_COMMIT=\(commit) TMPDIR=$PWD/../tmp
      dv run \(destination) -d train.sh -o out -- 'echo half; touch started; sleep 300; echo x > out' > ../log 2>&1 & pid=$!
      for i in $(seq 600); do [ ! -e started ] || break; sleep 0.05; done
      busy=0; if \(isBundle); then dv -C ../\(sandbox.work.lastComponent?.string ?? "") runs adopt ../run.dvb.started-* 2>/dev/null || busy=$?; fi
      kill -STOP $pid
      for child in $(grep -ls "^PPid:[[:space:]]*$pid$" /proc/[0-9]*/status | cut -d/ -f3); do kill -s KILL -- -$child || true; done
      kill -9 $pid; wait $pid || true
      ls -A .. ../remote/started ../tmp 2>/dev/null || true; echo busy $busy
      """, in: node)
    let started = killed.text.split(separator: "\n").map(String.init)
    #expect(started.contains("busy \(isBundle ? 6 : 0)") && !started.contains("run.dvb"), "\(started)")
    #expect(started.count { $0.hasPrefix(".dv-") } == 1, "\(started)")
    // Whoever has no more than this takes it home.
    let first = isBundle ? started.first { $0.hasPrefix("run.dvb.started-") }.map { "../" + $0 } : started.first { $0.utf8.count == 64 }
    if !isBundle { #expect(try sandbox.dv("runs", "adopt", "00000000").exit(2).errorText.contains(try #require(first).prefix(12))) }
    let adopted = try sandbox.dv("runs", "adopt", "--json", .init(try #require(first))).succeed()
    let record = try Self.record(adopted)
    #expect(record["status"] as? String == "abandoned" && record["base"] as? String == commit)
    #expect((try adopted.json["code"] as? [String: Any])?["differing"] as? [String] == [])
    // The next run there finds what was printed, and removes what was left.
    let next = try sandbox.script(
      "rm started; DV_COMMIT=\(commit) TMPDIR=$PWD/../tmp dv run \(destination) -n train --json; (ls -A .. ../tmp ../remote/started 2>/dev/null || true) >&2", in: node)
    #expect(next.errorText.contains("An earlier run was killed with its dv."), "\(next.errorText)")
    let left = next.errorText.split(separator: "\n")
    #expect(!left.contains { $0.hasPrefix(".dv-") || $0.hasPrefix("run.dvb.started") || $0.utf8.count == 64 }, "\(next.errorText)")
    let name = try #require(next.errorText.firstMatch(of: /dv runs adopt (\S+)/)?.output.1)
    try sandbox.dv("runs", "adopt", .init(String(name))).succeed()
    let id = try #require(try sandbox.runs().last { ($0["record"] as? [String: Any])?["log"] != nil }?["run"] as? String)
    #expect(try sandbox.dv("runs", "show", "--log", .init(id)).succeed().text == "half\n")
    try sandbox.dv("runs", "adopt", .init(isBundle ? "../run.dvb" : try #require(next.json["run"] as? String))).succeed()
    #expect(try sandbox.decisions("--dry-run") == ["train": "up-to-date"])
    #expect(try sandbox.runs().compactMap { ($0["record"] as? [String: Any])?["status"] as? String }.sorted() == ["abandoned", "abandoned", "complete"])
  }

  @Test func nothingOfTheUsersIsLost() throws {
    let (sandbox, node, _) = try Self.made()
    try sandbox.shell("head -c 17000000 /dev/zero > big; echo mine > .gitignore.txt; echo big >> .gitignore", in: node)
    let refused = try sandbox.dv("run", "--bundle", "../a.dvb", "-o", "big", "--", "touch ran; echo new > big", in: node).exit(7)
    #expect(refused.errorText.contains("'big' is in the place of an output"))
    #expect(try node.appending("ran").fileStat() == nil)
    try sandbox.dv("run", "--bundle", "../a.dvb", "-f", "-o", "big", "--", "echo new > big", in: node).succeed()
    try sandbox.write("work of mine\n", to: "big")
    let conflict = try sandbox.dv("runs", "adopt", "../a.dvb").exit(7)
    #expect(conflict.errorText.contains("'big', which is there, and its bytes are in no version"))
    #expect(try sandbox.read("big") == "work of mine\n" && sandbox.runs().isEmpty)
    let forced = try sandbox.dv("runs", "adopt", "--force", "../a.dvb").succeed()
    #expect(forced.errorText.contains("its bytes are kept in the store"))
    #expect(try sandbox.read("big") == "new\n")
  }

  /// A bundle that somebody altered, cut or made up: refused before anything is written.
  @Test func hostileBundlesAreRefused() throws {
    let (sandbox, node, _) = try Self.made()
    try sandbox.dv("run", "--bundle", "../good.dvb", "-n", "train", in: node).succeed()
    try sandbox.write(Self.forger, to: sandbox.folder.appending("forge.py"))
    let before = try sandbox.shell("git status --porcelain; git diff --cached; ls -A").text
    func refused(_ what: String, _ codes: [Int32], _ change: Sandbox.Argument...) throws {
      try sandbox.run(["python3", "../forge.py", "../good.dvb", "../bad.dvb"] + change).succeed()
      let outcome = try sandbox.dv("runs", "adopt", "../bad.dvb")
      #expect(codes.contains(outcome.code), "\(what): \(outcome.code) \(outcome.text)\(outcome.errorText)")
      #expect(try sandbox.shell("git status --porcelain; git diff --cached; ls -A").text == before, "\(what)")
      #expect(try sandbox.runs().isEmpty, "\(what)")
    }
    let size = try #require(try sandbox.folder.appending("good.dvb").fileStat()).size
    for position in stride(from: UInt64(3), to: size, by: max(1, Int(size) / 40)) {
      try refused("flip \(position)", [2, 4], "flip", .init(String(position)))
    }
    for length in [0, 511, 512, 1024, size / 2, size - 1024, size - 1] { try refused("cut \(length)", [2, 4], "cut", .init(String(length))) }
    try refused("a file more", [4], "add", "packs/../../x")
    try refused("a name twice", [4], "add", "format/1")
    try refused("a name of no store", [4], "add", "hooks/x")
    for path in ["../evil", "/tmp/evil", ".git/hooks/post-checkout", ".GIT/config", ".gitattributes", "a/.gitmodules", "dv.yaml", ".dv/config", "x.dv", ""] {
      try refused("cached \(path)", [2, 4, 7], "path", .init(path))
      try refused("uncached \(path)", [2, 4, 7], "metric", .init(path))
    }
    // Code of the user's in place of an output.
    try refused("code", [7], "metric", "train.sh")
    try refused("code as data", [7], "path", "train.sh")
    try refused("inside data", [7], "path", "data.txt/x")
    try refused("more than the disk has", [2, 4], "size", "1125899906842624")
    try refused("negative", [2, 4], "size", "-1")
    try refused("other bytes", [3, 4], "oid", .init(String(repeating: "ab", count: 32)))
    // What was not touched is taken.
    try sandbox.dv("runs", "adopt", "../good.dvb").succeed()
  }

  /// Makes a bundle that holds together, but not what dv wrote.
  private static let forger = """
    import hashlib, io, json, struct, sys, tarfile
    source, target, what, value = sys.argv[1:5]
    data = open(source, "rb").read()
    if what == "flip":
        data = bytearray(data); data[int(value)] ^= 1
    elif what == "cut":
        data = data[:int(value)]
    else:
        files = [(m.name, tarfile.open(source).extractfile(m).read()) for m in tarfile.open(source)]
        if what == "add":
            files.append((value, b"x"))
        else:
            old = next(b for n, b in files if n.startswith("records/"))
            n, k, o, s, size = struct.unpack(">5I", old[12:32])
            record = json.loads(old[-size:])
            outputs = record["outputs"]
            cached = next(x for x in outputs if "cache" not in x)
            metric = next(x for x in outputs if "cache" in x)
            if what == "path": cached["path"] = value
            if what == "metric": metric["path"] = value
            if what == "size": cached["size"] = int(value)
            if what == "oid": cached["oid"] = value
            body = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
            name = hashlib.sha256(body).digest()
            oids = sorted({bytes.fromhex(x["oid"]) for x in outputs})
            entry = lambda d, x: d + struct.pack(">I", x)
            segment = old[:12] + struct.pack(">5I", 1, 1, len(oids), 0, len(body)) + entry(name, len(body))
            segment += entry(bytes.fromhex(record["key"]), 0) + b"".join(entry(x, 0) for x in oids) + body
            files = [(n, b) for n, b in files if not n.startswith("records/")]
            files.insert(2, ("records/0-" + hashlib.sha256(segment).hexdigest(), segment))
            files[0] = ("dv-bundle.json", json.dumps({"run": name.hex(), "type": "run-bundle", "version": 1}, separators=(",", ":")).encode())
        out = b""
        for n, b in files:
            h = bytearray(512)
            for text, at in ((n, 0), ("0000644", 100), ("0000000", 108), ("0000000", 116), ("%011o" % len(b), 124), ("0" * 11, 136), (" " * 8, 148), ("0", 156), ("ustar", 257), ("00", 263)):
                h[at:at + len(text)] = text.encode()
            h[148:156] = b"%06o\\0 " % sum(h)
            out += bytes(h) + b + bytes(-len(b) % 512)
        data = out + bytes(1024)
    open(target, "wb").write(data)
    """
}
