/// What the `.dvignore` files of a project leave out of tracked directories.
///
/// A `.dvignore` has the syntax and meaning of a `.gitignore`: the last matching line decides, lines of a deeper file
/// come before those of a file above it, and below an ignored directory nothing can be kept. It is content like any
/// other file when it stands inside a tracked directory.
///
/// Paths are bytes, relative to the root that the rules were made for, with `/` between names.
public struct IgnoreRules: Hashable, Sendable {
  /// The name of the files that hold such rules.
  public static let fileName: [UInt8] = Array(".dvignore".utf8)

  /// The lines of one file, last line first, with where they apply.
  private struct Group: Hashable, Sendable {
    /// The directory of the file with a slash at its end; empty for the root.
    let base: [UInt8]
    let patterns: [IgnorePattern]
  }

  /// The groups, those of the deepest directory last.
  private var groups: [Group] = []

  /// Creates rules that ignore nothing.
  public init() {}

  /// Whether there is no rule.
  public var isEmpty: Bool { groups.isEmpty }

  /// Adds the lines of the rule file in `directory`.
  ///
  /// Files MUST be added from the root downwards, since lines added later are asked first.
  ///
  /// - Parameters:
  ///   - content: The bytes of the file.
  ///   - directory: Where the file stands; empty for the root.
  public mutating func add(_ content: [UInt8], in directory: [UInt8]) {
    let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
    let text = content.starts(with: byteOrderMark) ? content[3...] : content[...]
    let patterns = text.split(separator: UInt8(ascii: "\n")).compactMap { IgnorePattern(line: $0) }
    guard !patterns.isEmpty else { return }
    groups.append(Group(base: directory.isEmpty ? [] : directory + [.slash], patterns: patterns.reversed()))
  }

  /// Returns whether the rules leave out the file or directory at `path`, given that no directory above it is left out.
  ///
  /// - Complexity: O(rules); a walk asks it once per new name and does not enter what is left out.
  public func ignores(_ path: Span<UInt8>, isDirectory: Bool) -> Bool {
    var nameStart = path.count
    while nameStart > 0, path[nameStart - 1] != .slash { nameStart -= 1 }
    for group in groups.reversed() {
      let base = group.base
      guard path.count > base.count, path.extracting(first: base.count).isEqual(to: base) else { continue }
      let relative = path.extracting(base.count...)
      for pattern in group.patterns
      where pattern.matches(relative, nameStart: nameStart - base.count, isDirectory: isDirectory) {
        return !pattern.isNegated
      }
    }
    return false
  }

  /// Returns whether the rules leave out `path` or a directory above it.
  public func excludes(_ path: Span<UInt8>, isDirectory: Bool) -> Bool {
    for index in 0..<path.count where path[index] == .slash {
      if ignores(path.extracting(first: index), isDirectory: true) { return true }
    }
    return ignores(path, isDirectory: isDirectory)
  }
}

extension IgnoreRules {
  /// Appends an encoding in which no two sets of rules are alike.
  func append(to bytes: inout [UInt8]) {
    for group in groups {
      bytes += group.base
      bytes.append(0)
      for pattern in group.patterns {
        bytes += pattern.line
        bytes.append(UInt8(ascii: "\n"))
      }
      bytes.append(0)
    }
  }
}
