import DVFile
import DVObject
import DVStore

/// What came of writing one file.
struct Delivery: Sendable {
  let item: CheckoutItem
  /// The entry with the identity of what was written.
  var entry: StatEntry
  /// The name it has now.
  var temporary: [UInt8]
  var failure: CheckoutFailure?
}

/// Writes the contents of single files and links.
struct FileDelivery: Sendable {
  let store: ObjectStore
  /// Relative to the working tree's root.
  let target: TreePath
  /// Contents that wait to be moved into place.
  var prepared: PreparedFiles?

  /// From this size on, in bytes, a file is written past the page cache while its next bytes are proved. Smaller ones are
  /// likely to be read soon, and cost little.
  static let directSize: UInt64 = 64 << 20
  /// The longest target that Linux takes, in bytes.
  private static let linkLimit: UInt64 = 4095

  /// Writes one entry into `directory`, under its own or a temporary name.
  ///
  /// - Parameter content: The content, if it was read and proved before.
  /// - Throws: what leaves no hope for other files. A failure of this one is in the result.
  func deliver(
    _ item: CheckoutItem, of state: TreeState, content: [UInt8]?, in directory: OpenDirectory, directly: Bool
  ) async throws -> Delivery {
    let entry = state.entries[item.entry]
    let name =
      directly ? Array(state.name(of: entry, in: item.directory)) : Array(RandomName.temporary().utf8)
    var delivery = Delivery(item: item, entry: entry, temporary: name)
    do {
      delivery.entry = try await write(
        entry, content: content, name: name, in: directory, inside: state.path(ofDirectory: item.directory))
    } catch {
      if directly, let error = error as? FileError, error.code == .exists {
        throw CheckoutCollision.error(at: item.entry, in: item.directory, of: state, target: target)
      }
      let path = target.appending(state.path(ofEntry: item.entry, in: item.directory))
      let failure = WorkspaceError(wrapping: error)
      guard failure.isAboutOneFile else { throw failure }
      delivery.failure = CheckoutFailure(
        path: path,
        error: WorkspaceError(
          failure.code, "'\(path)' could not be checked out: \(failure.message)", paths: [path], cause: failure))
    }
    return delivery
  }

  /// Writes the content of `entry` as `name`, which must not exist, and proves it.
  ///
  /// - Parameter inside: The directory's path in the dataset, by which a link is judged.
  /// - Returns: the entry with the identity of the new file.
  /// - Throws: ``WorkspaceError/Code/unsupported`` for a link that leads out of the dataset, which `add` would refuse: another
  ///   program made that tree.
  func write(
    _ entry: StatEntry, content: [UInt8]?, name: [UInt8], in directory: OpenDirectory, inside: @autoclosure () -> TreePath
  ) async throws -> StatEntry {
    var entry = entry
    if entry.mode == EntryMode.symlink.rawValue {
      guard entry.size <= Self.linkLimit else {
        throw WorkspaceError(.unsupported, "It is a symbolic link whose target has \(entry.size) bytes; no link has more than \(Self.linkLimit).")
      }
      var target = content ?? []
      if content == nil { try await store.readFile(entry.oid, size: entry.size) { target.append(span: $0) } }
      if LinkRule.problem(target: target, in: inside()) != nil {
        throw WorkspaceError(.unsupported, "It is a symbolic link that leads out of the dataset, to '\(TerminalSafe.text(target))'.")
      }
      try directory.handle.makeSymlink(name: name, target: target)
      if let stat = try directory.handle.stat(name: name) { entry.setIdentity(stat) }
      entry.size = UInt64(target.count)
    } else if content == nil, let stat = try adopt(entry, name: name, in: directory) {
      entry.setIdentity(stat)
    } else {
      let stat: FileStat
      do {
        stat = try await writeFile(entry, content: content, name: name, in: directory, thorough: false)
      } catch let error as StoreError where error.code == .corrupt {
        // Look for healthy copies of the damaged chunks.
        stat = try await writeFile(entry, content: nil, name: name, in: directory, thorough: true)
      }
      entry.setIdentity(stat)
    }
    entry.flags = [.hashed, .saved]
    entry.savedMode = entry.mode
    return entry
  }

  /// Moves the content into place if it was written and proved before.
  private func adopt(_ entry: StatEntry, name: [UInt8], in directory: OpenDirectory) throws -> FileStat? {
    guard let file = prepared?.take(entry.oid, size: entry.size) else { return nil }
    return try directory.handle.adopt(file, as: name, isExecutable: entry.mode == EntryMode.executable.rawValue)
  }

  private func writeFile(
    _ entry: StatEntry, content: [UInt8]?, name: [UInt8], in directory: OpenDirectory, thorough: Bool
  ) async throws -> FileStat {
    // Asking for all bits leaves it to the umask which of them count.
    let mode: UInt32 = entry.mode == EntryMode.executable.rawValue ? 0o777 : 0o666
    let file = try directory.handle.createFile(name: name, mode: mode)
    do {
      if let content {
        try file.write(content.span)
      } else if entry.size >= Self.directSize {
        let large = BlockFile(file)
        try await store.readFile(entry.oid, size: entry.size, thorough: thorough) { try large.append($0) }
        return try large.close()
      } else {
        try await store.readFile(entry.oid, size: entry.size, thorough: thorough) { try file.write($0) }
      }
      let stat = try file.stat()
      try file.close()
      return stat
    } catch {
      // What did not become whole must not stay under any name.
      try? directory.handle.removeFile(name: name)
      throw error
    }
  }
}

/// Two names of one directory that the file system takes for the same.
enum CheckoutCollision {
  /// Returns the error for an entry whose name is taken although it is not there.
  static func error(at index: Int, in number: Int, of state: TreeState, target: TreePath) -> WorkspaceError {
    let path = target.appending(state.path(ofEntry: index, in: number))
    guard state.isDirectory else {
      return WorkspaceError(.conflict, "'\(path)' came up meanwhile. It was left alone.", paths: [path])
    }
    let name = fold(state.name(of: state.entries[index], in: number))
    for other in state.directories[number].entries
    where other != index && fold(state.name(of: state.entries[other], in: number)) == name {
      let second = target.appending(state.path(ofEntry: other, in: number))
      return WorkspaceError(
        .collision,
        """
        '\(path)' and '\(second)' are the same name on this file system. Check the version out on one that tells them \
        apart, or rename one of them there.
        """, paths: [path, second])
    }
    return WorkspaceError(
      .conflict, "'\(path)' is there although it was not before. It was left alone; run the command again.", paths: [path])
  }

  /// Returns a name without what file systems may fold: case and Unicode normalisation.
  private static func fold(_ name: ArraySlice<UInt8>) -> String {
    // Strings compare by canonical equivalence, which is what normalising file systems fold.
    String(decoding: name, as: UTF8.self).lowercased()
  }
}
