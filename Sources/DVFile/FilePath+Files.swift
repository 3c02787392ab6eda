public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension FilePath {
  // MARK: - Looking

  /// Returns what the file system says of this name itself, never of what a link points to; `nil` if there is nothing.
  public func fileStat() throws(FileError) -> FileStat? {
    do throws(Errno) {
      return try unsafe withPath { text throws(Errno) in try unsafe SystemCall.stat(SystemCall.here, text) }
    } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw .stat(self, error)
    }
  }

  /// Returns what the file system says of what this name leads to, through links; `nil` if there is nothing.
  public func fileStatFollowingLinks() throws(FileError) -> FileStat? {
    do throws(Errno) {
      return try unsafe withPath { text throws(Errno) in try unsafe SystemCall.statFollowing(SystemCall.here, text) }
    } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw .stat(self, error)
    }
  }

  /// Returns the names in this directory, sorted by their bytes.
  public func listDirectory() throws(FileError) -> DirectoryListing { try DirectoryHandle(self).list() }

  /// Returns where this symbolic link points, as bytes.
  public func readLink() throws(FileError) -> [UInt8] {
    do throws(Errno) {
      return try unsafe withPath { text throws(Errno) in try unsafe linkTarget(SystemCall.here, text) }
    } catch {
      throw .readLink(self, error)
    }
  }

  /// Returns the content of this regular file, never followed through a link in the last component.
  ///
  /// - Throws: ``FileError`` with code `notFound` if it is absent, `input` if it has more than `limit` bytes.
  public func readAll(limit: Int) throws(FileError) -> [UInt8] {
    var bytes: [UInt8] = []
    try FileReader(self).readAll(into: &bytes, limit: limit)
    return bytes
  }

  // MARK: - Removing

  /// Removes this file or link; its absence is fine.
  public func removeFile() throws(FileError) {
    do throws(Errno) {
      try unsafe withPath { text throws(Errno) in try unsafe SystemCall.remove(SystemCall.here, text) }
    } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory { return }
      throw .remove(self, error)
    }
  }

  /// Removes this directory, which must be empty; its absence is fine.
  public func removeDirectory() throws(FileError) {
    do throws(Errno) {
      try unsafe withPath { text throws(Errno) in try unsafe SystemCall.remove(SystemCall.here, text, AT_REMOVEDIR) }
    } catch {
      if error == .noSuchFileOrDirectory { return }
      throw .remove(self, error)
    }
  }

  /// Removes this name and, if it is a directory, all that is below, without following any link; its absence is fine.
  public func removeTree() throws(FileError) {
    guard let stat = try fileStat() else { return }
    guard stat.kind == .directory else { return try removeFile() }
    do {
      try DirectoryHandle(self).removeContents()
    } catch {
      if error.code == .notFound { return }
      throw error
    }
    try removeDirectory()
  }

  // MARK: - Creating

  /// Creates this directory and those above it that are missing; one that is there already is fine.
  ///
  /// - Parameter durable: whether to wait until the new names are on the disk.
  public func createDirectories(mode: UInt32 = 0o777, durable: Bool = false) throws(FileError) {
    do throws(Errno) {
      try unsafe withPath { text throws(Errno) in
        try unsafe SystemCall.makeDirectory(SystemCall.here, text, mode_t(mode))
      }
    } catch {
      switch error {
      case .noSuchFileOrDirectory where containingDirectory != self && containingDirectory != ".":
        try containingDirectory.createDirectories(mode: mode, durable: durable)
        return try createDirectories(mode: mode, durable: durable)
      case .fileExists:
        if try fileStatFollowingLinks()?.kind == .directory { return }
        throw .makeDirectory(self, .notDirectory)
      default: throw .makeDirectory(self, error)
      }
    }
    if durable { try containingDirectory.synchronizeDirectory() }
  }

  /// Creates this name as a symbolic link that points to `target`.
  public func createSymlink(to target: [UInt8]) throws(FileError) {
    do throws(Errno) {
      guard !target.isEmpty, !target.contains(0) else { throw .invalidArgument }
      try unsafe FilePath(rawBytes: target).withPath { target throws(Errno) in
        try unsafe withPath { text throws(Errno) in try unsafe SystemCall.symlink(target, SystemCall.here, text) }
      }
    } catch {
      throw .symlink(self, error)
    }
  }

  /// Gives this file the further name `other`, which must not exist. A symbolic link is linked, not followed.
  public func link(as other: FilePath) throws(FileError) {
    do throws(Errno) {
      try unsafe withPath { from throws(Errno) in
        try unsafe other.withPath { to throws(Errno) in
          try unsafe SystemCall.link(SystemCall.here, from, SystemCall.here, to)
        }
      }
    } catch {
      throw .link(self, to: other, error)
    }
  }

  // MARK: - Renaming

  /// Renames this to `other`, in place of the file that has that name, if there is one.
  public func rename(to other: FilePath) throws(FileError) {
    do throws(Errno) {
      try unsafe withPath { from throws(Errno) in
        try unsafe other.withPath { to throws(Errno) in
          try unsafe SystemCall.rename(SystemCall.here, from, SystemCall.here, to)
        }
      }
    } catch {
      throw .rename(self, to: other, error)
    }
  }

  /// Renames this file to `other`, which must not exist: of two that try, one wins.
  ///
  /// Where the file system has no such rename, a second link and the removal of the first stand in for it.
  ///
  /// - Throws: ``FileError`` with code `exists` if `other` is there; nothing is changed then.
  public func renameNoReplace(to other: FilePath) throws(FileError) {
    do throws(Errno) {
      try unsafe withPath { from throws(Errno) in
        try unsafe other.withPath { to throws(Errno) in
          do throws(Errno) {
            try unsafe SystemCall.renameNoReplace(SystemCall.here, from, SystemCall.here, to)
          } catch {
            guard error == .invalidArgument || error == .noFunction || error == .notSupported else { throw error }
            try unsafe SystemCall.link(SystemCall.here, from, SystemCall.here, to)
            try unsafe SystemCall.remove(SystemCall.here, from)
          }
        }
      }
    } catch {
      throw .rename(self, to: other, error)
    }
  }

  // MARK: - Attributes

  /// Sets the permission bits, exactly. A symbolic link is refused, with code `unsupported`.
  public func setMode(_ mode: UInt32) throws(FileError) {
    do throws(Errno) {
      try unsafe withPath { text throws(Errno) in try unsafe SystemCall.setMode(SystemCall.here, text, mode_t(mode)) }
    } catch {
      throw .setMode(self, error)
    }
  }

  /// Makes this file executable for all who may read it, or for nobody. A file that is so already is left alone.
  public func setExecutable(_ executable: Bool) throws(FileError) {
    guard let stat = try fileStat() else { throw .setMode(self, .noSuchFileOrDirectory) }
    guard stat.kind == .regular else { throw .setMode(self, .notSupported) }
    let mode = executable ? stat.mode | ((stat.mode & 0o444) >> 2) | 0o100 : stat.mode & ~0o111
    if mode != stat.mode { try setMode(mode) }
  }

  /// Waits until the names in this directory are on the disk.
  public func synchronizeDirectory() throws(FileError) {
    try DirectoryHandle(self, followingLink: true).synchronize()
  }
}

extension DirectoryHandle {
  /// Removes everything in this directory, without following any link.
  public func removeContents() throws(FileError) {
    let listing = try list()
    for index in listing.indices {
      let name = listing.name(at: index)
      var kind = listing.kind(at: index)
      if kind == nil { kind = try stat(name: name)?.kind }
      if kind == .directory {
        try openDirectory(name: name).removeContents()
        try removeDirectory(name: name)
      } else {
        try removeFile(name: name)
      }
    }
  }
}
