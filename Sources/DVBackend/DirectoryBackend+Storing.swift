import DVFile
public import DVObject
import Synchronization
public import SystemPackage

extension DirectoryBackend {
  public func put(_ bytes: [UInt8], at key: BackendKey) async throws(BackendError) {
    try await run("store", key) { () throws(FileError) in
      let place = try self.place(of: key)
      if try self.isStored(key, size: UInt64(bytes.count), place) { return }
      try self.write(to: place, key) { writer throws(FileError) in
        try writer.write(bytes.span)
        return true
      }
    }
  }

  public func put(
    file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey, consuming: Bool
  ) async throws(BackendError) {
    let asAnnounced = try await run("store", key) { () throws(FileError) -> Bool in
      guard let stat = try file.fileStat(), stat.kind == .regular, stat.size == size else { return false }
      let place = try self.place(of: key)
      if try self.isStored(key, size: size, place) {
        if consuming { try file.removeFile() }
        return true
      }
      if consuming, try self.move(file, to: place, key) { return true }
      let reader = try FileReader(file)
      reader.expectSequentialReading()
      let stored = try self.write(to: place, key) { writer throws(FileError) in
        var actual = Digest()
        let count = try writer.write(allOf: reader) { actual.update($0) }
        return count == size && actual.finish() == digest
      }
      if stored, consuming { try file.removeFile() }
      return stored
    }
    guard asAnnounced else { throw .otherBytes(key, file: file.printable, in: description) }
  }

  /// Removes what interrupted calls left in `tmp/`, if it is older than `age` seconds by the directory's own clock.
  ///
  /// An upload may take long: choose an age that no upload under way can have.
  ///
  /// - Returns: how many files were removed.
  @discardableResult
  public func removeAbandonedFiles(olderThan age: Int64) async throws(BackendError) -> Int {
    let now = try await clock()
    return try await run("tidy", nil) { () throws(FileError) -> Int in
      let temporaries = try self.openTemporaries()
      let listing = try temporaries.list()
      var removed = 0
      for index in listing.indices {
        guard let stat = try temporaries.stat(in: listing, at: index), stat.kind == .regular else { continue }
        guard stat.modified.seconds < now - age else { continue }
        try temporaries.removeFile(name: listing.name(at: index))
        removed += 1
      }
      return removed
    }
  }

  // MARK: - Steps

  /// The directory and the name that a key stands for.
  struct Place: ~Copyable {
    let directory: DirectoryHandle
    let name: [UInt8]
  }

  /// Opens the directory of `key`, making what is missing of it.
  private func place(of key: BackendKey) throws(FileError) -> Place {
    let parts = key.parts
    var current = try DirectoryHandle(directory)
    var path = ""
    for part in parts.dropLast() {
      path += part + "/"
      current = try openOrMake(part, path: path, in: current)
    }
    return Place(directory: current, name: Array(parts[parts.count - 1].utf8))
  }

  func openTemporaries() throws(FileError) -> DirectoryHandle {
    try openOrMake("tmp", path: "tmp/", in: directory)
  }

  /// Opens a directory that another process may have made a moment ago, and sees to it that its name is on the disk
  /// before anything in it is promised to be.
  private func openOrMake(
    _ part: String, path: String, in parent: borrowing DirectoryHandle
  ) throws(FileError) -> DirectoryHandle {
    let name = Array(part.utf8)
    if !durableDirectories.withLock({ $0.contains(path) }) {
      if try parent.makeDirectory(name: name) { try parent.setMode(name: name, sharing.directoryMode) }
      if durable { try parent.synchronize() }
      durableDirectories.withLock { _ = $0.insert(path) }
    }
    do throws(FileError) {
      return try parent.openDirectory(name: name)
    } catch {
      // Somebody removed it since this process last saw it.
      guard error.code == .notFound else { throw error }
      durableDirectories.withLock { _ = $0.remove(path) }
      if try parent.makeDirectory(name: name) { try parent.setMode(name: name, sharing.directoryMode) }
      if durable { try parent.synchronize() }
      return try parent.openDirectory(name: name)
    }
  }

  /// Returns whether a value that never changes is there already, and if so makes sure that its name will stay: the
  /// process that stored it may have died before it could.
  private func isStored(_ key: BackendKey, size: UInt64, _ place: borrowing Place) throws(FileError) -> Bool {
    guard !key.isReplaceable, let stat = try place.directory.stat(name: place.name) else { return false }
    guard stat.kind == .regular, stat.size == size else { return false }
    if durable { try place.directory.synchronize() }
    return true
  }

  /// Writes a file with `body` and gives it its name if `body` says that it is right.
  @discardableResult
  private func write(
    to place: borrowing Place, _ key: BackendKey, _ body: (borrowing FileWriter) throws(FileError) -> Bool
  ) throws(FileError) -> Bool {
    let temporaries = try openTemporaries()
    let name = Array(RandomName.temporary().utf8)
    let writer = try temporaries.createFile(name: name, mode: 0o600)
    do throws(FileError) {
      guard try body(writer) else {
        try temporaries.removeFile(name: name)
        return false
      }
      try writer.setMode(sharing.fileMode(replaceable: key.isReplaceable))
      if durable { try writer.synchronize() }
      try writer.close()
      try temporaries.rename(name: name, to: place.name, of: place.directory)
    } catch {
      try? temporaries.removeFile(name: name)
      throw error
    }
    openFiles.forget(key)
    if durable { try place.directory.synchronize() }
    return true
  }

  /// Renames a file that was given away into its place.
  ///
  /// - Returns: `false`, with nothing done, if it lies on another file system or belongs to somebody else.
  private func move(_ file: FilePath, to place: borrowing Place, _ key: BackendKey) throws(FileError) -> Bool {
    do throws(FileError) {
      try file.setMode(sharing.fileMode(replaceable: key.isReplaceable))
      try place.directory.moveIn(file, as: place.name)
    } catch {
      guard error.code == .otherFileSystem || error.code == .denied else { throw error }
      return false
    }
    openFiles.forget(key)
    if durable { try place.directory.synchronize() }
    return true
  }
}
