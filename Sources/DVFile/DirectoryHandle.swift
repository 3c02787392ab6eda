public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An open directory, whose entries are reached by name from here.
///
/// Every call takes one name and starts at this very directory, so neither a symbolic link planted below nor a rename
/// above can lead it elsewhere. A name with a `/`, `.` or `..` is refused with code `unsupported`.
public struct DirectoryHandle: ~Copyable, Sendable {
  private let descriptor: Descriptor
  /// The bytes of ``path``: making a `FilePath` looks at each of them several times, which deep trees feel.
  private let place: [UInt8]

  /// Where the directory was when it was opened, for messages.
  ///
  /// - Complexity: O(*n*) in its length.
  public var path: FilePath { FilePath(rawBytes: place) }

  /// Opens the directory at `path`.
  ///
  /// - Parameter followingLink: whether the last component may be a symbolic link.
  public init(_ path: FilePath, followingLink: Bool = false) throws(FileError) {
    do throws(Errno) {
      descriptor = Descriptor(
        try unsafe path.withPath { text throws(Errno) in
          try unsafe SystemCall.open(
            SystemCall.here, text, O_RDONLY | O_DIRECTORY | (followingLink ? 0 : O_NOFOLLOW))
        })
    } catch {
      throw .open(path, Self.linkOrNot(error, path))
    }
    place = path.rawBytes
  }

  init(_ descriptor: consuming Descriptor, path: FilePath) {
    self.init(descriptor, place: path.rawBytes)
  }

  private init(_ descriptor: consuming Descriptor, place: [UInt8]) {
    self.descriptor = descriptor
    self.place = place
  }

  /// Returns the place of `name` in this directory.
  private func place(of name: [UInt8]) -> [UInt8] {
    var bytes = place
    bytes.reserveCapacity(place.count + 1 + name.count)
    if let last = bytes.last, last != UInt8(ascii: "/") { bytes.append(UInt8(ascii: "/")) }
    return bytes + name
  }

  private func path(of name: [UInt8]) -> FilePath { FilePath(rawBytes: place(of: name)) }

  /// `O_DIRECTORY` with `O_NOFOLLOW` answers ENOTDIR for a symbolic link; says what it really is.
  private static func linkOrNot(_ errno: Errno, _ path: FilePath) -> Errno {
    guard errno == .notDirectory, (try? path.fileStat())?.kind == .symlink else { return errno }
    return .tooManySymbolicLinkLevels
  }

  // MARK: - Going down

  /// Opens the directory `name`.
  public func openDirectory(name: [UInt8]) throws(FileError) -> DirectoryHandle {
    do throws(Errno) {
      let opened = try unsafe withName(name) { text throws(Errno) in
        try unsafe SystemCall.open(number, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      }
      return DirectoryHandle(Descriptor(opened), place: place(of: name))
    } catch {
      throw .open(path(of: name), Self.linkOrNot(error, path(of: name)))
    }
  }

  /// Opens the directory that `listing`, a listing of this directory, has at `index`.
  public func openDirectory(in listing: borrowing DirectoryListing, at index: Int) throws(FileError) -> DirectoryHandle {
    do throws(Errno) {
      let number = number
      let opened = try unsafe listing.withCString(at: index) { text throws(Errno) in
        try unsafe SystemCall.open(number, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      }
      return DirectoryHandle(Descriptor(opened), place: place(of: listing.name(at: index)))
    } catch {
      let path = self.path(of: listing.name(at: index))
      throw .open(path, Self.linkOrNot(error, path))
    }
  }

  // MARK: - Looking

  /// Returns what the file system says of this directory.
  public func stat() throws(FileError) -> FileStat {
    do throws(Errno) { return try SystemCall.stat(number) } catch { throw .stat(path, error) }
  }

  /// Returns what the file system says of `name` itself, never of what a link points to; `nil` if there is nothing.
  public func stat(name: [UInt8]) throws(FileError) -> FileStat? {
    do throws(Errno) {
      return try unsafe withName(name) { text throws(Errno) in try unsafe SystemCall.stat(number, text) }
    } catch {
      if error == .noSuchFileOrDirectory { return nil }
      throw .stat(path(of: name), error)
    }
  }

  /// Returns what the file system says of the name that `listing`, a listing of this directory, has at `index`; `nil` if
  /// it is gone.
  ///
  /// - Complexity: one system call, no allocation.
  public func stat(in listing: borrowing DirectoryListing, at index: Int) throws(FileError) -> FileStat? {
    do throws(Errno) {
      let number = number
      return try unsafe listing.withCString(at: index) { text throws(Errno) in try unsafe SystemCall.stat(number, text) }
    } catch {
      if error == .noSuchFileOrDirectory { return nil }
      throw .stat(path(of: listing.name(at: index)), error)
    }
  }

  /// Names that are worth a thread: starting one costs as much as looking at a hundred.
  private static let namesOfThread = 512

  /// Returns what the file system says of the names that `listing`, a listing of this directory, has at `indices`; `nil` for
  /// those that are gone.
  ///
  /// - Complexity: one system call for each, on all cores where there are many.
  public func stat(in listing: DirectoryListing, at indices: [Int]) throws(FileError) -> [FileStat?] {
    let number = number
    let parts = BlockingThreads.runParts(of: indices.count, atLeast: Self.namesOfThread) { range in
      var stats: [FileStat?] = []
      stats.reserveCapacity(range.count)
      for index in indices[range] {
        do throws(Errno) {
          stats.append(
            try unsafe listing.withCString(at: index) { text throws(Errno) in try unsafe SystemCall.stat(number, text) })
        } catch {
          guard error == .noSuchFileOrDirectory else {
            return Result<[FileStat?], StatFailure>.failure(StatFailure(index: index, errno: error))
          }
          stats.append(nil)
        }
      }
      return .success(stats)
    }
    do throws(StatFailure) {
      if parts.count == 1 { return try parts[0].get() }
      var all: [FileStat?] = []
      all.reserveCapacity(indices.count)
      for part in parts { all += try part.get() }
      return all
    } catch {
      throw .stat(path(of: listing.name(at: error.index)), error.errno)
    }
  }

  /// A name of a listing that could not be looked at.
  private struct StatFailure: Error {
    let index: Int
    let errno: Errno
  }

  /// Returns the names in this directory, sorted.
  public func list() throws(FileError) -> DirectoryListing {
    var listing = DirectoryListing()
    try list(into: &listing)
    return listing
  }

  /// Lists this directory into `listing`, whose memory is used again.
  public func list(into listing: inout DirectoryListing) throws(FileError) {
    listing.removeAll()
    do throws(Errno) {
      try SystemCall.seekToStart(number)
      let number = number
      var more = true
      while more {
        more = try unsafe withUnsafeTemporaryAllocation(byteCount: 32 << 10, alignment: 8) { buffer throws(Errno) in
          let count = try unsafe SystemCall.readEntries(number, buffer.baseAddress!, buffer.count)
          unsafe listing.append(records: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
          return count > 0
        }
      }
    } catch {
      throw .list(path, error)
    }
    listing.sort()
  }

  /// Returns where the symbolic link `name` points, as bytes.
  public func readLink(name: [UInt8]) throws(FileError) -> [UInt8] {
    do throws(Errno) {
      return try unsafe withName(name) { text throws(Errno) in try unsafe linkTarget(number, text) }
    } catch {
      throw .readLink(path(of: name), error)
    }
  }

  // MARK: - Files

  /// Opens the regular file `name` for reading.
  public func openFile(name: [UInt8]) throws(FileError) -> FileReader {
    let descriptor: Descriptor
    do throws(Errno) {
      descriptor = Descriptor(
        try unsafe withName(name) { text throws(Errno) in try unsafe Descriptor.openRegular(number, text) })
    } catch {
      throw .open(path(of: name), error)
    }
    return try FileReader(descriptor, path: path(of: name))
  }

  /// Reads the whole regular file that `listing`, a listing of this directory, has at `index` into `buffer`, whose memory
  /// is used again.
  ///
  /// - Complexity: four system calls for a file that fits; no allocation once `buffer` has grown.
  /// - Throws: ``FileError`` with code `input` if the file has more than `limit` bytes, `changed` if it was being written.
  /// - Returns: what the file system said before the first byte was read.
  public func readFile(
    in listing: borrowing DirectoryListing, at index: Int, into buffer: inout [UInt8], limit: Int = .max
  ) throws(FileError) -> FileStat {
    let descriptor: Descriptor
    do throws(Errno) {
      let number = number
      descriptor = Descriptor(
        try unsafe listing.withCString(at: index) { text throws(Errno) in
          try unsafe Descriptor.openRegular(number, text)
        })
    } catch {
      throw .open(path(of: listing.name(at: index)), error)
    }
    do throws(Errno) {
      return try readWhole(descriptor, into: &buffer, limit: limit)
    } catch {
      let path = self.path(of: listing.name(at: index))
      switch error {
      case .fileTooLarge: throw .tooLarge(path, size: (try? path.fileStat())?.size ?? 0, limit: limit)
      case .resourceTemporarilyUnavailable: throw .changed(path)
      case .isDirectory, .noSuchAddressOrDevice: throw .open(path, error)
      default: throw .read(path, error)
      }
    }
  }

  /// Creates the regular file `name`, which must not exist, with permission bits `mode` less the umask.
  public func createFile(name: [UInt8], mode: UInt32 = 0o666) throws(FileError) -> FileWriter {
    do throws(Errno) {
      let descriptor = try unsafe withName(name) { text throws(Errno) in
        try unsafe SystemCall.open(number, text, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode_t(mode))
      }
      return FileWriter(Descriptor(descriptor), path: path(of: name))
    } catch {
      throw .create(path(of: name), error)
    }
  }

  // MARK: - Names

  /// Creates the directory `name`; one that is there already is fine.
  ///
  /// - Returns: whether it was created.
  @discardableResult
  public func makeDirectory(name: [UInt8], mode: UInt32 = 0o777) throws(FileError) -> Bool {
    do throws(Errno) {
      try unsafe withName(name) { text throws(Errno) in try unsafe SystemCall.makeDirectory(number, text, mode_t(mode)) }
      return true
    } catch {
      guard error == .fileExists, let kind = try stat(name: name)?.kind else {
        throw .makeDirectory(path(of: name), error)
      }
      if kind == .directory { return false }
      throw .makeDirectory(path(of: name), kind == .symlink ? .tooManySymbolicLinkLevels : .notDirectory)
    }
  }

  /// Creates the symbolic link `name` that points to `target`.
  public func makeSymlink(name: [UInt8], target: [UInt8]) throws(FileError) {
    do throws(Errno) {
      guard !target.isEmpty, !target.contains(0) else { throw .invalidArgument }
      try unsafe withName(name) { text throws(Errno) in
        try unsafe FilePath(rawBytes: target).withPath { target throws(Errno) in
          try unsafe SystemCall.symlink(target, number, text)
        }
      }
    } catch {
      throw .symlink(path(of: name), error)
    }
  }

  /// Removes the file or link `name`; its absence is fine.
  public func removeFile(name: [UInt8]) throws(FileError) {
    try remove(name, flags: 0)
  }

  /// Removes the empty directory `name`; its absence is fine.
  public func removeDirectory(name: [UInt8]) throws(FileError) {
    try remove(name, flags: AT_REMOVEDIR)
  }

  private func remove(_ name: [UInt8], flags: CInt) throws(FileError) {
    do throws(Errno) {
      try unsafe withName(name) { text throws(Errno) in try unsafe SystemCall.remove(number, text, flags) }
    } catch {
      if error == .noSuchFileOrDirectory { return }
      throw .remove(path(of: name), error)
    }
  }

  /// Renames `name` to `newName` of `other`, in place of what had that name, if anything.
  public func rename(name: [UInt8], to newName: [UInt8], of other: borrowing DirectoryHandle) throws(FileError) {
    let target = other.number
    do throws(Errno) {
      try unsafe withName(name) { from throws(Errno) in
        try unsafe withName(newName) { to throws(Errno) in try unsafe SystemCall.rename(number, from, target, to) }
      }
    } catch {
      throw .rename(path(of: name), to: other.path.appending(name: newName), error)
    }
  }

  /// Renames `name` to `newName` of the same directory, in place of what had that name, if anything.
  public func rename(name: [UInt8], to newName: [UInt8]) throws(FileError) {
    try rename(name: name, to: newName, of: self)
  }

  /// Moves the file at `source`, on the same file system, to `name` of this directory, in place of what had that name.
  ///
  /// - Throws: ``FileError`` with code `otherFileSystem`, and nothing done, if the two are on different ones.
  public func moveIn(_ source: FilePath, as name: [UInt8]) throws(FileError) {
    do throws(Errno) {
      try unsafe withName(name) { to throws(Errno) in
        try unsafe source.withPath { from throws(Errno) in
          try unsafe SystemCall.rename(SystemCall.here, from, number, to)
        }
      }
    } catch {
      throw .rename(source, to: path(of: name), error)
    }
  }

  /// Sets the permission bits of `name`, exactly. A symbolic link is refused, with code `unsupported`.
  public func setMode(name: [UInt8], _ mode: UInt32) throws(FileError) {
    do throws(Errno) {
      try unsafe withName(name) { text throws(Errno) in try unsafe SystemCall.setMode(number, text, mode_t(mode)) }
    } catch {
      throw .setMode(path(of: name), error)
    }
  }

  /// Waits until the names in this directory are on the disk.
  public func synchronize() throws(FileError) {
    do throws(Errno) { try SystemCall.synchronize(number) } catch { throw .synchronize(path, error) }
  }

  var number: CInt { descriptor.number }
}

extension DirectoryListing {
  /// Runs `body` with the name at `index` as a C string that lies in the arena.
  func withCString<R>(
    at index: Int, _ body: (UnsafePointer<CChar>) throws(Errno) -> R
  ) throws(Errno) -> R {
    let offset = entries[index].offset
    return try unsafe arena.withUnsafeBufferPointer { bytes throws(Errno) in
      // Never nil: an arena that has an entry has bytes.
      try unsafe body(UnsafeRawPointer(bytes.baseAddress! + offset).assumingMemoryBound(to: CChar.self))
    }
  }
}

/// Reads an open regular file into `buffer` and returns its stat.
///
/// - Throws: `fileTooLarge` above `limit`, `resourceTemporarilyUnavailable` if its size changed meanwhile.
func readWhole(_ descriptor: borrowing Descriptor, into buffer: inout [UInt8], limit: Int) throws(Errno) -> FileStat {
  let number = descriptor.number
  let stat = try SystemCall.stat(number)
  guard stat.kind == .regular else { throw stat.kind == .directory ? .isDirectory : .noSuchAddressOrDevice }
  guard let size = Int(exactly: stat.size), size <= limit else { throw .fileTooLarge }
  buffer.removeAll(keepingCapacity: true)
  // One byte more is asked for than the size, so that a file that has grown is noticed without another call.
  var failure: Errno?
  var done = 0
  buffer.append(addingCapacity: size + 1) { output in
    unsafe output.withUnsafeMutableBufferPointer { memory, count in
      do throws(Errno) {
        guard let start = memory.baseAddress else { return }
        while done < size {
          let got = try unsafe SystemCall.read(number, start + done, size + 1 - done)
          if got == 0 { break }
          done += got
        }
        count = min(done, size)
      } catch {
        failure = error
      }
    }
  }
  if let failure { throw failure }
  guard done == size else { throw .resourceTemporarilyUnavailable }
  return stat
}

/// Reads the target of a symbolic link, however long.
func linkTarget(_ directory: CInt, _ path: UnsafePointer<CChar>) throws(Errno) -> [UInt8] {
  var room = 512
  while true {
    var buffer = [CChar](repeating: 0, count: room)
    let count = try unsafe buffer.withUnsafeMutableBufferPointer { memory throws(Errno) in
      try unsafe SystemCall.readLink(directory, path, memory.baseAddress!, memory.count)
    }
    if count < room { return buffer[..<count].map { UInt8(bitPattern: $0) } }
    room *= 4
  }
}

extension DirectoryHandle {
  /// Opens the same directory once more.
  public init(_ other: borrowing DirectoryHandle) throws(FileError) {
    do throws(Errno) {
      let number = other.number
      let opened = try unsafe ".".withCString { text -> Result<CInt, Errno> in
        do throws(Errno) {
          return .success(try unsafe SystemCall.open(number, text, O_RDONLY | O_DIRECTORY))
        } catch {
          return .failure(error)
        }
      }.get()
      self.init(Descriptor(opened), path: other.path)
    } catch {
      throw .open(other.path, error)
    }
  }
}
