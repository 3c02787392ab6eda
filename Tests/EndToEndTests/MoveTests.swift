import DVFile
import Foundation
import SystemPackage
import Testing

/// `dv mv` and `dv rm`: what they do to data, pointer, `.gitignore` and git's index, and what they refuse.
@Suite struct MoveTests {
  /// A repository with a committed dataset and a model.
  private func tracked() throws -> Sandbox {
    let sandbox = try Sandbox()
    for name in ["a", "b", "sub/c", "sub/d"] { try sandbox.write("content of \(name)", to: "data/\(name)") }
    try sandbox.write("weights", to: "model.bin")
    try sandbox.dv("add", "data", "model.bin").succeed()
    try sandbox.commit("one")
    return sandbox
  }

  private func status(_ sandbox: Sandbox) throws -> String { try sandbox.git("status", "--short").succeed().text }

  // MARK: mv

  @Test func movesATarget() throws {
    let sandbox = try tracked()
    try sandbox.path("other").createDirectories()
    try sandbox.dv("mv", "data", "other").succeed()
    #expect(try status(sandbox) == "M  .gitignore\nA  other/.gitignore\nR  data.dv -> other/data.dv\n")
    #expect(try sandbox.read("other/data/sub/c") == "content of sub/c")
    #expect(try !sandbox.exists("data") && !sandbox.exists("data.dv"))
    try sandbox.dv("status", "--exit-code").succeed()
    try sandbox.dv("mv", "other/data", "data").succeed()
    #expect(try !sandbox.exists("other/.gitignore"))
    try sandbox.commit()
    #expect(try status(sandbox).isEmpty)
    // A pointer names its data, from any directory.
    try sandbox.dv("mv", "../model.bin.dv", "../weights", in: sandbox.path("other")).succeed()
    #expect(try sandbox.read("weights") == "weights")
    try sandbox.dv("status", "--exit-code").succeed()
  }

  @Test func movesModifiedDataAsItIs() throws {
    let sandbox = try tracked()
    try sandbox.write("modified", to: "data/a")
    try sandbox.dv("mv", "data", "moved").succeed()
    #expect(try sandbox.read("moved/a") == "modified")
    #expect(try sandbox.dv("status").succeed().text.contains("moved/a"))
  }

  @Test func movesDataThatIsNotHere() throws {
    let sandbox = try tracked()
    try sandbox.path("data").removeTree()
    #expect(try sandbox.dv("mv", "data", "moved").succeed().text.contains("not on disk"))
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.read("moved/sub/c") == "content of sub/c")
    try sandbox.path("moved").removeTree()
    try sandbox.dv("mv", "moved/sub/c", "moved/e").succeed()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.read("moved/e") == "content of sub/c")
    #expect(try !sandbox.exists("moved/sub/c"))
  }

  @Test func neverOverwrites() throws {
    let sandbox = try tracked()
    try sandbox.write("mine", to: "file")
    for (source, destination) in [
      ("model.bin", "file"), ("model.bin", "data"), ("data", "model.bin"), ("data/a", "data/b"),
      ("data/sub/c", "data/b"),
    ] {
      try sandbox.dv("mv", .init(source), .init(destination)).exit(7)
    }
    for (source, destination) in [
      ("data", "data"), ("data", "data/x"), ("data/sub", "data/sub/x"), ("none", "x"), ("model.bin", "no/dir"),
      ("model.bin", "x.dv"), ("data/a", "outside"), ("data/none", "data/x"), ("model.bin", "../x"),
      ("model.bin", ".git/x"),
    ] {
      try sandbox.dv("mv", .init(source), .init(destination)).exit(2)
    }
    #expect(try sandbox.read("file") == "mine")
    try sandbox.dv("status", "--exit-code").succeed()
    #expect(try status(sandbox) == "?? file\n")
  }

  @Test func renamesInsideATrackedDirectory() throws {
    let sandbox = try tracked()
    try sandbox.dv("mv", "data/a", "data/sub").succeed()
    try sandbox.dv("mv", "data/sub", "data/deep").succeed()
    #expect(try sandbox.dv("ls", "-R", "data").succeed().text == "b\ndeep/\ndeep/a\ndeep/c\ndeep/d\n")
    #expect(try sandbox.read("data/deep/a") == "content of a")
    try sandbox.dv("status", "--exit-code").succeed()
    #expect(try status(sandbox) == "M  data.dv\n")
    // What is modified is not committed by the way.
    try sandbox.write("modified", to: "data/b")
    try sandbox.dv("mv", "data/b", "data/e").exit(7)
    #expect(try sandbox.read("data/b") == "modified")
  }

  @Test func movesFromOneDatasetToAnother() throws {
    let sandbox = try tracked()
    try sandbox.write("x", to: "more/x")
    try sandbox.dv("add", "more").succeed()
    try sandbox.dv("mv", "data/sub", "more").succeed()
    #expect(try sandbox.dv("ls", "-R", "more").succeed().text == "sub/\nsub/c\nsub/d\nx\n")
    #expect(try sandbox.dv("ls", "-R", "data").succeed().text == "a\nb\n")
    try sandbox.dv("status", "--exit-code").succeed()
  }

  /// What a killed move left is completed by running it again.
  @Test func goesOnWhereItWasKilled() throws {
    // After the pointer, after the data, and with all but the old pointer done.
    for step in 0..<3 {
      let sandbox = try tracked()
      try sandbox.shell("cp data.dv moved.dv")
      if step > 0 { try sandbox.shell("mv data moved") }
      if step > 1 { try sandbox.shell("git rm -q --cached data.dv && git add moved.dv") }
      try sandbox.dv("mv", "data", "moved").succeed()
      #expect(try !sandbox.exists("data") && !sandbox.exists("data.dv"))
      #expect(try sandbox.read("moved/a") == "content of a")
      #expect(try sandbox.read(".gitignore").contains("/moved\n"))
      try sandbox.dv("status", "--exit-code").succeed()
      #expect(try status(sandbox).contains("R  data.dv -> moved.dv"))
    }
    let sandbox = try tracked()
    try sandbox.shell("mv data/a data/e")
    try sandbox.dv("mv", "data/a", "data/e").succeed()
    try sandbox.dv("status", "--exit-code").succeed()
  }

  // MARK: rm

  @Test func stopsTracking() throws {
    let sandbox = try tracked()
    try sandbox.dv("rm", "data").exit(2)
    try sandbox.dv("rm", "-r", "data").succeed()
    #expect(try !sandbox.exists("data") && !sandbox.exists("data.dv"))
    #expect(try status(sandbox) == "M  .gitignore\nD  data.dv\n")
    try sandbox.dv("rm", "model.bin.dv").succeed()
    #expect(try !sandbox.exists("model.bin") && !sandbox.exists(".gitignore"))
    // History has it.
    try sandbox.git("reset", "--hard", "--quiet").succeed()
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.read("data/sub/c") == "content of sub/c")
  }

  @Test(arguments: ["--keep", "--cached"])
  func keepsData(option: String) throws {
    let sandbox = try tracked()
    try sandbox.write("modified", to: "data/a")
    try sandbox.dv("rm", "-r", .init(option), "data").succeed()
    #expect(try sandbox.read("data/a") == "modified")
    #expect(try status(sandbox) == "M  .gitignore\nD  data.dv\n?? data/\n")
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.read("data/b") == "content of b")
    // Inside a directory: out of the version, still on disk.
    try sandbox.git("reset", "--hard", "--quiet").succeed()
    try sandbox.dv("rm", .init(option), "data/b").succeed()
    #expect(try sandbox.dv("ls", "data").succeed().text == "a\nsub/\n")
    #expect(try sandbox.read("data/b") == "content of b")
    try sandbox.commit("two")
    try sandbox.git("checkout", "-q", "HEAD~1").succeed()
    try sandbox.git("checkout", "-q", "main").succeed()
    try sandbox.dv("checkout", "--force").succeed()
    #expect(try sandbox.read("data/b") == "content of b")
  }

  @Test func removesInsideATrackedDirectory() throws {
    let sandbox = try tracked()
    try sandbox.dv("rm", "data/sub").exit(2)
    try sandbox.dv("rm", "-r", "data/sub", "data/a").succeed()
    #expect(try sandbox.dv("ls", "-R", "data").succeed().text == "b\n")
    #expect(try !sandbox.exists("data/sub") && !sandbox.exists("data/a"))
    try sandbox.dv("status", "--exit-code").succeed()
    try sandbox.dv("rm", "data/none").exit(2)
    try sandbox.dv("rm", "none").exit(2)
  }

  /// Modified, never added, or in no commit: all of it is refused before anything is removed.
  @Test func refusesToLoseData() throws {
    let sandbox = try tracked()
    try sandbox.write("modified", to: "data/a")
    try sandbox.write("new", to: "data/sub/new")
    for path in ["data", "data/a", "data/sub"] {
      let outcome = try sandbox.dv("rm", "-r", "model.bin", .init(path)).exit(7)
      #expect(outcome.errorText.contains("nothing was changed"))
    }
    try sandbox.dv("rm", "data/b").succeed()
    try sandbox.dv("add", "data").succeed()
    #expect(try sandbox.dv("rm", "-r", "data").exit(7).errorText.contains("in no commit"))
    #expect(try sandbox.read("data/a") == "modified" && sandbox.read("model.bin") == "weights")
    try sandbox.dv("rm", "-r", "--force", "data").succeed()
    #expect(try !sandbox.exists("data"))
  }
}
