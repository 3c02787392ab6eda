import DVTesting
import DVWorkspace
import Foundation
import SystemPackage
import Testing

/// The rules mean what git says they mean.
struct IgnoreRulesTests {
  private static let pieces = [
    "a", "b", "ab", "foo", "*", "?", "**", "/", "[ab]", "[!a]", "[a-c]", "[[:alpha:]]", "\\*", "\\", " ", ".jpg", "*.jpg", "[", "]",
    "[]a]", "-", "^", "x y", "\\ ", "é",
  ]
  private static let names = ["a", "b", "ab", "foo", "a.jpg", "b.jpg", "x y", "*", "[a]", "é", "c", "a ", "foo\\", "-"]

  @Test(arguments: 0..<12)
  func agreesWithGit(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let sandbox = try GitSandbox()
    var paths: [(String, Bool)] = []
    for _ in 0..<60 {
      let depth = Int.random(in: 1...4, using: &random)
      let parts = (0..<depth).map { _ in Self.names.randomElement(using: &random)! }
      let path = parts.joined(separator: "/")
      let isDirectory = Bool.random(using: &random)
      // A name may already be taken by the other kind.
      let file = sandbox.work.appending(path).string
      try? FileManager.default.createDirectory(
        atPath: isDirectory ? file : (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      if !isDirectory { _ = FileManager.default.createFile(atPath: file, contents: Data()) }
      var directory: ObjCBool = false
      guard FileManager.default.fileExists(atPath: file, isDirectory: &directory) else { continue }
      paths.append((path, directory.boolValue))
    }
    func lines() -> String {
      (0..<Int.random(in: 1...6, using: &random)).map { _ in
        var line = (0..<Int.random(in: 1...4, using: &random)).map { _ in Self.pieces.randomElement(using: &random)! }.joined()
        if Int.random(in: 0..<4, using: &random) == 0 { line = "!" + line }
        if Int.random(in: 0..<4, using: &random) == 0 { line += "/" }
        if Int.random(in: 0..<6, using: &random) == 0 { line += "  " }
        if Int.random(in: 0..<9, using: &random) == 0 { line += "\r" }
        if Int.random(in: 0..<9, using: &random) == 0 { line = "#" + line }
        return line
      }.joined(separator: "\n") + (Bool.random(using: &random) ? "\n" : "")
    }
    for _ in 0..<20 {
      var rules = IgnoreRules()
      var shown = ""
      for directory in ["", "a", "foo"] {
        let place = sandbox.work.appending(directory)
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place.string, isDirectory: &isDirectory), isDirectory.boolValue else { continue }
        let text = lines()
        try sandbox.write(place.appending(".gitignore"), Array(text.utf8))
        rules.add(Array(text.utf8), in: Array(directory.utf8))
        shown += "\(directory)/.gitignore: \(text.debugDescription)\n"
      }
      let ignored = try Set(checkIgnore(paths.map(\.0), in: sandbox))
      for (path, isDirectory) in paths {
        let expected = ignored.contains(path)
        let bytes = Array(path.utf8)
        let isIgnored = rules.excludes(bytes.span, isDirectory: isDirectory)
        #expect(isIgnored == expected, "\(path.debugDescription) in\n\(shown)")
      }
    }
  }

  private func checkIgnore(_ paths: [String], in sandbox: GitSandbox) throws -> [String] {
    do {
      let text = try sandbox.git(["-c", "core.quotePath=false", "check-ignore", "--no-index", "--"] + paths)
      return text.split(separator: "\n").map { line in
        // Git quotes names with a backslash in them.
        line.hasPrefix("\"") ? String(line.dropFirst().dropLast()).replacing("\\\\", with: "\\") : String(line)
      }
    } catch let failure as GitSandbox.Failure where failure.status == 1 {
      return []
    }
  }

  @Test func ruleFilesMayBeginWithAByteOrderMark() {
    var rules = IgnoreRules()
    rules.add([0xef, 0xbb, 0xbf] + Array("*.tmp".utf8), in: [])
    let name = Array("a.tmp".utf8)
    let isIgnored = rules.ignores(name.span, isDirectory: false)
    #expect(isIgnored)
  }

  @Test func namesNeedNotBeText() {
    var rules = IgnoreRules()
    rules.add([0xff, UInt8(ascii: "*")], in: [])
    let names: [[UInt8]] = [[0xff, 0xfe], [0xfe, 0xff]]
    let ignored = names.map { rules.ignores($0.span, isDirectory: false) }
    #expect(ignored == [true, false])
  }
}
