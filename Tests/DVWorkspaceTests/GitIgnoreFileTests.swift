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
}
