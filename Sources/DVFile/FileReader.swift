public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An open regular file, for reading.
///
/// Opening never follows a symbolic link in the last component and never hangs on a pipe: anything but a regular file is
/// refused.
public struct FileReader: ~Copyable, Sendable {
  private let descriptor: Descriptor
  /// Where the file was when it was opened, for messages.
  public let path: FilePath

  /// Opens the file at `path`.
  ///
  /// - Throws: ``FileError`` with code `notFound`, `denied`, `symlink`, `notRegular` and so on.
  public init(_ path: FilePath, followingLink: Bool = false) throws(FileError) {
    let number: CInt
    do throws(Errno) {
      number = try unsafe path.withPath { text throws(Errno) in
        try unsafe Descriptor.openRegular(SystemCall.here, text, followingLink: followingLink)
      }
    } catch {
      throw .open(path, error)
    }
    try self.init(Descriptor(number), path: path)
  }

  /// Opens the file `name` of `directory`.
  public init(_ directory: borrowing DirectoryHandle, name: [UInt8]) throws(FileError) {
    self = try directory.openFile(name: name)
  }

  init(_ descriptor: consuming Descriptor, path: FilePath) throws(FileError) {
    let kind: FileKind
    do throws(Errno) { kind = try SystemCall.stat(descriptor.number).kind } catch { throw .stat(path, error) }
    guard kind == .regular else { throw .open(path, kind == .directory ? .isDirectory : .noSuchAddressOrDevice) }
    self.descriptor = descriptor
    self.path = path
  }

  /// Returns what the file system says of the open file.
  public func stat() throws(FileError) -> FileStat {
    do throws(Errno) { return try SystemCall.stat(descriptor.number) } catch { throw .stat(path, error) }
  }

  /// Reads on from the current position until `buffer` is full or the file ends.
  ///
  /// - Returns: how many bytes were read, counted from the start of `buffer`; less than its count only at the end.
  public func read(into buffer: inout [UInt8]) throws(FileError) -> Int {
    do throws(Errno) {
      let number = descriptor.number
      return try unsafe buffer.withUnsafeMutableBufferPointer { memory throws(Errno) in
        try unsafe Self.fill(memory.baseAddress, memory.count) { start, room throws(Errno) in
          try unsafe SystemCall.read(number, start, room)
        }
      }
    } catch {
      throw .read(path, error)
    }
  }

  /// Fills `buffer` from the current position on and sets its count; 0 means the file ended.
  ///
  /// - Parameter once: whether the pages that this brings into memory need not stay there. A file that is larger than
  ///   memory would push everything else out, and a page that must first be found costs more than the read itself.
  public func read(into buffer: AlignedBuffer, once: Bool = false) throws(FileError) {
    do throws(Errno) {
      let number = descriptor.number
      let count = try unsafe Self.fill(buffer.start, buffer.capacity) { start, room throws(Errno) in
        once
          ? try unsafe SystemCall.readOnce(number, start, room, at: nil) : try unsafe SystemCall.read(number, start, room)
      }
      buffer.resize(to: count)
    } catch {
      throw .read(path, error)
    }
  }

  /// Reads `count` bytes from `offset` on, or fewer where the file ends.
  ///
  /// - Parameter once: as in ``read(into:once:)``.
  public func read(at offset: UInt64, count: Int, once: Bool = false) throws(FileError) -> [UInt8] {
    do throws(Errno) {
      let number = descriptor.number
      var failure: Errno?
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { memory, initialized in
        do throws(Errno) {
          initialized = try unsafe Self.fill(memory.baseAddress, count, from: offset, of: number, once: once)
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      return bytes
    } catch {
      throw .read(path, error)
    }
  }

  /// Fills `buffer` from `offset` on and sets its count, to less than its capacity where the file ends.
  public func read(at offset: UInt64, into buffer: AlignedBuffer) throws(FileError) {
    do throws(Errno) {
      buffer.resize(
        to: try unsafe Self.fill(buffer.start, buffer.capacity, from: offset, of: descriptor.number))
    } catch {
      throw .read(path, error)
    }
  }

  /// Reads the whole file into `buffer`, whose memory is used again.
  ///
  /// - Throws: ``FileError`` with code `input` if the file has more than `limit` bytes, `changed` if its size was not
  ///   what it was at opening.
  /// - Returns: what the file system said before the first byte was read.
  @discardableResult
  public func readAll(into buffer: inout [UInt8], limit: Int = .max) throws(FileError) -> FileStat {
    let stat = try stat()
    guard let size = Int(exactly: stat.size), size <= limit else { throw .tooLarge(path, size: stat.size, limit: limit) }
    if buffer.count > size {
      buffer.removeLast(buffer.count - size)
    } else {
      buffer.append(contentsOf: repeatElement(0, count: size - buffer.count))
    }
    guard try read(into: &buffer) == size else { throw .changed(path) }
    return stat
  }

  /// Tells the kernel that the file will be read once from start to end, so that it reads further ahead.
  public func expectSequentialReading() { SystemCall.advise(descriptor.number, POSIX_FADV_SEQUENTIAL) }

  /// Tells the kernel that the file's pages need not stay in memory.
  public func dropFromCache() { SystemCall.advise(descriptor.number, POSIX_FADV_DONTNEED) }

  /// The descriptor, to clone from.
  var number: CInt { descriptor.number }

  private static func fill(
    _ start: UnsafeMutablePointer<UInt8>?, _ count: Int, from offset: UInt64, of number: CInt, once: Bool = false
  ) throws(Errno) -> Int {
    var position = offset
    return try unsafe fill(start, count) { start, room throws(Errno) in
      let got =
        once
        ? try unsafe SystemCall.readOnce(number, start, room, at: position)
        : try unsafe SystemCall.pread(number, start, room, at: position)
      position += UInt64(got)
      return got
    }
  }

  /// Calls `read` until `count` bytes are there or it answers 0.
  private static func fill(
    _ start: UnsafeMutablePointer<UInt8>?, _ count: Int,
    _ read: (UnsafeMutablePointer<UInt8>, Int) throws(Errno) -> Int
  ) throws(Errno) -> Int {
    guard let start = unsafe start else { return 0 }
    var done = 0
    while done < count {
      let got = try unsafe read(start + done, count - done)
      if got == 0 { break }
      done += got
    }
    return done
  }
}

extension FileError {
  static func tooLarge(_ path: FilePath, size: UInt64, limit: Int) -> FileError {
    FileError(
      code: .input, path: path,
      message: "Cannot read '\(path.printable)': it has \(size) bytes and at most \(limit) are expected here.")
  }

  static func changed(_ path: FilePath) -> FileError {
    FileError(
      code: .changed, path: path,
      message: "'\(path.printable)' changed while it was being read. Wait until it is complete and try again.")
  }
}
