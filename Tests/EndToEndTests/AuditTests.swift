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
    #expect(try sandbox.dv("audit", "--full", "--remote", "lab").exit(4).text.contains("remote 'lab'"))
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
