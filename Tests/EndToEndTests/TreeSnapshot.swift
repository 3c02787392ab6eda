import DVFile
import DVObject
import SystemPackage

/// All that a version keeps of a file or directory: names, kinds, contents, targets of links, who may execute, and which
/// directories are empty. Two that are equal are the same bit by bit.
struct TreeSnapshot: Equatable, CustomStringConvertible {
  enum Item: Equatable {
    case file(ObjectID, executable: Bool)
    case link([UInt8])
    case directory
    case other
  }

  /// By path, relative to the top, whose own path is empty.
  private(set) var items: [[UInt8]: Item] = [:]

  /// Reads what is at `top`; nothing if there is none.
  init(of top: FilePath) throws {
    var waiting: [[UInt8]] = [[]]
    while let path = waiting.popLast() {
      let place = path.isEmpty ? top : top.appending(name: path)
      guard let stat = try place.fileStat() else { continue }
      switch stat.kind {
      case .regular:
        let content = try place.readAll(limit: 1 << 30)
        items[path] = .file(ObjectID(hashing: content.span), executable: stat.isExecutable)
      case .symlink: items[path] = .link(try place.readLink())
      case .directory:
        items[path] = .directory
        let listing = try place.listDirectory()
        for index in listing.indices {
          waiting.append((path.isEmpty ? [] : path + [UInt8(ascii: "/")]) + listing.name(at: index))
        }
      case .other: items[path] = .other
      }
    }
  }

  /// One line for each path, for a message of a failed test.
  var description: String {
    items.sorted { $0.key.lexicographicallyPrecedes($1.key) }
      .map { "\(TerminalSafe.text($0.key)): \($0.value)" }.joined(separator: "\n")
  }
}

extension Sandbox {
  /// Returns what is at a path of the repository.
  func snapshot(_ path: String) throws -> TreeSnapshot { try TreeSnapshot(of: self.path(path)) }

  /// Names that make trouble somewhere: spaces, quotes, line feeds, escapes, patterns, no UTF-8, the longest, `.DV`-like.
  static let oddNames: [[UInt8]] = [
    Array("plain".utf8), Array(" spaces at both ends ".utf8), Array("quote'and\"".utf8), Array("back\\slash".utf8),
    Array("new\nline".utf8), Array("\u{1b}[31mred".utf8), Array("*?[a-z]".utf8), Array("#hash".utf8),
    Array("!bang".utf8), Array("-rf".utf8), Array("...".utf8), Array("ümläut".utf8), Array("u\u{308}".utf8),
    Array("日本語".utf8), [0xff, 0xfe, 0x80], [UInt8(ascii: "a"), 0xc3], Array(".hidden".utf8), Array(".gitignore".utf8),
    [UInt8](repeating: UInt8(ascii: "x"), count: 255), Array("CON".utf8), Array("a:b".utf8), Array("dv".utf8),
  ]

  /// Writes a directory with all that a version can hold: odd names, executables, links, empty files and directories.
  func writeOddTree(at top: FilePath) throws {
    try top.createDirectories()
    for (number, name) in Self.oddNames.enumerated() {
      try write("content \(number)\n", to: top.appending(name: name))
    }
    try write("#!/bin/sh\n", to: top.appending("bin/tool"), mode: [.ownerReadWriteExecute, .groupReadExecute])
    try write([], to: top.appending("empty file"))
    try top.appending("empty directory").createDirectories()
    try top.appending("nested/empty/deeper").createDirectories()
    try top.appending("bin/link").createSymlink(to: Array("tool".utf8))
    try top.appending("dangling").createSymlink(to: Array("not/there".utf8))
    try top.appending("up").createDirectories()
    try top.appending("up/link").createSymlink(to: Array("../plain".utf8))
    for name in Self.oddNames { try top.appending("dirs").appending(name: name).createDirectories() }
  }
}
