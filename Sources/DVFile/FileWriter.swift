public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A new file, open for writing.
///
/// A file that goes away without ``close()`` is closed, but whether its bytes were accepted is not known then.
public struct FileWriter: ~Copyable, Sendable {
  private let descriptor: Descriptor
  /// Where the file was made, for messages.
  public let path: FilePath

  /// Creates the file at `path`, which must not exist, with permission bits `mode` less the process's umask.
  public init(creating path: FilePath, mode: UInt32 = 0o666) throws(FileError) {
    do throws(Errno) {
      descriptor = Descriptor(
        try unsafe path.withPath { text throws(Errno) in
          try unsafe SystemCall.open(SystemCall.here, text, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode_t(mode))
        })
    } catch {
      throw .create(path, error)
    }
    self.path = path
  }

  /// Opens the file at `path` to go on at its end; makes it if it is not there.
  public init(appendingTo path: FilePath, mode: UInt32 = 0o666) throws(FileError) {
    do throws(Errno) {
      descriptor = Descriptor(
        try unsafe path.withPath { text throws(Errno) in
          try unsafe SystemCall.open(SystemCall.here, text, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode_t(mode))
        })
    } catch {
      throw .create(path, error)
    }
    self.path = path
  }

  init(_ descriptor: consuming Descriptor, path: FilePath) {
    self.descriptor = descriptor
    self.path = path
  }

  /// Takes away what the file has beyond `length` bytes. Only of one that was opened to be gone on with.
  public func truncate(to length: UInt64) throws(FileError) {
    do throws(Errno) { try SystemCall.truncate(descriptor.number, to: length) } catch { throw .write(path, error) }
  }

  /// Appends all of `bytes`.
  public func write(_ bytes: Span<UInt8>) throws(FileError) {
    do throws(Errno) { try descriptor.writeAll(bytes) } catch { throw .write(path, error) }
  }

  /// Sets the permission bits, exactly.
  public func setMode(_ mode: UInt32) throws(FileError) {
    do throws(Errno) { try SystemCall.setMode(descriptor.number, mode_t(mode)) } catch { throw .setMode(path, error) }
  }

  /// Makes this file share the bytes of `source`, on file systems that can (Btrfs, XFS, ZFS).
  ///
  /// - Returns: `false`, with nothing done, where the file system cannot, or the two lie on different ones.
  public func clone(from source: borrowing FileReader) throws(FileError) -> Bool {
    do throws(Errno) {
      try SystemCall.clone(source.number, into: descriptor.number)
      return true
    } catch {
      switch error.rawValue {
      case EOPNOTSUPP, ENOTTY, ENOSYS, EINVAL, EXDEV, EPERM, EBADF: return false
      default: throw .clone(source.path, to: path, error)
      }
    }
  }

  /// Waits until the file's bytes are on the disk. After a failure the bytes must be written anew to a new file.
  public func synchronize() throws(FileError) {
    do throws(Errno) { try SystemCall.synchronize(descriptor.number) } catch { throw .synchronize(path, error) }
  }

  /// Returns what the file system says of the open file.
  public func stat() throws(FileError) -> FileStat {
    do throws(Errno) { return try SystemCall.stat(descriptor.number) } catch { throw .stat(path, error) }
  }

  /// Gives the descriptor away, and with it the duty to close.
  consuming func takeDescriptor() -> CInt { descriptor.take() }

  /// Closes the file and reports what a network file system could not write.
  public consuming func close() throws(FileError) {
    let path = path
    do throws(Errno) { try descriptor.close() } catch { throw .close(path, error) }
  }
}
