import DVFile
import SystemPackage
import Testing

/// What is committed comes from whoever may push: it claims, links and includes what it likes.
@Suite struct HostileTests {
  /// Sizes near 2^64 are claims; sums of them end no program.
  @Test func claimsOfSizesAreOnlyClaims() throws {
    let sandbox = try Sandbox()
    for name in ["one", "two", "three"] {
      let text = "dv-pointer 1\nkind tree\noid sha256:\(String(repeating: "a", count: 64))\nsize 18446744073709551615\nfiles 18446744073709551615\n"
      try sandbox.write(text, to: "\(name).dv")
    }
    try sandbox.git("add", "--all").succeed()
    for command in [["du"], ["diff", "HEAD"], ["status"], ["ls"], ["fsck"], ["checkout"], ["gc", "--dry-run"]] {
      let outcome = try sandbox.run(([Sandbox.Argument(Sandbox.program)]) + command.map { Sandbox.Argument($0) })
      #expect(outcome.code <= 4, "\(outcome.command): \(outcome.errorText)")
    }
  }

  /// `.dv/config` is a file of the project: no link to another is read or written, and no file is included.
  @Test func theProjectsConfigurationIsOneFile() throws {
    let sandbox = try Sandbox()
    let outside = sandbox.folder.appending("outside")
    let text = try sandbox.read(".dv/config")
    try sandbox.write(text, to: outside)
    try sandbox.path(".dv/config").removeFile()
    try sandbox.path(".dv/config").createSymlink(to: Array("../../outside".utf8))
    #expect(try sandbox.dv("remote", "add", "origin", "/remote").exit(2).errorText.contains("symbolic link"))
    #expect(String(decoding: try outside.readAll(limit: 1 << 20), as: UTF8.self) == text)
    try sandbox.path(".dv/config").removeFile()
    // A pipe would never end.
    try sandbox.shell("mkfifo ../pipe")
    try sandbox.write(text + "[include]\n\tpath = ../../pipe\n", to: ".dv/config")
    #expect(try sandbox.dv("status").exit(2).errorText.contains("includes other files"))
    try sandbox.path(".dv").rename(to: sandbox.folder.appending("moved"))
    try sandbox.write(text, to: sandbox.folder.appending("moved/config"))
    try sandbox.path(".dv").createSymlink(to: Array("../moved".utf8))
    #expect(try sandbox.dv("remote", "add", "origin", "/remote").exit(2).errorText.contains("not a directory"))
  }

  /// An output is removed before its stage runs: git's directory, dv's and the working tree are none.
  @Test(arguments: [".git", ".dv", ".", "sub/..", ".GIT/hooks"])
  func outputsLeaveTheRepositoryAlone(path: String) throws {
    let sandbox = try Sandbox()
    try sandbox.write("stages:\n  a:\n    cmd: echo made\n    outs: ['\(path)']\n", to: "dv.yaml")
    #expect(try sandbox.dv("repro").exit(2).errorText.contains("cannot be an output"))
    #expect(try sandbox.dv("run", "-o", Sandbox.Argument(path), "--", "true").exit(2).errorText.contains("cannot be an output"))
    try sandbox.git("status").succeed()
  }

  /// A record that somebody committed says where data comes from. It brings no file of this machine in unless that data is named.
  @Test func sourcesOfOthersBringNoPrivateFiles() throws {
    let sandbox = try Sandbox()
    try sandbox.script(
      """
      echo old > ../private && dv import-url -q ../private -o data && git add -A && git commit -qm import && git clone -q . ../clone
      echo secret > ../private
      """)
    let clone = sandbox.folder.appending("clone")
    #expect(try sandbox.dv("update", in: clone).exit(2).errorText.contains("place of this machine"))
    #expect(try sandbox.git("status", "--porcelain", in: clone).text.isEmpty)
    #expect(try !sandbox.exists("../clone/data"))
    // Whoever names it means it; and one's own records are one's own.
    try sandbox.dv("update", "--force", "data", in: clone).succeed()
    #expect(try sandbox.read("../clone/data") == "secret\n")
    try sandbox.dv("update").succeed()
    #expect(try sandbox.read("data") == "secret\n")
  }

  /// Data whose place a link has taken is neither written through the link nor taken from behind it.
  @Test func linksInTheWayAreNotFollowed() throws {
    let sandbox = try Sandbox()
    let outside = sandbox.folder.appending("outside")
    try outside.createDirectories()
    for place in ["data", "data/inner"] {
      try sandbox.write("content", to: "data/inner/file")
      try sandbox.dv("add", "data").succeed()
      try sandbox.commit()
      try sandbox.path(place).removeTree()
      try sandbox.path(place).createSymlink(to: outside.rawBytes)
      _ = try sandbox.dv("checkout", "--force")
      _ = try sandbox.dv("add", "data")
      #expect(try outside.listDirectory().indices.isEmpty, "\(place)")
      #expect(try sandbox.git("status", "--porcelain", "data.dv").text == "" || place != "data", "\(place)")
      try? sandbox.path(place).removeFile()
      try sandbox.git("checkout", "--quiet", "--", ".").succeed()
      try sandbox.dv("checkout", "--force").succeed()
    }
    // Files that dv writes beside the data.
    for name in [".gitignore", "other.dv"] {
      let victim = sandbox.folder.appending("victim")
      try sandbox.write("mine", to: victim)
      try sandbox.write("x", to: "other")
      try? sandbox.path(name).removeFile()
      try sandbox.path(name).createSymlink(to: victim.rawBytes)
      _ = try sandbox.dv("add", "other").exit(2)
      #expect(String(decoding: try victim.readAll(limit: 100), as: UTF8.self) == "mine")
      try sandbox.path(name).removeFile()
    }
  }

  /// Commands that add at once lose no line of a `.gitignore` and no staged pointer.
  @Test func commandsAtOnceLoseNoLine() throws {
    let sandbox = try Sandbox()
    let names = (0..<8).map { "data\($0)" }
    for name in names { try sandbox.write(name, to: name) }
    try sandbox.shell(names.map { "dv -q add \($0) & " }.joined() + "wait").succeed()
    #expect(try Set(sandbox.read(".gitignore").split(separator: "\n").map(String.init)) == Set(names.map { "/\($0)" }))
    let staged = try sandbox.git("diff", "--cached", "--name-only").succeed().text
    for name in names { #expect(staged.contains("\(name).dv")) }
    #expect(try sandbox.git("status", "--porcelain", "--untracked-files").text.contains("??") == false)
  }
}
