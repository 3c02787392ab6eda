import DVFile
import Foundation
import SystemPackage
import Testing

/// `dv init`, `dv config` and `dv hash`.
@Suite struct SetupTests {
  @Test func initKeepsTheUsersLines() throws {
    let sandbox = try Sandbox(initialised: false)
    try sandbox.write("*.png binary", to: ".gitattributes")
    try sandbox.write("# ours\n[core]\n\tremote = lab\n", to: ".dv/config")
    try sandbox.dv("init").succeed()
    #expect(try sandbox.read(".gitattributes") == "*.png binary\n*.dv diff=dv merge=dv\n")
    #expect(try sandbox.read(".dv/config") == "# ours\n[core]\n\tremote = lab\n\ttreeVersion = 1\n")
    #expect(try sandbox.git("diff", "--cached", "--name-only").text == ".dv/config\n.gitattributes\n")
    let again = try sandbox.dv("init", "--json").succeed().json
    #expect((again["changed"] as? [String])?.isEmpty == true)
    #expect(try sandbox.git("diff", "--name-only").text == "")
  }

  @Test func refusesTreesOfANewerDV() throws {
    let sandbox = try Sandbox()
    try sandbox.write("[core]\n\ttreeVersion = 2\n", to: ".dv/config")
    try sandbox.write("x", to: "data")
    #expect(try sandbox.dv("add", "data").exit(2).errorText.contains("treeVersion"))
    #expect(try sandbox.dv("init").exit(2).errorText.contains("treeVersion"))
  }

  @Test func initNeedsAWorkingTree() throws {
    let sandbox = try Sandbox(initialised: false)
    try sandbox.git("init", "-q", "--bare", "../bare").succeed()
    try sandbox.dv("init", in: sandbox.folder.appending("bare")).exit(2)
    #expect(try sandbox.dv("init", in: sandbox.folder).exit(2).errorText.contains("git init"))
  }

  @Test func configurationHasPlaces() throws {
    let sandbox = try Sandbox()
    try sandbox.dv("config", "core.remote").exit(1)
    try sandbox.dv("config", "--user", "core.remote", "mine").succeed()
    try sandbox.dv("config", "--project", "set", "core.remote", "ours").succeed()
    #expect(try sandbox.dv("config", "core.remote").succeed().text == "ours\n")
    try sandbox.dv("config", "core.remote", "here").succeed()
    #expect(try sandbox.dv("config", "get", "core.remote").succeed().text == "here\n")
    #expect(try sandbox.dv("config", "--user", "core.remote").succeed().text == "mine\n")
    #expect(try sandbox.dv("config", "--project", "list").succeed().text == "core.treeversion=1\ncore.remote=ours\n")
    #expect(try sandbox.read(".git/dv/config").contains("remote = here"))
    try sandbox.dv("config", "unset", "core.remote").succeed()
    #expect(try sandbox.dv("config", "unset", "core.remote").exit(2).errorText.contains("--project"))
    #expect(try sandbox.dv("config", "core.remote").succeed().text == "ours\n")
    // Outside of a repository there is a user still.
    #expect(try sandbox.dv("config", "--user", "core.remote", in: sandbox.folder).succeed().text == "mine\n")
    try sandbox.dv("config", "core.remote", in: sandbox.folder).exit(2)
    try sandbox.dv("config").exit(2)
    try sandbox.dv("config", "no-name").exit(2)
    #expect(try sandbox.dv("config", "--project", "remote.lab.token", "x").exit(2).errorText.contains("committed"))
  }

  /// `dv hash` and sha256sum print the same bytes, whatever the names.
  @Test func hashPrintsLikeSHA256Sum() throws {
    let sandbox = try Sandbox(initialised: false)
    let files = Sandbox.oddNames.map { sandbox.folder.appending("files").appending(name: $0) }
    for (number, file) in files.enumerated() { try sandbox.write("\(number)", to: file) }
    let names = Sandbox.oddNames.map { Sandbox.Argument($0) }
    let directory = sandbox.folder.appending("files")
    let ours = try sandbox.run([Sandbox.Argument(Sandbox.program), "hash", "--"] + names, in: directory).succeed()
    let theirs = try sandbox.run(["sha256sum", "--"] + names, in: directory).succeed()
    #expect(ours.output == theirs.output)
    let partly = try sandbox.dv("hash", "nothing", "plain", in: directory).exit(2)
    #expect(partly.text.hasSuffix("  plain\n") && partly.errorText.contains("'nothing'"))
  }

  @Test func hashNamesATreeAsAddDoes() throws {
    let sandbox = try Sandbox()
    try sandbox.writeOddTree(at: sandbox.path("data"))
    try sandbox.write("*.tmp\n", to: ".dvignore")
    try sandbox.write("x", to: "data/scratch.tmp")
    let hash = try sandbox.dv("hash", "data").succeed().text
    try sandbox.dv("add", "data").succeed()
    #expect(try sandbox.read("data.dv").contains("oid sha256:\(hash.prefix(64))\n"))
    #expect(hash.dropFirst(64) == "  data\n")
    #expect(try sandbox.dv("hash", "empty directory", in: sandbox.path("data")).succeed().text.count == 64 + 2 + 16)
  }
}
