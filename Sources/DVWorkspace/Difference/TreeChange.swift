public import DVObject

/// One difference between two versions.
///
/// Files and links are named one by one; a directory only where no file is below it.
public struct TreeChange: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable {
    case added, removed
    /// Other content.
    case modified
    /// The same content, but executable or no longer.
    case mode
    /// A file became a link or an empty directory, or the other way round.
    case type
    /// The same content under another name; see ``TreeChange/previousPath``.
    case renamed
  }

  /// What stands under the path in one of the versions.
  public struct Side: Hashable, Sendable {
    public let mode: EntryMode
    public let oid: ObjectID
    /// Bytes.
    public let size: UInt64

    public init(mode: EntryMode, oid: ObjectID, size: UInt64) {
      self.mode = mode
      self.oid = oid
      self.size = size
    }
  }

  public let path: TreePath
  public let kind: Kind
  public let old: Side?
  public let new: Side?
  /// The old path of what was renamed.
  public let previousPath: TreePath?

  public init(path: TreePath, kind: Kind, old: Side?, new: Side?, previousPath: TreePath? = nil) {
    self.path = path
    self.kind = kind
    self.old = old
    self.new = new
    self.previousPath = previousPath
  }
}

extension [TreeChange] {
  /// Returns the changes with each pair of a removal and an addition of the same content made one renaming.
  ///
  /// Of several candidates the one with the same last name is taken, else the first. Empty files and empty directories
  /// are never paired: they are all alike.
  ///
  /// - Complexity: O(*n*) where contents differ.
  public func detectingRenames() -> [TreeChange] {
    var removed: [ObjectID: [Int]] = [:]
    for (index, change) in enumerated() {
      if change.kind == .removed, let old = change.old, old.size > 0, old.mode != .directory {
        removed[old.oid, default: []].append(index)
      }
    }
    var used: Set<Int> = []
    var partner: [Int: Int] = [:]
    // First those that kept their name, so that they do not lose their partner to another copy of the same content.
    for wantsSameName in [true, false] {
      for (index, change) in enumerated() where change.kind == .added && partner[index] == nil {
        guard let new = change.new, new.mode != .directory, let candidates = removed[new.oid] else { continue }
        let match = candidates.first {
          !used.contains($0) && (!wantsSameName || self[$0].path.lastName == change.path.lastName)
        }
        guard let match else { continue }
        used.insert(match)
        partner[index] = match
      }
    }
    return enumerated().compactMap { index, change in
      if used.contains(index) { return nil }
      guard let match = partner[index] else { return change }
      return TreeChange(
        path: change.path, kind: .renamed, old: self[match].old, new: change.new, previousPath: self[match].path)
    }
  }
}
