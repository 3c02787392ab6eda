import DVFile
import DVObject
import Foundation
import SystemPackage
import Testing

/// The graph over history, records and tags, through the program.
struct LineageTests {
  /// Raw data, cleaned by a run, a model trained from it by another, committed; the model registered and promoted.
  private func story() throws -> Sandbox {
    let sandbox = try Sandbox()
    try sandbox.shell(
      """
      mkdir -p raw && seq 1 300 > raw/a.txt && seq 5 400 > raw/b.txt && dv -q add raw
      printf 'sort raw/a.txt raw/b.txt > clean.txt\\n' > clean.sh && printf 'head -n "$1" clean.txt > model.bin\\n' > train.sh
      printf 'n: 7\\n' > params.yaml
      git add . && git commit -qm 'Data and code'
      dv -q run -n clean -d raw -d clean.sh -o clean.txt -- sh clean.sh
      dv -q run -n train -d clean.txt -d train.sh -p params.yaml:n -o model.bin -- sh train.sh 7
      git add . && git commit -qm 'A model'
      """
    ).succeed()
    try sandbox.dv("model", "register", "m", "model.bin", "--version", "v1.0.0").succeed()
    try sandbox.dv("model", "promote", "m", "v1.0.0", "production").succeed()
    return sandbox
  }

  private static func pointer(_ path: String, _ key: String, _ sandbox: Sandbox) throws -> String {
    let line = try #require(try sandbox.read(path + ".dv").split(separator: "\n").first { $0.hasPrefix(key + " ") })
    return String(line.dropFirst(key.count + 1))
  }

  private static func types(_ outcome: Sandbox.Outcome) throws -> [String: Int] {
    let nodes = try #require(try outcome.json["nodes"] as? [[String: Any]])
    return Dictionary(nodes.map { ($0["type"] as? String ?? "", 1) }, uniquingKeysWith: +)
  }

  @Test func aModelLeadsToItsDataAndBack() throws {
    let sandbox = try story()
    let up = try sandbox.dv("lineage", "--json", "--up", "m@production").succeed()
    #expect(try up.json["schema"] as? String == "dv.lineage/1")
    let types = try Self.types(up)
    #expect(types["run"] == 2 && types["model"] == 1 && types["alias"] == 1 && types["parameters"] == 1)
    let edges = try #require(try up.json["edges"] as? [[String: String]])
    let roles = Set(edges.compactMap { $0["role"] })
    #expect(roles.isSuperset(of: ["input", "output", "registered as", "promoted to", "executed at", "parameterised by"]))
    let raw = try Self.pointer("raw", "oid", sandbox)
    #expect(edges.contains { $0["from"] == "data:\(raw):raw" && $0["role"] == "input" })
    // The other way, from a path, a revision, the start of an oid, a run; and no further than asked.
    for target in ["raw", "HEAD:raw", String(raw.dropFirst(7).prefix(10))] {
      let down = try sandbox.dv("lineage", "--json", "--down", .init(target)).succeed()
      #expect(try Self.types(down)["alias"] == 1, "\(target)")
    }
    let run = try Self.pointer("model.bin", "run", sandbox)
    #expect(try Self.types(try sandbox.dv("lineage", "--json", .init(run)).succeed())["model"] == 1)
    let near = try sandbox.dv("lineage", "--json", "--down", "--depth", "1", "raw").succeed()
    #expect(try near.json["cut"] as? Bool == true)
    #expect(try Self.types(near)["model"] == nil)
    let between = try sandbox.dv("lineage", "--json", "raw", "--between", "m@v1.0.0").succeed()
    #expect(try Self.types(between)["run"] == 2)
    try sandbox.dv("lineage", "raw/a.txt", "--between", "params.yaml").exit(2)
    try sandbox.dv("lineage", "nothing-of-that-name").exit(2)
    let text = try sandbox.dv("lineage", "m@v1.0.0").succeed().text
    #expect(text.contains("came from\n") && text.contains("led to\n") && text.contains("alias m@production"))
  }

  /// A record of a kind that this dv does not write: its links count, and its large numbers are no sign of tampering.
  @Test func recordsOfOtherKindsAreNodes() throws {
    let sandbox = try story()
    let oid = try Self.pointer("raw", "oid", sandbox)
    let text = #"{"data":{"oid":"\#(oid)","path":"raw","size":1},"sum":30000000000000000,"time":1790000000000,"type":"profile","version":1}"#
    let record = ObjectID(hashing: Array(text.utf8).span)
    let folder = ".dv/records/" + record.hex.prefix(2)
    try sandbox.shell("mkdir -p '\(folder)' && printf '%s' '\(text)' > '\(folder)/\(record.hex).json' && git add .dv && git commit -qm Profile").succeed()
    let graph = try sandbox.dv("lineage", "--json", "raw").succeed()
    #expect(try Self.types(graph)["profile"] == 1)
    let edges = try #require(try graph.json["edges"] as? [[String: String]])
    #expect(edges.contains { $0["from"] == "data:\(oid):raw" && $0["to"] == "profile:sha256:\(record.hex)" && $0["role"] == "about" })
    #expect(try sandbox.dv("lineage", "--down", "raw").succeed().text.contains("about: profile \(record.hex.prefix(12))  2026-"))
    #expect(try Self.types(try sandbox.dv("lineage", "--json", .init(String(record.hex.prefix(10)))).succeed())["data"] == 1)
    let found = try sandbox.dv("audit", "--json")
    #expect(!found.text.contains("altered-record"))
  }

  /// A number beyond 2^53 in what a run measured, as counts of operations are.
  @Test func largeMetricsAreReadBack() throws {
    let sandbox = try Sandbox()
    try sandbox.dv("run", "-n", "t", "-o", "out", "--metrics", "m.json", "--", "sh", "-c", #"echo 1 > out; echo '{"flos": 5.1e16, "n": 9007199254740993}' > m.json"#).succeed()
    try sandbox.shell("git add . && git commit -qm Run").succeed()
    #expect(try sandbox.dv("lineage", "out").succeed().text.contains("run "))
    let found = try sandbox.dv("audit", "--json")
    #expect(!found.text.contains("altered-record"))
  }

  @Test func theIndexMayBeLostOrDamagedAndFollowsBranches() throws {
    let sandbox = try story()
    let before = try sandbox.dv("lineage", "--json", "m@production").succeed().text
    try sandbox.shell("rm .git/dv/lineage.sqlite*").succeed()
    #expect(try sandbox.dv("lineage", "--json", "m@production").succeed().text == before)
    try sandbox.shell("rm -f .git/dv/lineage.sqlite-*; printf 'no database at all, but long enough to be one' > .git/dv/lineage.sqlite").succeed()
    #expect(try sandbox.dv("lineage", "--json", "m@production").succeed().text == before)
    // What only a branch had is gone with it.
    try sandbox.shell("git checkout -qb other && seq 9 > other.txt && dv -q add other.txt && git commit -qam x && git checkout -q main").succeed()
    #expect(try sandbox.dv("log", "--all", "other.txt").succeed().text.contains("in") == false)
    try sandbox.git("branch", "-D", "other").succeed()
    try sandbox.dv("log", "--all", "other.txt").exit(2)
    // A clone knows what git carries.
    try sandbox.git("clone", "-q", ".", "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    #expect(try Self.types(try sandbox.dv("lineage", "--json", "--up", "m@production", in: clone).succeed())["run"] == 2)
  }

  @Test func oneFileOfADirectoryIsFoundInTheModel() throws {
    let sandbox = try story()
    let file = sandbox.folder.appending("found.txt")
    try sandbox.shell("seq 1 300 > ../found.txt").succeed()
    for target in [file.string, "raw/a.txt"] {
      let report = try sandbox.dv("impact", "--json", .init(target)).succeed()
      #expect((try report.json["models"] as? [[String: Any]])?.count == 1, "\(target)")
      #expect((try report.json["aliases"] as? [[String: Any]])?.count == 1)
      #expect((try report.json["commits"] as? [[String: Any]])?.count == 2)
      #expect(try report.json["complete"] as? Bool == true)
    }
    let oid = try sandbox.shell("sha256sum ../found.txt | cut -c 1-12").text.trimmingCharacters(in: .newlines)
    #expect((try sandbox.dv("impact", "--json", .init(oid)).succeed().json["models"] as? [Any])?.count == 1)
    try sandbox.shell("seq 1 299 > ../found.txt").succeed()
    #expect((try sandbox.dv("impact", "--json", .init(file)).succeed().json["models"] as? [Any])?.isEmpty == true)
    #expect(try sandbox.dv("impact", "raw/b.txt").succeed().text.contains("Model versions: 1\n  model m@v1.0.0\n"))
  }

  @Test func theHistoryOfDataNamesItsRuns() throws {
    let sandbox = try story()
    try sandbox.shell("seq 1 9 > raw/c.txt && rm raw/b.txt && dv -q add raw && git commit -qam 'More'").succeed()
    let entries = try #require(try sandbox.dv("log", "--json", "raw").succeed().json["entries"] as? [[String: Any]])
    #expect(entries.compactMap { $0["subject"] as? String } == ["More", "Data and code"])
    #expect(entries[0]["added"] as? Int == 1 && entries[0]["removed"] as? Int == 1 && entries[0]["files"] as? Int == 2)
    let model = try sandbox.dv("who", "model.bin").succeed().text
    #expect(model.contains("  run ") && model.contains("A model"))
  }

  /// A part of a directory has the versions in which it changed, and none if it never was.
  @Test func partsOfDirectoriesHaveTheirOwnHistory() throws {
    let sandbox = try story()
    try sandbox.script(
      """
      seq 1 9 > raw/c.txt && dv -q add raw && git commit -qam 'More' && seq 5 > raw/b.txt && dv -q add raw && git commit -qam 'Other'
      rm raw/b.txt && dv -q add raw && git commit -qam 'Less'
      """)
    func subjects(_ path: Sandbox.Argument) throws -> [String] {
      let entries = try sandbox.dv("log", "--json", path).succeed().json["entries"] as? [[String: Any]] ?? []
      return entries.compactMap { $0["subject"] as? String }
    }
    #expect(try subjects("raw") == ["Less", "Other", "More", "Data and code"])
    #expect(try subjects("raw/b.txt") == ["Less", "Other", "Data and code"])
    #expect(try subjects("raw/c.txt") == ["More"])
    let text = try sandbox.dv("log", "raw/b.txt").succeed().text
    #expect(text.contains("  removed  ") && text.contains("10 B"), "\(text)")
    #expect(try sandbox.dv("log", "raw/none.txt").exit(2).errorText.contains("No commit has data at 'raw/none.txt'"))
  }

  /// What names nothing is refused with 2, and the message says what is wrong as far as the target tells what was meant.
  @Test func targetsThatNameNothingSayWhy() throws {
    let sandbox = try story()
    try sandbox.script("head -c 100 /dev/urandom > ../unknown")
    let zeros = String(repeating: "0", count: 64)
    for (target, message) in [
      ("", "empty"), ("m@nope", "No version of 'm' is 'nope'"), ("m@v9.9.9", "No version of 'm'"), ("ghost@production", "No model 'ghost'"),
      ("m", "'m' is a model"), ("sha256:xyz", "is no oid"), ("sha256:00000000", "Nothing here has an oid"), ("HEAD:nosuch", "not tracked by dv at 'HEAD'"),
      ("HEAD~99:raw", "names no commit"), ("raw/nosuch.csv", "names nothing"), ("zzzz", "names nothing"), ("0", "at least 4 digits"), ("refs/nothing", "names nothing"),
    ] {
      for command in ["lineage", "impact", "audit"] {
        let told = try sandbox.dv(.init(command), .init(target)).exit(2).errorText
        #expect(told.contains(message), "\(command) '\(target)': \(told)")
      }
    }
    // A content that nobody here knows is an answer where that is asked, and nothing elsewhere.
    for target in [zeros, "sha256:\(zeros)", "../unknown"] {
      let impact = try sandbox.dv("impact", .init(target)).succeed()
      #expect(impact.errorText.contains("Nothing that is or was tracked") && impact.text.contains("Data: none"), "\(target)")
      #expect(try sandbox.dv("impact", "--json", .init(target)).succeed().json["known"] as? Bool == false)
      try sandbox.dv("lineage", .init(target)).exit(2)
    }
    #expect(try sandbox.dv("impact", "--json", "raw/a.txt").succeed().json["known"] as? Bool == true)
    // A file in a tracked directory is known by its oid, also if nobody asked for it before.
    try sandbox.script("rm -f .git/dv/lineage.sqlite*")
    let oid = String(try sandbox.script("sha256sum raw/a.txt").text.prefix(64))
    #expect(try sandbox.dv("lineage", .init(String(oid.prefix(12)))).succeed().text.contains("part of"))
    try sandbox.script("rm -f .git/dv/lineage.sqlite*")
    try sandbox.dv("lineage", .init(oid)).succeed()
    for (target, message) in [("clean.sh", "git log -- clean.sh"), ("HEAD:raw", "name the path alone"), ("m@v1.0.0", "dv model history"), ("nothing", "--all")] {
      for command in ["log", "who"] { #expect(try sandbox.dv(.init(command), .init(target)).exit(2).errorText.contains(message), "\(target)") }
    }
    for command in ["log", "who", "lineage"] { try sandbox.dv(.init(command), "../unknown").exit(2) }
  }

  @Test func anAuditFindsGapsAndTampering() throws {
    let sandbox = try story()
    func kinds(_ code: Int32, _ arguments: Sandbox.Argument...) throws -> Set<String> {
      let report = try sandbox.run([.init(Sandbox.program), "audit", "--json"] + arguments, in: nil).exit(code)
      return Set((try report.json["findings"] as? [[String: Any]] ?? []).compactMap { $0["kind"] as? String })
    }
    // Where the raw data came from is recorded nowhere; all else is known.
    #expect(try kinds(1) == ["unknown-source"])
    #expect(try kinds(1, "--full", "m@v1.0.0") == ["unknown-source"])
    #expect(try sandbox.dv("audit").exit(1).text.contains("Anchor: none"))
    #expect(try sandbox.dv("audit", "--format", "markdown").exit(1).text.hasPrefix("# Audit\n"))
    #expect(try sandbox.dv("audit", "--format", "html").exit(1).text.hasPrefix("<!doctype html>"))
    // One byte of a record in git.
    try sandbox.shell(
      """
      cp -r . ../altered && cd ../altered
      f=$(ls .dv/records/*/*.json | head -n 1) && sed -i 's/"status":"complete"/"status":"completo"/' "$f" && git commit -qam tamper
      """
    ).succeed()
    let altered = sandbox.folder.appending("altered")
    #expect(try sandbox.dv("audit", in: altered).exit(4).text.contains("ALTERED  altered-record"))
    // A pointer that claims a run which did not make it.
    let run = try Self.pointer("model.bin", "run", sandbox)
    try sandbox.shell("seq 77 > planted.txt && dv -q add planted.txt && echo 'run \(run)' >> planted.txt.dv && git add -A && git commit -qm plant").succeed()
    #expect(try kinds(4).contains("not-made-by-run"))
    // A tag that registers other bytes than its commit has.
    try sandbox.git("reset", "-q", "--hard", "HEAD~1").succeed()
    let oid = try Self.pointer("clean.txt", "oid", sandbox)
    try sandbox.git("tag", "-a", "m@v2.0.0", "-m", .init("{\"oid\":\"\(oid)\",\"path\":\"model.bin\",\"type\":\"model\",\"version\":1}")).succeed()
    #expect(try kinds(4).contains("tag-differs"))
  }

  /// Writes an archive without one of its members.
  private static let stripper = """
    import json, sys, tarfile
    source, target, name = sys.argv[1:4]
    with tarfile.open(source) as archive:
        members = {member.name: archive.extractfile(member).read() for member in archive}
    listed = json.loads(members["dv-audit.json"])
    listed["files"] = [pair for pair in listed["files"] if pair[0] != name]
    members["dv-audit.json"] = json.dumps(listed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    del members[name]
    with open(target, "wb") as file:
        for member, content in members.items():
            block = bytearray(512)
            fields = [(0, member), (100, "0000644"), (108, "0000000"), (116, "0000000"), (124, "%011o" % len(content)), (136, "0" * 11),
                      (148, " " * 8), (156, "0"), (257, "ustar"), (263, "00")]
            for place, text in fields:
                block[place:place + len(text)] = text.encode()
            block[148:156] = ("%06o" % sum(block)).encode() + bytes(1) + b" "
            file.write(block + content + bytes(-len(content) % 512))
        file.write(bytes(1024))

    """

  @Test func anArchiveIsVerifiedWithoutTheRepository() throws {
    let sandbox = try story()
    try sandbox.shell(
      """
      ssh-keygen -q -t ed25519 -N '' -f ../key && ssh-keygen -q -t ed25519 -N '' -f ../other
      git config gpg.format ssh && git config user.signingKey "$PWD/../key"
      seq 3 > model.bin && dv -q add model.bin && git commit -qam 'By hand'
      dv -q model register m model.bin --version v1.1.0 --sign
      dv audit export m@v1.0.0 -o ../plain.tar && dv audit export m@v1.1.0 -o ../signed.tar
      mkdir ../empty && tar -tf ../plain.tar | grep -q '^records/'
      """
    ).succeed()
    let empty = sandbox.folder.appending("empty")
    func kinds(_ outcome: Sandbox.Outcome) throws -> [String] {
      (try outcome.json["findings"] as? [[String: Any]] ?? []).compactMap { $0["kind"] as? String }
    }
    func subjects(_ outcome: Sandbox.Outcome) throws -> [String] {
      (try outcome.json["findings"] as? [[String: Any]] ?? []).compactMap { $0["subject"] as? String }
    }
    // Where the raw data came from was recorded nowhere.
    let plain = try sandbox.dv("audit", "--json", "--archive", "../plain.tar", in: empty).exit(1)
    #expect((try plain.json["checked"] as? [String: Any])?["records"] as? Int == 2)
    #expect(try kinds(plain) == ["unknown-source"])
    // What people signed about the version is in it: approvals, unless they were taken back.
    try sandbox.script(
      """
      for who in ada bob; do
        openssl ecparam -name prime256v1 -genkey -noout -out ../$who.pem && openssl ec -in ../$who.pem -pubout -out ../$who.pem.pub 2> /dev/null
      done
      export GIT_COMMITTER_NAME=Bob GIT_COMMITTER_EMAIL=bob@example.com
      dv -q sign m@v1.0.0 --key ../ada.pem -o ../m.sig --tag && dv -q model approve m v1.0.0 --key ../bob.pem
      dv audit export m@v1.0.0 -o ../attested.tar
      dv -q model approve m v1.0.0 --key ../bob.pem --withdraw && dv audit export m@v1.0.0 -o ../withdrawn.tar
      """)
    for (file, key, isSigned) in [
      ("attested", "ada", true), ("attested", "bob", true), ("plain", "ada", false), ("withdrawn", "ada", true), ("withdrawn", "bob", false),
    ] {
      let told = try sandbox.dv("audit", "--json", "--archive", "../\(file).tar", "--key", "../\(key).pem.pub", in: empty).exit(1)
      #expect(((try told.json["anchor"] as? [String: Any])?["kind"] as? String == "signed-tag") == isSigned, "\(file), \(key)")
      #expect(try kinds(told).contains("signature") == !isSigned, "\(file), \(key)")
    }
    // A model without a run is a gap; the signature is good by one key only.
    let signed = try sandbox.dv("audit", "--json", "--archive", "../signed.tar", "--key", "../key.pub", in: empty).exit(1)
    #expect((try signed.json["anchor"] as? [String: Any])?["kind"] as? String == "signed-tag")
    try sandbox.dv("audit", "--archive", "../signed.tar", "--key", "../other.pub", in: empty).exit(4)
    try sandbox.dv("audit", "--archive", "../plain.tar", "--key", "../key.pub", in: empty).exit(1)
    // One byte anywhere, also of what fills it up, one more, or a cut.
    let bytes = try sandbox.folder.appending("plain.tar").readAll(limit: 1 << 26)
    for position in Array(stride(from: 700, to: bytes.count, by: bytes.count / 24)) + [bytes.count - 1] {
      var altered = bytes
      altered[position] ^= 1
      try sandbox.folder.appending("altered.tar").replaceContent(with: altered.span)
      try sandbox.dv("audit", "--archive", "../altered.tar", in: empty).exit(4)
    }
    try sandbox.folder.appending("altered.tar").replaceContent(with: (bytes + [UInt8](repeating: 0, count: 512)).span)
    try sandbox.dv("audit", "--archive", "../altered.tar", in: empty).exit(4)
    try sandbox.folder.appending("altered.tar").replaceContent(with: Array(bytes.prefix(5000)).span)
    try sandbox.dv("audit", "--archive", "../altered.tar", in: empty).exit(4)
    try sandbox.dv("audit", "export", "model.bin").exit(2)
    // Whoever takes a member out takes it from the list too, which nobody signed: what it was needed for is not there.
    try sandbox.write(Self.stripper, to: sandbox.folder.appending("strip.py"))
    for name in try sandbox.shell("tar -tf ../plain.tar | grep '^records/\\|^objects/'").text.split(separator: "\n").map(String.init) {
      let stripped = try sandbox.shell("python3 ../strip.py ../plain.tar ../altered.tar \(name) && dv audit --json --archive ../altered.tar")
      #expect(stripped.code == 1 || stripped.code == 4 && name.hasPrefix("records/"), "\(name): \(stripped.text)")
      #expect(try subjects(stripped) != subjects(plain), "\(name): \(stripped.text)")
    }
  }

  @Test func everyFormatIsWritten() throws {
    let sandbox = try story()
    let dot = try sandbox.dv("lineage", "--format", "dot", "m@production").succeed().text
    #expect(dot.hasPrefix("digraph lineage {\n") && dot.hasSuffix("}\n"))
    #expect(try sandbox.dv("lineage", "--format", "mermaid", "m@production").succeed().text.hasPrefix("flowchart LR\n"))
    let page = try sandbox.dv("lineage", "--format", "html", "m@production").succeed().text
    #expect(page.contains("const G={\"targets\"") && !page.contains("/*DATA*/"))
    let prov = try sandbox.dv("lineage", "--format", "prov", "m@production").succeed().json
    #expect((prov["activity"] as? [String: Any])?.count == 2)
    let events = try sandbox.dv("lineage", "--format", "openlineage", "m@production").succeed().output
    let list = try #require(try JSONSerialization.jsonObject(with: Data(events)) as? [[String: Any]])
    #expect(list.compactMap { $0["eventType"] as? String } == ["START", "COMPLETE", "START", "COMPLETE"])
  }
}
