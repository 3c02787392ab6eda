import DVFile
import Foundation
import SystemPackage
import Testing

/// `dv model`: versions and aliases as git tags.
struct ModelTests {
  /// Makes a model by a run and commits it; another content each time.
  private func train(_ sandbox: Sandbox, _ content: String) throws {
    try sandbox.write("\(content)\n", to: "in.txt")
    try sandbox.git("add", "in.txt")
    try sandbox.dv("run", "-f", "-n", "train", "-d", "in.txt", "-o", "model.bin", "--", "cp in.txt model.bin && echo weights >> model.bin").succeed()
  }

  @Test func versionsArePromotedAndRolledBack() throws {
    let sandbox = try Sandbox()
    try train(sandbox, "one")
    // Not committed yet: the tag would lead to a commit that does not hold the model.
    #expect(try sandbox.dv("model", "register", "churn", "model.bin").exit(2).errorText.contains("does not hold 'model.bin.dv'"))
    try sandbox.commit("one")
    let first = try sandbox.dv("model", "register", "churn", "model.bin", "--describe", "# the first", "--json").succeed().json
    #expect(first["tag"] as? String == "churn@v0.1.0")
    #expect(try sandbox.dv("model", "register", "churn", "model.bin").exit(2).errorText.contains("is churn@v0.1.0 already"))
    try train(sandbox, "two")
    try sandbox.commit("two")
    #expect(try sandbox.dv("model", "register", "churn", "model.bin", "--version", "v0.1.0").exit(2).errorText.contains("registered already"))
    try sandbox.dv("model", "register", "churn", "model.bin", "--bump", "minor").succeed()
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production", "-m", "first").succeed()
    try sandbox.dv("model", "promote", "churn", "v0.2.0", "staging").succeed()
    try sandbox.dv("model", "promote", "churn", "v0.2.0", "production", "-m", "better").succeed()
    try sandbox.dv("model", "promote", "churn", "v0.2.0", "production").exit(2)
    try sandbox.dv("model", "promote", "churn", "v0.9.0", "production").exit(2)
    #expect(try sandbox.dv("model", "list").succeed().text == "churn  v0.2.0  2 versions  production v0.2.0, staging v0.2.0\n")
    let back = try sandbox.dv("model", "rollback", "churn", "--json").succeed().json
    #expect(back["version"] as? String == "v0.1.0" && back["previous"] as? String == "v0.2.0")
    #expect(try sandbox.dv("model", "show", "churn@production").succeed().text.contains("churn@v0.1.0"))
    #expect(try sandbox.dv("model", "show", "churn@v0.1.0").succeed().text.contains("# the first"))
    // The older content comes back, proved, whole, and not over anything.
    try sandbox.dv("model", "get", "churn@production", "-o", "got.bin").succeed()
    #expect(try sandbox.read("got.bin") == "one\nweights\n")
    try sandbox.dv("model", "get", "churn@staging", "-o", "got.bin").exit(7)
    #expect(try sandbox.read("got.bin") == "one\nweights\n")
    try sandbox.dv("model", "get", "churn@latest", "-o", "got.bin", "--force").succeed()
    #expect(try sandbox.read("got.bin") == "two\nweights\n")
    let events = try #require(try sandbox.dv("model", "history", "churn", "--json").succeed().json["events"] as? [[String: Any]])
    #expect(events.map { $0["action"] as? String } == ["register", "register", "assign", "assign", "assign", "assign"])
    #expect(events.compactMap { $0["reason"] as? String } == ["first", "better"])
    let differences = try #require(try sandbox.dv("model", "diff", "churn", "v0.1.0", "v0.2.0", "--json").succeed().json["differences"] as? [[String: Any]])
    #expect(differences.contains { $0["kind"] as? String == "input" && $0["name"] as? String == "in.txt" })
    try sandbox.dv("model", "deprecate", "churn", "-m", "old").succeed()
    try train(sandbox, "three")
    try sandbox.commit("three")
    try sandbox.dv("model", "register", "churn", "model.bin").exit(2)
  }

  @Test func directoriesAreModelsToo() throws {
    let sandbox = try Sandbox()
    try sandbox.shell("mkdir -p m/sub m/empty && echo a > m/sub/a && printf '#!/bin/sh\n' > m/run && chmod +x m/run && ln -s sub/a m/link")
    try sandbox.dv("add", "m").succeed()
    try sandbox.commit("m")
    try sandbox.dv("model", "register", "tree", "m").succeed()
    try sandbox.dv("model", "get", "tree@v0.1.0", "-o", "../out").succeed()
    try sandbox.shell("diff -r --no-dereference m ../out && test -x ../out/run && test -d ../out/empty && test -L ../out/link")
    try sandbox.dv("model", "get", "tree@v0.1.0", "-o", "../out", "--force").exit(7)
  }

  /// Two clones promote at once and push: nobody's decision is lost silently.
  @Test func forkedPromotionsAreContestedUntilResolved() throws {
    let sandbox = try Sandbox()
    try sandbox.write("one\n", to: "model.bin")
    try sandbox.dv("add", "model.bin").succeed()
    try sandbox.commit("one")
    try sandbox.dv("model", "register", "churn", "model.bin").succeed()
    try sandbox.write("two\n", to: "model.bin")
    try sandbox.dv("add", "model.bin").succeed()
    try sandbox.commit("two")
    try sandbox.dv("model", "register", "churn", "model.bin", "--version", "v0.2.0").succeed()
    try sandbox.shell("git init -q --bare ../hub && git remote add hub ../hub && git push -q hub main --tags && git clone -q ../hub ../other")
    let other = sandbox.folder.appending("other")
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production").succeed()
    try sandbox.dv("model", "promote", "churn", "v0.2.0", "staging", in: other).succeed()
    try sandbox.dv("model", "promote", "churn", "v0.2.0", "production", in: other).succeed()
    try sandbox.git("push", "--quiet", "hub", "churn#production#1").succeed()
    try sandbox.git("push", "--quiet", "origin", "churn#production#2", "churn#staging#1", in: other).succeed()
    try sandbox.git("fetch", "--quiet", "--tags", "hub").succeed()
    let refused = try sandbox.dv("model", "get", "churn@production", "-o", "out").exit(7)
    #expect(refused.errorText.contains("contested") && refused.errorText.contains("v0.1.0") && refused.errorText.contains("v0.2.0"))
    try sandbox.dv("model", "show", "churn").exit(7)
    // Nobody builds on what is not decided.
    try sandbox.dv("remote", "add", "origin", "../remote").succeed()
    #expect(try sandbox.dv("push").exit(7).errorText.contains("contested"))
    try sandbox.dv("model", "promote", "churn", "v0.2.0", "production").exit(7)
    try sandbox.dv("model", "promote", "churn", "v0.2.0", "production", "--resolve").succeed()
    try sandbox.dv("push").succeed()
    try sandbox.dv("model", "get", "churn@production", "-o", "out").succeed()
    #expect(try sandbox.read("out") == "two\n")
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production", "--resolve").exit(2)
  }

  /// Who removes a tag on record takes it out of the chain, and stays in the history of the model.
  @Test func removedTagsStayInTheHistory() throws {
    let sandbox = try Sandbox()
    for number in 1...3 {
      try sandbox.write("\(number)\n", to: "model.bin")
      try sandbox.dv("add", "model.bin").succeed()
      try sandbox.commit("\(number)")
      try sandbox.dv("model", "register", "churn", "model.bin", "--version", "v\(number).0.0").succeed()
      try sandbox.dv("model", "promote", "churn", "v\(number).0.0", "production").succeed()
    }
    func holder() throws -> [String] {
      let graph = try sandbox.dv("lineage", "churn@production", "--depth", "1", "--json").succeed().json
      let nodes = try #require(graph["nodes"] as? [[String: Any]])
      return nodes.filter { $0["type"] as? String == "model" }.compactMap { $0["label"] as? String }
    }
    let removed = try sandbox.dv("model", "remove", "churn#production#2", "-m", "the slices were wrong", "--json").succeed().json
    // The move after it follows the one before it: nothing is contested, here nor in the graph.
    try sandbox.dv("model", "get", "churn@production", "-o", "out").succeed()
    #expect(try sandbox.read("out") == "3\n")
    #expect(try holder() == ["churn@v3.0.0"])
    let lines = try sandbox.dv("model", "history", "churn").succeed().text.split(separator: "\n")
    #expect(lines.count == 6)
    #expect(lines.last?.contains("churn#production#2 removed") == true && lines.last?.contains("the slices were wrong") == true, "\(lines)")
    let history = try sandbox.dv("model", "history", "churn", "--json").succeed().json
    let removals = try #require(history["removals"] as? [[String: Any]])
    #expect(removals.count == 1 && removals[0]["tag"] as? String == "churn#production#2" && removals[0]["reason"] as? String == "the slices were wrong")
    #expect(removals[0]["object"] as? String == removed["object"] as? String && removals[0]["removal"] as? String == removed["removal"] as? String)
    #expect((removals[0]["user"] as? String)?.hasPrefix("Ada") == true && removals[0]["time"] is Int)
    // Back to the one before it; its number is not used again.
    try sandbox.dv("model", "rollback", "churn").succeed()
    #expect(try holder() == ["churn@v1.0.0"])
    try sandbox.dv("model", "remove", "churn#production#4", "-m", "a test").succeed()
    #expect(try sandbox.dv("model", "promote", "churn", "v2.0.0", "production", "--json").succeed().json["tag"] as? String == "churn#production#5")
    // Who registers with changed data at hand is told that it is not that.
    try sandbox.write("changed\n", to: "model.bin")
    let told = try sandbox.dv("model", "register", "other", "model.bin", "--describe", "the third try").succeed()
    #expect(told.errorText.contains("'model.bin' differs from the commit"))
    try sandbox.dv("model", "deprecate", "other", "-m", "replaced by churn").succeed()
    let why = try sandbox.dv("model", "history", "other").succeed().text.split(separator: "\n")
    #expect(why.count == 2 && why[0].hasSuffix("the third try") && why[1].hasSuffix("replaced by churn"), "\(why)")
    // When all is removed, that is what there is to tell.
    for tag in ["#production#5", "#production#3", "#production#1", "@v3.0.0", "@v2.0.0", "@v1.0.0"] {
      try sandbox.dv("model", "remove", .init("churn" + tag), "-m", "all of it").succeed()
    }
    #expect(try sandbox.dv("model", "history", "churn").succeed().text.split(separator: "\n").count == 8)
    try sandbox.dv("model", "show", "churn").exit(2)
    #expect(try !sandbox.dv("model", "list").succeed().text.contains("churn"))
  }

  /// A tag that was moved, or whose record was written by hand, is not believed.
  @Test func movedAndForgedTagsAreRefused() throws {
    let sandbox = try Sandbox()
    try sandbox.write("one\n", to: "model.bin")
    try sandbox.dv("add", "model.bin").succeed()
    try sandbox.commit("one")
    try sandbox.dv("model", "register", "churn", "model.bin").succeed()
    try sandbox.write("two\n", to: "model.bin")
    try sandbox.dv("add", "model.bin").succeed()
    try sandbox.commit("two")
    // The record says the first commit, the tag now the second.
    try sandbox.shell("git tag -f -a --cleanup=verbatim -m \"$(git tag -l --format='%(contents)' churn@v0.1.0)\" churn@v0.1.0 HEAD")
    #expect(try sandbox.dv("model", "get", "churn@v0.1.0", "-o", "out").exit(4).errorText.contains("names commit"))
    // A record that agrees with its tag but not with the commit.
    try sandbox.shell(
      """
      m=$(git tag -l --format='%(contents)' churn@v0.1.0 | sed "s/\\"commit\\":\\"[0-9a-f]*\\"/\\"commit\\":\\"$(git rev-parse HEAD)\\"/")
      git tag -f -a --cleanup=verbatim -m "$m" churn@v0.1.0 HEAD
      """)
    #expect(try sandbox.dv("model", "get", "churn@v0.1.0", "-o", "out").exit(4).errorText.contains("altered"))
    #expect(try !sandbox.exists("out"))
  }

  /// Whoever takes the record out of an alias's tag does not decide silently, and one that is damaged is named.
  @Test func strippedAndDamagedAliasTagsAreReported() throws {
    let sandbox = try Sandbox()
    for (content, version) in [("one", "v0.1.0"), ("two", "v0.2.0")] {
      try sandbox.write("\(content)\n", to: "model.bin")
      try sandbox.dv("add", "model.bin").succeed()
      try sandbox.commit(content)
      try sandbox.dv("model", "register", "churn", "model.bin", "--version", Sandbox.Argument(version)).succeed()
    }
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production").succeed()
    try sandbox.dv("model", "promote", "churn", "v0.2.0", "production").succeed()
    try sandbox.shell("git tag kept 'churn#production#2' && git tag -f -a -m 'Assign production' 'churn#production#2' 'churn#production#2^{}'")
    #expect(try sandbox.dv("model", "get", "churn@production", "-o", "out").exit(7).errorText.contains("without a record of dv's"))
    try sandbox.shell(
      """
      m=$(git tag -l --format='%(contents)' kept | sed 's/"previous":"[0-9a-f]*"/"previous":7/')
      git tag -f -a --cleanup=verbatim -m "$m" 'churn#production#2' 'kept^{}'
      """)
    let refused = try sandbox.dv("model", "get", "churn@production", "-o", "out").exit(4).errorText
    #expect(refused.contains("churn#production#2") && refused.contains("'previous'"))
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production").exit(4)
    try sandbox.dv("model", "promote", "churn", "v0.2.0", "production", "--resolve").succeed()
    try sandbox.dv("model", "get", "churn@production", "-o", "out").succeed()
    #expect(try sandbox.read("out") == "two\n")
  }
}
