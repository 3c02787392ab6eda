import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Owns one file descriptor and closes it when it goes away.
struct Descriptor: ~Copyable {
  let number: CInt

  init(_ number: CInt) { self.number = number }

  deinit { SystemCall.closeQuietly(number) }

  /// Closes it and reports a failure: what a network file system could not write may only be told here.
  consuming func close() throws(Errno) {
    let number = number
    discard self
    try SystemCall.close(number)
  }

  /// Gives the number away, and with it the duty to close.
  consuming func take() -> CInt {
    let number = number
    discard self
    return number
  }

  /// Opens an existing file for reading that must be a regular one.
  ///
  /// `O_NONBLOCK` keeps the open of a pipe that nobody writes to from hanging; a regular file ignores it. `O_NOATIME`
  /// spares the disk a write per file read, but only the owner may ask for it.
  static func openRegular(
    _ directory: CInt, _ path: UnsafePointer<CChar>, followingLink: Bool = false
  ) throws(Errno) -> CInt {
    let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | (followingLink ? 0 : O_NOFOLLOW)
    do {
      return try unsafe SystemCall.open(directory, path, flags | noAccessTime)
    } catch {
      guard error == .notPermitted else { throw error }
      return try unsafe SystemCall.open(directory, path, flags)
    }
  }

  /// Writes all of `bytes` at the file's position.
  func writeAll(_ bytes: Span<UInt8>) throws(Errno) {
    try unsafe bytes.withUnsafeBufferPointer { buffer throws(Errno) in
      guard let start = buffer.baseAddress else { return }
      var done = 0
      while done < buffer.count {
        done += try unsafe SystemCall.write(number, start + done, buffer.count - done)
      }
    }
  }
}
