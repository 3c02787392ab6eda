public import DVObject

/// What is known of a tracked file or directory on disk: every name with its identity and, as far as it was hashed, its oid.
///
/// It is what a scan returns, what ingest completes and what the stat cache keeps. A tracked file is a state without
/// directories and with one nameless entry.
///
/// All of it lies in three flat arrays. A million files with names of 15 bytes take 88 MB.
public struct TreeState: Sendable {
  /// Level by level, the root first. Empty if the target is a file.
  var directories: [StatDirectory] = []
  /// The entries of all directories, those of one directory together and in the order of their names.
  var entries: [StatEntry] = []
  /// The names, each with a zero byte after it, in the order of ``entries``.
  var names: [UInt8] = []
  /// The device that a tracked file lies on; directories carry their own.
  var device: UInt64 = 0

  /// Whether the target is a directory.
  public var isDirectory: Bool { !directories.isEmpty }

  /// How many files and links the target holds.
  public var fileCount: Int { entries.count - max(0, directories.count - 1) }

  /// How many bytes these arrays take.
  var byteCount: Int {
    directories.count * MemoryLayout<StatDirectory>.stride + entries.count * MemoryLayout<StatEntry>.stride + names.count
  }

  /// The oid of the whole, if all of it was hashed.
  public var oid: ObjectID? {
    if let root = directories.first { return root.isHashed ? root.oid : nil }
    guard let file = entries.first, file.flags.contains(.hashed) else { return nil }
    return file.oid
  }

  /// Whether the oid of every file is known.
  public var isHashed: Bool { entries.allSatisfy(\.isKnown) }

  /// Marks the trees of a directory, and of those it is in, as not built.
  ///
  /// - Complexity: O(depth).
  mutating func forgetTree(of directory: Int) {
    var above: Int? = directory
    while let number = above {
      directories[number].hashed = 0
      above = number == 0 ? nil : Int(directories[number].parent)
    }
  }

  /// Returns the name of `entry` of the directory numbered `directory`.
  func name(of entry: StatEntry, in directory: Int) -> ArraySlice<UInt8> {
    let start = Int(directories[directory].namesOffset) + Int(entry.nameOffset)
    return names[start..<(start + Int(entry.nameLength))]
  }

  /// Returns the path of a directory, relative to the target.
  ///
  /// - Complexity: O(depth).
  func path(ofDirectory number: Int) -> TreePath {
    var parts: [ArraySlice<UInt8>] = []
    var current = number
    while current > 0 {
      let directory = directories[current]
      let parent = Int(directory.parent)
      let entry = entries[Int(directories[parent].firstEntry) + Int(directory.entryInParent)]
      parts.append(name(of: entry, in: parent))
      current = parent
    }
    return TreePath(unchecked: Array(parts.reversed().joined(separator: [.slash])))
  }

  /// Returns the path of an entry, relative to the target.
  func path(ofEntry index: Int, in directory: Int) -> TreePath {
    guard isDirectory else { return .root }
    return path(ofDirectory: directory).appending(name(of: entries[index], in: directory))
  }

  /// Returns which entry of a directory has `name`.
  ///
  /// - Complexity: O(log *n*).
  func entry(named name: [UInt8], in directory: Int) -> Int? {
    let index = position(of: name, in: directory)
    guard index < directories[directory].entries.upperBound else { return nil }
    return self.name(of: entries[index], in: directory).elementsEqual(name) ? index : nil
  }

  /// Returns the first entry of a directory whose name is not before `name`; the end of its entries if there is none.
  ///
  /// - Complexity: O(log *n*).
  func position(of name: [UInt8], in directory: Int) -> Int {
    var low = directories[directory].entries.lowerBound
    var high = directories[directory].entries.upperBound
    while low < high {
      let middle = (low + high) / 2
      let candidate = self.name(of: entries[middle], in: directory)
      if candidate.lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
