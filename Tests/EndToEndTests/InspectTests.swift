import DVFile
import Foundation
import SystemPackage
import Testing

/// `dv diff`, `ls`, `cat` and `du`: data of any version, checked out or not.
@Suite struct InspectTests {
  /// Two commits of a dataset, the second with one change of each kind.
  private func changed() throws -> Sandbox {
    let sandbox = try Sandbox()
    for name in ["changed", "mode", "gone", "old name", "sub/kept"] {
      try sandbox.write("content of \(name)", to: "data/\(name)")
    }
    try sandbox.write("weights", to: "model.bin")
    try sandbox.dv("add", "data", "model.bin").succeed()
    try sandbox.commit("one")
    try sandbox.write("other content", to: "data/changed")
    try sandbox.path("data/mode").setExecutable(true)
    try sandbox.path("data/gone").removeFile()
    try sandbox.path("data/old name").rename(to: sandbox.path("data/new name"))
    try sandbox.write("new", to: "data/sub/new")
    return sandbox
  }

  private static let lines = [
    "M  data/changed  18 B -> 13 B (-5 B)", "D  data/gone  15 B", "M  data/mode  now executable",
    "R  data/old name -> data/new name  19 B", "A  data/sub/new  3 B",
    "5 files changed: 1 added, 2 modified, 1 deleted, 1 renamed; +3 B -20 B",
  ]

  @Test func diffNamesEveryChange() throws {
    let sandbox = try changed()
    let expected = Self.lines.map { $0 + "\n" }.joined()
    #expect(try sandbox.dv("diff").succeed().text == expected)
    #expect(try sandbox.dv("diff", "HEAD").succeed().text == expected)
    try sandbox.dv("diff", "--exit-code").exit(1)
    try sandbox.dv("add", "data").succeed()
    #expect(try sandbox.dv("diff").succeed().text == expected)
    try sandbox.commit("two")
    #expect(try sandbox.dv("diff", "--exit-code").succeed().text.isEmpty)
    #expect(try sandbox.dv("diff", "HEAD~1", "HEAD").succeed().text == expected)
    #expect(try sandbox.dv("diff", "HEAD~1..HEAD").succeed().text == expected)
    #expect(try sandbox.dv("diff", "HEAD~1").succeed().text == expected)
    let back = try sandbox.dv("diff", "HEAD", "HEAD~1").succeed().text
    #expect(back.contains("A  data/gone") && back.contains("R  data/new name -> data/old name"))
  }

  @Test func diffOfPathsAndRevisions() throws {
    let sandbox = try changed()
    #expect(
      try sandbox.dv("diff", "data/sub").succeed().text == "A  data/sub/new  3 B\n1 file changed: 1 added; +3 B\n")
    let inside = sandbox.path("data/sub")
    #expect(try sandbox.dv("diff", "HEAD", "--", "new", in: inside).succeed().text.hasPrefix("A  data/sub/new"))
    #expect(try sandbox.dv("diff", "model.bin").succeed().text.isEmpty)
    try sandbox.dv("diff", "nothing").exit(2)
    try sandbox.write("x", to: "HEAD")
    let ambiguous = try sandbox.dv("diff", "HEAD").exit(2)
    #expect(ambiguous.errorText.contains("both a revision and a path"))
    try sandbox.dv("diff", "HEAD", "--").succeed()
  }

  @Test func diffAsJSON() throws {
    let sandbox = try changed()
    let json = try sandbox.dv("diff", "--json").succeed().json
    #expect(json["schema"] as? String == "dv.diff/1")
    let changes = try #require(json["changes"] as? [[String: Any]])
    #expect(changes.map { $0["change"] as? String } == ["modified", "removed", "mode", "renamed", "added"])
    #expect(changes[3]["previousPath"] as? String == "data/old name")
    #expect(changes[0]["bytes"] as? Int == -5)
    let totals = try #require(json["totals"] as? [String: Any])
    #expect(totals["added"] as? Int == 1 && totals["shrunkBytes"] as? Int == 20)
  }

  @Test func diffOfWholeTargets() throws {
    let sandbox = try changed()
    try sandbox.path("data").removeTree()
    try sandbox.dv("checkout").succeed()
    try sandbox.dv("mv", "data", "renamed").succeed()
    try sandbox.dv("rm", "--force", "model.bin").succeed()
    try sandbox.write("#!/bin/sh\n", to: sandbox.path("tool"), mode: [.ownerReadWriteExecute])
    try sandbox.dv("add", "tool").succeed()
    let text = try sandbox.dv("diff").succeed().text
    #expect(
      text == """
        D  model.bin  7 B
        R  data -> renamed/  86 B in 5 files
        A  tool  10 B
        7 files changed: 1 added, 1 deleted, 5 renamed; +10 B -7 B

        """)
  }

  /// Without the objects it is still told which data changed, and how to see more.
  @Test func diffWithoutObjects() throws {
    let sandbox = try changed()
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("two")
    try sandbox.git("clone", "-q", ".", "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    let text = try sandbox.dv("diff", "HEAD~1", "HEAD", in: clone).succeed().text
    #expect(text.hasPrefix("M  data/  ") && text.contains("dv fetch --rev HEAD~1 data"))
    try sandbox.dv("diff", "--exit-code", "HEAD~1", "HEAD", in: clone).exit(1)
    #expect(try sandbox.dv("diff", "--exit-code", in: clone).succeed().text.contains("not on disk"))
  }

  @Test func listsAnyVersion() throws {
    let sandbox = try changed()
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("two")
    #expect(try sandbox.dv("ls").succeed().text == "data/\nmodel.bin\n")
    #expect(try sandbox.dv("ls", "data").succeed().text == "changed\nmode\nnew name\nsub/\n")
    #expect(try sandbox.dv("ls", "HEAD~1:data/sub").succeed().text == "kept\n")
    #expect(try sandbox.dv("ls", "-R", "HEAD~1:").succeed().text.contains("data/sub/kept\nmodel.bin\n"))
    #expect(try sandbox.dv("ls", "HEAD~1:sub", in: sandbox.path("data")).succeed().text == "kept\n")
    let long = try sandbox.dv("ls", "-l", "data").succeed().text.split(separator: "\n")
    #expect(long[1].hasPrefix("exec  ") && long[3].hasSuffix("2 files  sub/"))
    let json = try sandbox.dv("ls", "--json", "data/sub").succeed().json
    #expect((json["entries"] as? [[String: Any]])?.map { $0["path"] as? String } == ["kept", "new"])
    try sandbox.dv("ls", "nothing").exit(2)
    try sandbox.dv("ls", "HEAD:data/gone").exit(2)
    #expect(try sandbox.dv("ls", "nowhere:data").exit(2).errorText.contains("Revision 'nowhere'"))
  }

  @Test func printsAnyVersion() throws {
    let sandbox = try changed()
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("two")
    #expect(try sandbox.dv("cat", "HEAD~1:data/changed").succeed().text == "content of changed")
    #expect(try sandbox.dv("cat", "data/changed").succeed().text == "other content")
    #expect(try sandbox.dv("cat", "HEAD~1:model.bin").succeed().text == "weights")
    try sandbox.dv("cat", "data").exit(2)
    try sandbox.dv("cat", "data/sub").exit(2)
    try sandbox.dv("cat", "data/none").exit(2)
    // A name with a colon is a path where no revision is meant.
    try sandbox.write("colon", to: "a:b")
    try sandbox.dv("add", "a:b").succeed()
    #expect(try sandbox.dv("cat", "a:b").succeed().text == "colon")
    #expect(try sandbox.dv("cat", "./a:b").succeed().text == "colon")
  }

  /// A large file comes through a temporary file, and nothing is left of that.
  @Test func printsLargeFiles() throws {
    let sandbox = try Sandbox()
    var bytes: [UInt8] = []
    var word: UInt64 = 1
    while bytes.count < 20_000_000 {
      word = word &* 6_364_136_223_846_793_005 &+ 1
      bytes.append(contentsOf: [UInt8](repeating: UInt8(word >> 56), count: Int(word >> 60) + 1))
    }
    try sandbox.write(bytes, to: sandbox.path("big"))
    try sandbox.dv("add", "big").succeed()
    #expect(try sandbox.dv("cat", "big").succeed().output == bytes)
    #expect(try sandbox.path(".git/dv/store/tmp").listDirectory().isEmpty)
  }

  /// Of damaged content not a byte is printed, unless another store has it.
  @Test(arguments: [1000, 20_000_000])
  func printsNoWrongByte(size: Int) throws {
    let sandbox = try Sandbox()
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    try sandbox.write(bytes, to: sandbox.path("file"))
    try sandbox.dv("add", "file").succeed()
    try sandbox.commit()
    let remote = sandbox.folder.appending("remote")
    try remote.createDirectories()
    let packs = sandbox.path(".git/dv/store/packs")
    try sandbox.shell("cp -r '\(packs.string)' ../packs")
    for pack in try Self.files(below: packs) {
      try sandbox.shell("chmod u+w '\(pack.string)'")
      var content = try pack.readAll(limit: 1 << 30)
      for index in content.indices where index > 64 && index % 97 == 0 { content[index] ^= 0x40 }
      try pack.replaceContent(with: content.span)
    }
    let outcome = try sandbox.dv("cat", "file").exit(4)
    #expect(outcome.output.isEmpty)
    // With a remote that has it whole, it is read from there.
    try sandbox.shell(
      "mkdir ../good && cp -r .git/dv/store/. ../good && rm -rf ../good/packs && cp -r ../packs ../good/packs")
    try sandbox.dv("remote", "add", "origin", Sandbox.Argument(sandbox.folder.appending("good"))).succeed()
    #expect(try sandbox.dv("cat", "file").succeed().output == bytes)
  }

  private static func files(below directory: FilePath) throws -> [FilePath] {
    let names = FileManager.default.enumerator(atPath: directory.string)?.compactMap { $0 as? String } ?? []
    return try names.map { directory.appending($0) }.filter { try $0.fileStat()?.kind == .regular }
  }

  /// A clone that holds nothing reads what it shows from the remote.
  @Test func readsFromTheRemote() throws {
    let sandbox = try changed()
    let remote = sandbox.folder.appending("remote")
    try remote.createDirectories()
    try sandbox.dv("remote", "add", "origin", Sandbox.Argument(remote)).succeed()
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("two")
    try sandbox.dv("push", "--all").succeed()
    try sandbox.git("clone", "-q", ".", "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    #expect(try sandbox.dv("ls", "data/sub", in: clone).succeed().text == "kept\nnew\n")
    #expect(try sandbox.dv("cat", "HEAD~1:data/changed", in: clone).succeed().text == "content of changed")
    #expect(try sandbox.dv("diff", "HEAD~1", "HEAD", in: clone).succeed().text == Self.lines.map { $0 + "\n" }.joined())
    try remote.removeTree()
    let missing = try sandbox.dv("cat", "data/changed", in: clone).exit(5)
    #expect(missing.output.isEmpty && missing.errorText.contains("Remote 'origin'"))
    // Pointers alone still tell what changed.
    #expect(try sandbox.dv("diff", "HEAD~1", "HEAD", in: clone).succeed().text.hasPrefix("M  data/"))
  }

  @Test func missingEverywhereSaysHowToGetIt() throws {
    let sandbox = try changed()
    try sandbox.git("clone", "-q", ".", "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    for command in ["ls", "cat"] {
      let outcome = try sandbox.dv(.init(command), "HEAD:data/sub/kept", in: clone).exit(3)
      #expect(outcome.errorText.contains("dv fetch --rev HEAD data"))
    }
  }

  @Test func measuresWhatVersionsShare() throws {
    let sandbox = try Sandbox()
    let parts = (0..<4).map { part in (0..<40_000).map { UInt8(truncatingIfNeeded: ($0 &* $0) >> 7 &+ part &* 77) } }
    for (index, part) in parts.enumerated() { try sandbox.write(part, to: sandbox.path("data/part\(index)")) }
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("one")
    try sandbox.write("changed", to: "data/part0")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("two")
    let json = try sandbox.dv("du", "--history", "--json").succeed().json
    let versions = try #require(json["versions"] as? [[String: Any]])
    #expect(versions.map { $0["size"] as? Int } == [120_007, 160_000])
    #expect(versions.map { $0["files"] as? Int } == [4, 4])
    let stored = versions.map { $0["stored"] as? Int ?? 0 }
    let shared = versions.map { $0["shared"] as? Int ?? 0 }
    #expect(shared[0] == 0 && shared[1] > 0 && shared[1] < stored[1])
    #expect(json["stored"] as? Int == stored[0] + stored[1] - shared[1])
    #expect(try sandbox.dv("du", "HEAD~1:data/part0").succeed().text.contains("40.0 kB"))
  }
}
