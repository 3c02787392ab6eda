import DVFile
import Foundation
import SystemPackage
import Testing

/// What `dv audit` finds of what was altered, by itself and with what a remote saw.
struct AuditTests {
  /// Data, two runs, a model with two versions of which the second is in production; all of it pushed to a remote and to a git server.
  private func story() throws -> Sandbox {
    let sandbox = try Sandbox()
    try sandbox.shell(
      """
      git init -q --bare ../server.git && git remote add origin ../server.git
      dv -q remote add lab ../lab
      seq 1 300 > raw.txt && dv -q add raw.txt
      printf 'sort raw.txt > clean.txt\\n' > clean.sh && printf 'head -n "$1" clean.txt > model.bin\\n' > train.sh
      git add . && git commit -qm 'Data and code'
      dv -q run -n clean -d raw.txt -d clean.sh -o clean.txt -- sh clean.sh
      dv -q run -n train -d clean.txt -d train.sh -o model.bin -- sh train.sh 7
      git add . && git commit -qm 'A model'
      dv -q model register m model.bin --version v1.0.0 && dv -q model promote m v1.0.0 production
      dv -q run --force -n train -d clean.txt -d train.sh -o model.bin -- sh train.sh 9
      git add . && git commit -qm 'Another model'
      dv -q model register m model.bin --version v1.1.0 && dv -q model promote m v1.1.0 production
      git push -q origin main --tags && dv -q push
      """
    ).succeed()
    return sandbox
  }

  private func kinds(_ sandbox: Sandbox, _ code: Int32, _ arguments: Sandbox.Argument...) throws -> Set<String> {
    let report = try sandbox.run([.init(Sandbox.program), "audit", "--json"] + arguments, in: nil).exit(code)
    return Set((try report.json["findings"] as? [[String: Any]] ?? []).compactMap { $0["kind"] as? String })
  }

  private func anchor(_ sandbox: Sandbox, _ arguments: Sandbox.Argument...) throws -> [String: Any] {
    let report = try sandbox.run([.init(Sandbox.program), "audit", "--json"] + arguments, in: nil)
    return try report.json["anchor"] as? [String: Any] ?? [:]
  }

  @Test func aRemoteBearsWitnessToTagsAndHistory() throws {
    let sandbox = try story()
    #expect(try kinds(sandbox, 1, "--remote", "lab") == ["unknown-source"])
    #expect(try anchor(sandbox, "--remote", "lab")["kind"] as? String == "witness")
    #expect(try anchor(sandbox)["name"] as? String == "lab")
    #expect(try sandbox.dv("audit").exit(1).text.contains("Anchor: remote 'lab' bears witness"))
    // Nothing new is nothing written; a new tag is one record more.
    #expect(try sandbox.shell("ls ../lab/witness | wc -l").text.trimmingCharacters(in: .whitespacesAndNewlines) == "1")
    try sandbox.shell("dv -q push && dv -q model promote m v1.0.0 staging && git push -q origin --tags && dv -q push").succeed()
    #expect(try sandbox.shell("ls ../lab/witness | wc -l").text.trimmingCharacters(in: .whitespacesAndNewlines) == "2")

    // The newest move is gone: the alias silently has its earlier holder again, and nothing in git says so.
    let object = try sandbox.git("rev-parse", "m#production#2").text.trimmingCharacters(in: .whitespacesAndNewlines)
    try sandbox.git("tag", "-d", "m#production#2").succeed()
    #expect(try kinds(sandbox, 4).contains("tag-gone"))
    // That this clone had it is known also when git has forgotten the object.
    try sandbox.git("gc", "--quiet", "--prune=now").succeed()
    #expect(try kinds(sandbox, 4).contains("tag-gone"))
    try sandbox.git("fetch", "-q", "origin", "refs/tags/m#production#2:refs/tags/m#production#2").succeed()
    try sandbox.git("tag", "-d", "m#production#2").succeed()
    // Another clone, which knows nothing of before, asks the remote.
    try sandbox.shell("git push -q origin :refs/tags/m#production#2 && git clone -q -b main ../server.git ../fresh").succeed()
    let fresh = sandbox.folder.appending("fresh")
    #expect(try sandbox.dv("audit", in: fresh).text.contains("tag-gone") == false)
    #expect(try sandbox.dv("audit", "--remote", "lab", in: fresh).exit(4).text.contains("tag-gone"))
    try sandbox.git("update-ref", "refs/tags/m#production#2", .init(object)).succeed()
    #expect(try kinds(sandbox, 1) == ["unknown-source"])

    // Made anew with another text.
    try sandbox.shell(
      """
      git for-each-ref --format='%(contents)' 'refs/tags/m@v1.1.0' | sed 's/"user":"Ada/"user":"Eve/' > ../message
      git tag -f -a --cleanup=verbatim -F ../message m@v1.1.0 'm@v1.1.0^{commit}'
      """
    ).succeed()
    #expect(try kinds(sandbox, 4).contains("tag-replaced"))
    try sandbox.git("fetch", "-q", "--force", "origin", "refs/tags/*:refs/tags/*").succeed()
    #expect(try kinds(sandbox, 1) == ["unknown-source"])

    // What was pushed is rewritten. (What was seen is what git's server had at the push of data.)
    try sandbox.shell("git commit -q --amend -m 'Never was' && git update-ref refs/remotes/origin/main HEAD && git tag -d m@v1.1.0 m#production#2").succeed()
    #expect(try kinds(sandbox, 4).contains("history-rewritten"))
  }

  /// A clone that is behind lacks what it never had: that is no tampering, and the remedy is to fetch.
  @Test func clonesThatAreBehindAreToldToFetch() throws {
    let sandbox = try story()
    try sandbox.script(
      """
      git clone -q -b main ../server.git ../behind && dv -q model promote m v1.0.0 staging
      echo more >> clean.sh && git commit -qam later && dv -q model register m model.bin --version v1.2.0 && git push -q origin main --tags && dv -q push
      """)
    let behind = sandbox.folder.appending("behind")
    func findings(_ code: Int32, _ more: Sandbox.Argument...) throws -> [String: String] {
      let report = try sandbox.run([.init(Sandbox.program), "audit", "--json"] + more, in: behind).exit(code)
      let found = try report.json["findings"] as? [[String: String]] ?? []
      return found.reduce(into: [:]) { $0[$1["subject"] ?? ""] = "\($1["kind"] ?? ""): \($1["message"] ?? "")" }
    }
    // With git's server at hand, and when it does not answer.
    for server in ["../server.git", "../nowhere.git"] {
      try sandbox.git("remote", "set-url", "origin", .init(server), in: behind).succeed()
      let found = try findings(1, "--remote", "lab")
      #expect(found["m#staging#3"]?.hasPrefix("not-fetched: ") == true && found["m@v1.2.0"]?.contains("git fetch --tags") == true, "\(found)")
      #expect(found.contains { $0.key.hasPrefix("commit ") && $0.value.hasPrefix("not-fetched: ") }, "\(found)")
    }
    try sandbox.git("remote", "set-url", "origin", "../server.git", in: behind).succeed()
    try sandbox.git("fetch", "-q", "--tags", in: behind).succeed()
    let rest = try findings(1, "--remote", "lab")
    #expect(rest.values.allSatisfy { $0.hasPrefix("unknown-source") || $0.hasPrefix("missing-object") }, "\(rest)")
  }

  /// Who removes a tag on purpose answers for it, and the audit says so, in each clone.
  @Test func removalsAreOnRecord() throws {
    let sandbox = try story()
    func findings(_ code: Int32, in directory: FilePath? = nil, _ more: Sandbox.Argument...) throws -> [String] {
      let report = try sandbox.run([.init(Sandbox.program), "audit", "--json"] + more, in: directory).exit(code)
      return (try report.json["findings"] as? [[String: String]] ?? []).map { "\($0["kind"] ?? "") \($0["subject"] ?? ""): \($0["message"] ?? "")" }
    }
    try sandbox.script("git clone -q -b main ../server.git ../clone")
    let clone = sandbox.folder.appending("clone")
    try sandbox.dv("model", "remove", "m#production#2").exit(2)
    try sandbox.dv("model", "remove", "m#nothing#2", "-m", "why").exit(2)
    try sandbox.dv("model", "remove", "other", "-m", "why").exit(2)
    let removed = try sandbox.dv("model", "remove", "m#production#2", "-m", "the wrong one", "--json").succeed().json
    let removal = try #require(removed["removal"] as? String)
    let object = try #require(removed["object"] as? String)
    try sandbox.git("cat-file", "-e", .init(object)).succeed()
    let found = try findings(1)
    #expect(found.contains { $0.hasPrefix("tag-removed m#production#2: It was removed on ") && $0.contains("by Ada") && $0.contains("the wrong one") }, "\(found)")
    #expect(!found.contains { $0.hasPrefix("missing-number") || $0.hasPrefix("tag-gone") })
    #expect(try sandbox.dv("model", "show", "m").succeed().text.contains("production"))
    try sandbox.dv("model", "remove", "m#production#2", "-m", "again").exit(2)
    // The other clone has it still, then not any more; a new one never had it.
    try sandbox.script("git push -q origin \(removal) ':refs/tags/m#production#2' && dv -q push && git -C ../clone fetch -q --tags")
    #expect(try findings(1, in: clone, "--remote", "lab").contains { $0.hasPrefix("tag-removed m#production#2") && $0.contains("still in this clone") })
    try sandbox.git("tag", "-d", "m#production#2", in: clone).succeed()
    #expect(try findings(1, in: clone, "--remote", "lab").contains { $0.hasPrefix("tag-removed m#production#2") })
    try sandbox.script("git clone -q -b main ../server.git ../fresh")
    #expect(try findings(1, in: sandbox.folder.appending("fresh"), "--remote", "lab").contains { $0.hasPrefix("tag-removed m#production#2") })
    // A move in the middle; one that somebody just deleted, whose object git has forgotten.
    try sandbox.script("dv -q model promote m v1.1.0 production && dv -q model promote m v1.0.0 production && git push -q origin --tags && dv -q push")
    let last = try sandbox.git("tag", "--list", "m#production#*").text.split(separator: "\n").map(String.init)
    try sandbox.dv("model", "remove", .init(last[1]), "-m", "a test").succeed()
    #expect(try findings(1).contains { $0.hasPrefix("tag-removed \(last[2]): It follows '\(last[1])', which was removed") })
    try sandbox.script("git tag -d m@v1.0.0 && git gc -q --prune=now")
    #expect(try findings(4).contains { $0.hasPrefix("tag-gone m@v1.0.0") })
    try sandbox.dv("model", "remove", "m@v1.0.0", "-m", "never meant").succeed()
    let answered = try findings(1)
    #expect(answered.contains { $0.hasPrefix("tag-removed m@v1.0.0") } && !answered.contains { $0.hasPrefix("tag-gone") }, "\(answered)")
    // One that says of another object what it is not of.
    try sandbox.script("git update-ref refs/tags/dv/removal/\(String(repeating: "0", count: 39))1 \(removal)")
    #expect(try findings(4).contains { $0.hasPrefix("tag-contradicts-itself dv/removal/") })
  }

  @Test func whatARemoteTakesBackIsSeen() throws {
    let sandbox = try story()
    try sandbox.shell("rm ../lab/witness/*").succeed()
    #expect(try kinds(sandbox, 1, "-r", "lab") == ["unknown-source", "witness-withdrawn"])
    try sandbox.shell("dv -q push").succeed()
    #expect(try kinds(sandbox, 1, "-r", "lab") == ["unknown-source"])
    try sandbox.shell("chmod -R u+w ../lab/witness && rm -r .git/dv/remotes/lab/witness && for f in ../lab/witness/*; do sed -i s/main/mine/ $f; printf x >> $f; done").succeed()
    #expect(try kinds(sandbox, 4, "-r", "lab").contains("altered-witness"))
    try sandbox.dv("audit", "--remote", "nowhere").exit(2)
  }

  @Test func movesOfAnAliasFollowOneAnother() throws {
    let sandbox = try story()
    try sandbox.dv("model", "promote", "m", "v1.0.0", "production").succeed()
    // A move in the middle is gone: what follows names it.
    let object = try sandbox.git("rev-parse", "m#production#2").text.trimmingCharacters(in: .whitespacesAndNewlines)
    try sandbox.git("tag", "-d", "m#production#2").succeed()
    #expect(try kinds(sandbox, 4).isSuperset(of: ["broken-chain", "missing-number"]))
    try sandbox.git("update-ref", "refs/tags/m#production#2", .init(object)).succeed()
    // Under another name; at another commit; with a record of another model; without one.
    try sandbox.shell("git update-ref refs/tags/m#staging#4 \(object)").succeed()
    #expect(try kinds(sandbox, 4).isSuperset(of: ["tag-renamed", "tag-contradicts-itself"]))
    try sandbox.git("tag", "-d", "m#staging#4").succeed()
    let third = try sandbox.git("rev-parse", "m#production#3").text.trimmingCharacters(in: .whitespacesAndNewlines)
    for (edit, commit, kind) in [
      ("s/x/x/", "main~3", "tag-differs"), ("s/\"model\":\"m\"/\"model\":\"n\"/", "main~1", "tag-contradicts-itself"),
      ("/^{/d", "main~1", "no-record"), ("s/\"version\":1/\"version\":2/", "main~1", "tag-contradicts-itself"),
    ] {
      try sandbox.shell(
        """
        git update-ref 'refs/tags/m#production#3' \(third)
        git for-each-ref --format='%(contents)' 'refs/tags/m#production#3' | sed '\(edit)' > ../message
        git tag -f -a --cleanup=verbatim -F ../message 'm#production#3' \(commit)
        """
      ).succeed()
      rm(sandbox)
      let found = try sandbox.dv("audit", "--json")
      #expect(found.text.contains("\"\(kind)\""), "\(edit): \(found.text)")
    }
  }

  /// Forgets what the remote saw: so only what git holds can tell.
  private func rm(_ sandbox: Sandbox) { _ = try? sandbox.shell("rm -rf .git/dv/remotes") }

  @Test func whatIsBesideTheDeclaredIsToldAndRemotesAreRead() throws {
    let sandbox = try story()
    // A record of a run that was traced, as dv makes them.
    try sandbox.shell("printf 'cat secret.txt raw.txt > seen.txt\\n' > see.sh && seq 3 > secret.txt && git add . && git commit -qm see").succeed()
    let traced = try sandbox.dv("run", "--trace", "-n", "see", "-d", "raw.txt", "-d", "see.sh", "-o", "seen.txt", "--", "sh", "see.sh")
    if traced.code == 0 {
      try sandbox.commit("seen")
      let text = try sandbox.dv("audit").text
      #expect(text.contains("undeclared-input") && text.contains("'secret.txt'"), "\(text)")
      try sandbox.shell("git reset -q --hard HEAD~2").succeed()
    }
    #expect(try sandbox.dv("audit", "--full", "--remote", "lab", "m@v1.0.0").exit(1).text.contains("damaged") == false)
    try sandbox.shell(
      """
      chmod -R u+w ../lab/packs
      for f in ../lab/packs/*/*; do printf X | dd of=$f bs=1 seek=60 conv=notrunc 2>/dev/null; done
      """
    ).succeed()
    let told = try sandbox.dv("audit", "--full", "--remote", "lab").exit(4).text
    #expect(told.contains("damaged-object  packs/") && told.contains(": In remote 'lab': damaged in the header.") && !told.contains("StoreFinding"), "\(told)")
    #expect(try sandbox.dv("audit", "--full").text.contains("damaged") == false)
  }

  @Test func theEndOfAChainOfRecordsIsSeen() throws {
    let sandbox = try story()
    func reset() throws { try sandbox.shell("rm -rf .git/dv/records && cp -r ../records .git/dv/records").succeed() }
    try sandbox.shell("dv -q run -n other -d raw.txt -o other.txt -- 'head -n 2 raw.txt > other.txt'; cp -r .git/dv/records ../records").succeed()
    try sandbox.shell("git reset -q --hard; rm -rf .dv/records.new").succeed()
    let before = try kinds(sandbox, 1)
    #expect(!before.contains("chain"))
    // The newest record, which no commit has; the end of the chain; all of it.
    for damage in [
      "rm $(ls -t .git/dv/records/*/*.json | head -n 1)", "printf '[9,\"00\"]' > .git/dv/records/chain", "printf x > .git/dv/records/chain",
      "rm .git/dv/records/*/*.json",
    ] {
      try sandbox.shell(damage).succeed()
      #expect(try kinds(sandbox, 4).contains("chain"), "\(damage)")
      try reset()
    }
  }
}
