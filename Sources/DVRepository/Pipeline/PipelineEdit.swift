import DVFile
import DVPipeline
import DVWorkspace
import SystemPackage

/// Puts a stage into a `dv.yaml`, leaving every other line as it is.
struct PipelineEdit {
  private let file: FilePath
  private let old: [UInt8]?
  private let new: [UInt8]

  /// Works out the change.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if the file has another stage of that name and `replaces` is false.
  init(_ stage: Stage, replaces: Bool, in root: FilePath) throws {
    let path = TreePath(stage.file)
    file = root.appending(path)
    old = try root.contentIfThere(path, limit: Repository.pipelineByteLimit)
    let block = StageText(stage).lines
    guard let old, !old.allSatisfy({ [0x20, 0x0a, 0x0d].contains($0) }) else {
      new = Array((["stages:"] + block).map { $0 + "\n" }.joined().utf8)
      return
    }
    var lines = String(decoding: old, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    guard let header = lines.firstIndex(where: { $0 == "stages:" || $0.hasPrefix("stages: #") }) else {
      if lines.contains(where: { $0.hasPrefix("stages:") }) {
        throw RepositoryError(
          .usage, "'\(stage.file)' has its stages on one line, so none can be added to them.",
          remedy: "Write 'stages:' on a line of its own, and each stage below it.")
      }
      new = Array((lines + ["stages:"] + block).map { $0 + "\n" }.joined().utf8)
      return
    }
    let end = Self.end(of: header, lines)
    let first = lines[(header + 1)..<end].first { !Self.isBlank($0) }
    let indent = first.map { Self.indent($0) } ?? 2
    let shifted = block.map { $0.isEmpty ? $0 : String(repeating: " ", count: indent) + $0.dropFirst(2) }
    let own = lines[(header + 1)..<end].firstIndex { line in
      Self.indent(line) == indent && line.dropFirst(indent).hasPrefix(stage.name + ":")
    }
    if let own {
      var stop = own + 1
      while stop < end, Self.isBlank(lines[stop]) || Self.indent(lines[stop]) > indent { stop += 1 }
      while stop > own + 1, Self.isBlank(lines[stop - 1]) { stop -= 1 }
      let isSame = Array(lines[own..<stop]) == shifted
      guard replaces || isSame else {
        throw RepositoryError(
          .usage, "'\(stage.file)' line \(own + 1) has another stage '\(stage.name)'.",
          remedy: "Replace it with --force, choose another name, or run it with 'dv repro \(stage.name)'.")
      }
      lines.replaceSubrange(own..<stop, with: shifted)
    } else {
      var place = end
      while place > header + 1, Self.isBlank(lines[place - 1]) { place -= 1 }
      lines.insert(contentsOf: shifted, at: place)
    }
    new = Array(lines.map { $0 + "\n" }.joined().utf8)
  }

  /// Writes the file.
  ///
  /// - Returns: whether anything changed.
  func write() throws -> Bool {
    guard new != old else { return false }
    try file.replaceContent(with: new.span)
    return true
  }

  /// The line after the last one of the section that begins at `header`.
  private static func end(of header: Int, _ lines: [String]) -> Int {
    var end = header + 1
    while end < lines.count, isBlank(lines[end]) || indent(lines[end]) > 0 { end += 1 }
    return end
  }

  private static func indent(_ line: String) -> Int { line.utf8.prefix { $0 == 0x20 }.count }

  private static func isBlank(_ line: String) -> Bool {
    guard let first = line.utf8.first(where: { $0 != 0x20 && $0 != 0x0d }) else { return true }
    return first == UInt8(ascii: "#") && indent(line) > 0
  }
}
