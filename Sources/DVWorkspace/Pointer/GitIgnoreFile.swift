import DVFile
public import SystemPackage

/// The lines of a `.gitignore` that keep tracked data out of git.
///
/// For each target there is one line `/NAME` in the `.gitignore` beside it. All other lines, their order and their line
/// endings are the user's and stay as they are.
public struct GitIgnoreFile: Hashable, Sendable {
  /// The bytes of the file.
  public private(set) var content: [UInt8]

  public init(content: [UInt8]) { self.content = content }

  /// Returns the line that makes git ignore exactly the name `name` beside the file.
  ///
  /// - Returns: `nil` for a name with a line feed, which no line can hold.
  public static func line(for name: [UInt8]) -> [UInt8]? {
    guard !name.contains(UInt8(ascii: "\n")) else { return nil }
    var line: [UInt8] = [.slash]
    for (index, byte) in name.enumerated() {
      let isLast = index == name.count - 1
      if Wildmatch.isSpecial(byte) || (isLast && byte == UInt8(ascii: " ")) {
        line.append(UInt8(ascii: "\\"))
        line.append(byte)
      } else if isLast && byte == UInt8(ascii: "\r") {
        // Git takes a carriage return at the end for part of the line ending; as a class of one it stays.
        line += [UInt8(ascii: "["), byte, UInt8(ascii: "]")]
      } else {
        line.append(byte)
      }
    }
    return line
  }

  /// Adds the line for `name` at the end, unless it is there; see ``add(_:)-([[UInt8]])``.
  @discardableResult
  public mutating func add(_ name: [UInt8]) throws(WorkspaceError) -> Bool { try add([name]) }

  /// Adds the lines for `names` at the end, except those that are there.
  ///
  /// - Returns: whether the content changed.
  /// - Throws: ``WorkspaceError`` with code `input` if git cannot ignore such a name.
  @discardableResult
  public mutating func add(_ names: [[UInt8]]) throws(WorkspaceError) -> Bool {
    let added = try names.map { name throws(WorkspaceError) in
      if let line = Self.line(for: name) { return line }
      let path = TreePath(unchecked: name)
      throw WorkspaceError(
        .input, "'\(path)' has a line feed in its name, which no .gitignore can hold. Rename it.", paths: [path])
    }
    var isIgnored = ignores(added)
    let feed = content.lastIndex(of: UInt8(ascii: "\n"))
    let hasReturns = feed.map { $0 > 0 && content[$0 - 1] == UInt8(ascii: "\r") } ?? false
    let ending: [UInt8] = Array((hasReturns ? "\r\n" : "\n").utf8)
    var isChanged = false
    for line in added {
      if isIgnored.updateValue(true, forKey: line[...]) == true { continue }
      if let last = content.last, last != UInt8(ascii: "\n") { content += ending }
      content += line + ending
      isChanged = true
    }
    return isChanged
  }

  /// Returns which of `lines` hold already: the last that speaks of a name decides, as a later `!` line would bring it back.
  private func ignores(_ lines: [[UInt8]]) -> [ArraySlice<UInt8>: Bool] {
    var isIgnored: [ArraySlice<UInt8>: Bool] = [:]
    // A file may have a line for each of thousands of other names, which their last bytes tell apart at less than a hash of all.
    var ends: Set<UInt64> = []
    for line in lines {
      isIgnored[line[...]] = false
      ends.insert(Self.end(of: line[...]))
    }
    var start = content.startIndex
    while start < content.endIndex {
      let end = content[start...].firstIndex(of: UInt8(ascii: "\n")) ?? content.endIndex
      let text = Self.text(of: content[start..<end])
      start = end + 1
      let isNegated = text.first == UInt8(ascii: "!")
      let line = isNegated ? text.dropFirst() : text
      if ends.contains(Self.end(of: line)), isIgnored[line] != nil { isIgnored[line] = !isNegated }
    }
    return isIgnored
  }

  /// The last eight bytes of a line.
  private static func end(of line: ArraySlice<UInt8>) -> UInt64 { line.suffix(8).reduce(0) { $0 << 8 | UInt64($1) } }

  /// Removes every line for `name`.
  ///
  /// - Returns: whether the content changed.
  @discardableResult
  public mutating func remove(_ name: [UInt8]) -> Bool {
    guard let line = Self.line(for: name) else { return false }
    var kept: [UInt8] = []
    var start = content.startIndex
    while start < content.endIndex {
      let feed = content[start...].firstIndex(of: UInt8(ascii: "\n"))
      let end = feed.map { $0 + 1 } ?? content.endIndex
      if !Self.text(of: content[start..<(feed ?? end)]).elementsEqual(line) { kept += content[start..<end] }
      start = end
    }
    defer { content = kept }
    return kept.count != content.count
  }

  /// A line without the carriage return of its ending.
  private static func text(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    line.last == UInt8(ascii: "\r") ? line.dropLast() : line
  }

  // MARK: - On disk

  /// Where the `.gitignore` beside a target is, relative to the working tree's root.
  public static func path(for target: TreePath) -> TreePath { target.parent.appending(Array(".gitignore".utf8)) }

  /// Makes git ignore `target`.
  ///
  /// - Returns: the path of the `.gitignore` if it changed.
  public static func add(_ target: TreePath, in root: FilePath) throws(WorkspaceError) -> TreePath? {
    try add([target], in: root).first
  }

  /// Makes git ignore `targets`, writing each file once.
  ///
  /// - Returns: the paths of the `.gitignore` files that changed.
  public static func add(_ targets: [TreePath], in root: FilePath) throws(WorkspaceError) -> [TreePath] {
    var changed: [TreePath] = []
    for (_, beside) in Dictionary(grouping: targets, by: \.parent).sorted(by: { $0.key < $1.key }) {
      let path = try edit(beside[0], in: root) { file throws(WorkspaceError) in try file.add(beside.map(\.lastName)) }
      if let path { changed.append(path) }
    }
    return changed
  }

  /// Lets git see `target` again. A file that holds nothing then is removed.
  ///
  /// - Returns: the path of the `.gitignore` if it changed.
  public static func remove(_ target: TreePath, in root: FilePath) throws(WorkspaceError) -> TreePath? {
    try edit(target, in: root) { file throws(WorkspaceError) in file.remove(target.lastName) }
  }

  private static func edit(
    _ target: TreePath, in root: FilePath, _ change: (inout GitIgnoreFile) throws(WorkspaceError) -> Bool
  ) throws(WorkspaceError) -> TreePath? {
    let path = Self.path(for: target)
    let location = root.appending(path)
    do throws(FileError) {
      let isThere = try location.fileStat() != nil
      var file = GitIgnoreFile(content: isThere ? try location.readAll(limit: 64 << 20) : [])
      do throws(WorkspaceError) {
        guard try change(&file) else { return nil }
      } catch {
        throw FileError(code: .input, path: location, message: error.message)
      }
      if file.content.isEmpty {
        try location.removeFile()
      } else {
        try location.replaceContent(with: file.content.span)
      }
      return path
    } catch {
      throw WorkspaceError(error)
    }
  }
}
