import DVObject

extension TreeState {
  /// Whether this is the same tree as `other` but for what is at `path`, as far as is known of both.
  ///
  /// Of a directory that lies beside the way to `path`, the oids are compared.
  ///
  /// - Complexity: O(*n*) in the names of the directories on the way.
  func equals(_ other: TreeState, exceptAt path: TreePath) -> Bool {
    guard isDirectory, other.isDirectory else { return false }
    let names = path.names
    var (own, its) = (0, 0)
    for (depth, name) in names.enumerated() {
      guard hasSameEntries(own, as: other, its, except: name) else { return false }
      if depth == names.count - 1 { break }
      guard let child = child(named: name, of: own), let otherChild = other.child(named: name, of: its) else { return false }
      (own, its) = (child, otherChild)
    }
    return true
  }

  private func hasSameEntries(_ own: Int, as other: TreeState, _ its: Int, except name: [UInt8]) -> Bool {
    let (entries, otherEntries) = (directories[own].entries, other.directories[its].entries)
    var (position, otherPosition) = (entries.lowerBound, otherEntries.lowerBound)
    var (children, otherChildren) = (Int(directories[own].firstChild), Int(other.directories[its].firstChild))
    while true {
      if position < entries.upperBound, self.name(of: self.entries[position], in: own).elementsEqual(name) {
        if self.entries[position].isDirectory { children += 1 }
        position += 1
      }
      if otherPosition < otherEntries.upperBound, other.name(of: other.entries[otherPosition], in: its).elementsEqual(name) {
        if other.entries[otherPosition].isDirectory { otherChildren += 1 }
        otherPosition += 1
      }
      guard position < entries.upperBound, otherPosition < otherEntries.upperBound else {
        return position == entries.upperBound && otherPosition == otherEntries.upperBound
      }
      let (entry, otherEntry) = (self.entries[position], other.entries[otherPosition])
      guard entry.mode == otherEntry.mode, entry.isKnown, otherEntry.isKnown,
        self.name(of: entry, in: own).elementsEqual(other.name(of: otherEntry, in: its))
      else { return false }
      if entry.isDirectory {
        let (directory, otherDirectory) = (directories[children], other.directories[otherChildren])
        guard directory.isHashed, otherDirectory.isHashed, directory.oid == otherDirectory.oid else { return false }
        (children, otherChildren) = (children + 1, otherChildren + 1)
      } else {
        guard entry.oid == otherEntry.oid else { return false }
      }
      (position, otherPosition) = (position + 1, otherPosition + 1)
    }
  }

  /// Returns the directory `name` in another.
  private func child(named name: [UInt8], of directory: Int) -> Int? {
    guard let index = entry(named: name, in: directory), entries[index].isDirectory else { return nil }
    return directories[directory].firstChild(ofEntry: index, in: self)
  }
}
