import DVTesting
import DVWorkspace
import SystemPackage
import Testing

struct GitIgnoreFileTests {
  /// Whatever the name, git ignores it and nothing else.
  @Test func gitIgnoresExactlyTheName() throws {
    let sandbox = try GitSandbox()
    let names = [
      "data", "a b", "end ", "two  ", "!bang", "#hash", "st*r", "q?", "[set]", "back\\slash", "tail\\", "é", "cr\r", "-dash", "tab\t",
    ]
    for name in names {
      var file = GitIgnoreFile(content: [])
      let added = try file.add(Array(name.utf8))
      #expect(added)
      try sandbox.write(".gitignore", String(decoding: file.content, as: UTF8.self))
      #expect((try? sandbox.git("check-ignore", "--no-index", "--", name)) != nil, "\(name.debugDescription)")
      #expect((try? sandbox.git("check-ignore", "--no-index", "--", "sub/" + name)) == nil)
      let others = names.filter { $0 != name }
      #expect((try? sandbox.git(["check-ignore", "--no-index", "--"] + others)) == nil, "\(name.debugDescription)")
      let addedAgain = try file.add(Array(name.utf8))
      #expect(!addedAgain)
      let removed = file.remove(Array(name.utf8))
      #expect(removed)
      #expect(file.content.isEmpty)
    }
  }

  @Test func theUsersLinesStay() throws {
    var file = GitIgnoreFile(content: Array("*.o\r\n/data2\r\n# end".utf8))
    try file.add(Array("data".utf8))
    #expect(String(decoding: file.content, as: UTF8.self) == "*.o\r\n/data2\r\n# end\r\n/data\r\n")
    file.remove(Array("data".utf8))
    #expect(String(decoding: file.content, as: UTF8.self) == "*.o\r\n/data2\r\n# end\r\n")
    #expect(GitIgnoreFile.line(for: Array("two\nlines".utf8)) == nil)
  }

  /// Of all lines about a name the last one decides, whatever other lines end alike.
  @Test(arguments: [
    ("/a.bin\n", false), ("/a.bin\n!/a.bin\n", true), ("!/a.bin\n/a.bin\n", false), ("!/a.bin\r\n/a.bin\r\n", false), ("/a.bin", false),
    ("/x/a.bin\n/ba.bin\na.bin\n/a.bi\n", true), ("!/a.bin", true), ("", true), ("\n\n", true), ("/a.bin\n!/ba.bin\n!a.bin\n", false),
  ])
  func theLastLineDecides(content: String, isAdded: Bool) throws {
    var file = GitIgnoreFile(content: Array(content.utf8))
    let added = try file.add([Array("a.bin".utf8), Array("long/ish name of a.bin".utf8), Array("a.bin".utf8)])
    #expect(added)
    let ending = content.contains("\r\n") ? "\r\n" : "\n"
    var expected = content + (content.isEmpty || content.utf8.last == UInt8(ascii: "\n") ? "" : ending)
    if isAdded { expected += "/a.bin" + ending }
    #expect(String(decoding: file.content, as: UTF8.self) == expected + "/long/ish name of a.bin" + ending)
  }
}
