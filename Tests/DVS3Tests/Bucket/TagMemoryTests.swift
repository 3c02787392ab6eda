import DVBackend
import DVFile
import DVTesting
import SystemPackage
import Testing

@testable import DVS3

@Suite struct TagMemoryTests {
  private func key(_ name: String) throws -> BackendKey { try BackendKey("packs/aa/\(name)") }

  @Test func whatIsReplacedIsNoticed() throws {
    try withTemporaryDirectory { directory in
      let file = directory.appending("remotes").appending("tags")
      let memory = TagMemory(file, of: "s3://a/b aws")
      memory.wrote(try key("1"), tag: "\"one\"")
      #expect(try !memory.lists(key("1"), tag: "one") && !memory.lists(key("2"), tag: "\"two\""))
      memory.save()

      let later = TagMemory(file, of: "s3://a/b aws")
      #expect(try later.lists(key("1"), tag: "other") && !later.lists(key("2"), tag: "two"))
      // Another process notices it too, until somebody has read it and found it right.
      later.save()
      #expect(try TagMemory(file, of: "s3://a/b aws").lists(key("1"), tag: "other"))
      later.trust([try key("1")])
      let last = TagMemory(file, of: "s3://a/b aws")
      #expect(try !last.lists(key("1"), tag: "other") && last.lists(key("1"), tag: "one"))
      // Another bucket is another matter.
      #expect(try !TagMemory(file, of: "s3://c aws").lists(key("1"), tag: "one"))
    }
  }

  @Test func whatIsGoneIsForgotten() throws {
    try withTemporaryDirectory { directory in
      let file = directory.appending("tags")
      let memory = TagMemory(file, of: "a")
      for name in ["1", "2"] { _ = memory.lists(try key(name), tag: "tag\(name)") }
      memory.wrote(try key("3"), tag: "tag3")
      memory.retain([try key("2")])
      memory.save()
      let bytes = try file.readAll(limit: 1000)
      #expect(String(decoding: bytes, as: UTF8.self) == "dv-tags 1\nurl a\ntag2 packs/aa/2\ntag3 packs/aa/3\n")
    }
  }

  /// Two processes that write at the same time do not forget what the other one saw.
  @Test func processesShareTheFile() throws {
    try withTemporaryDirectory { directory in
      let file = directory.appending("tags")
      let (first, second) = (TagMemory(file, of: "a"), TagMemory(file, of: "a"))
      first.wrote(try key("1"), tag: "one")
      second.wrote(try key("2"), tag: "two")
      first.save()
      second.save()
      let third = TagMemory(file, of: "a")
      #expect(try third.lists(key("1"), tag: "x") && third.lists(key("2"), tag: "x"))
    }
  }

  /// A tag that would not come back from the file, and keys that are no packs, are not remembered; a damaged file is none.
  @Test(arguments: ["", "\"\"", "a b", "a\nb", String(repeating: "a", count: 129), "ü"])
  func oddTagsAreIgnored(tag: String) throws {
    try withTemporaryDirectory { directory in
      let file = directory.appending("tags")
      try file.replaceContent(with: Array("dv-tags 1\nurl".utf8).span)
      let memory = TagMemory(file, of: "a")
      memory.wrote(try key("1"), tag: tag)
      memory.wrote(try BackendKey("index/0-a"), tag: "good")
      #expect(try !memory.lists(key("1"), tag: "good") && !memory.lists(BackendKey("index/0-a"), tag: "other"))
    }
  }
}
