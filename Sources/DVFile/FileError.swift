public import SystemPackage

/// A failure of the file system, with what was being done, the path, and what the person can do about it.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure this is, for code to decide on.
  public enum Code: Hashable, Sendable {
    case notFound, exists, denied, noSpace, notDirectory, isDirectory, notEmpty, tooManyOpen, readOnly
    /// The file system or the kernel cannot do this.
    case unsupported
    /// The bytes are not what they must be.
    case corrupt
    /// The file changed while it was being read.
    case changed
    /// What the caller asked for makes no sense, such as a name with a `/` in it.
    case input
    /// Another process holds the file.
    case busy
    /// A symbolic link stands where none may be followed.
    case symlink
    /// Neither a file, a directory nor a symbolic link.
    case notRegular
    /// The two paths lie on different file systems.
    case otherFileSystem
    /// The device failed, or anything without a kind of its own.
    case io
  }

  public let code: Code
  /// The path that was worked on.
  public let path: FilePath
  /// The system's error number, 0 where no system call failed.
  public let errno: Int32
  /// What was being done to which path, why it failed, and what to do next. Safe to print on a terminal.
  public let message: String
  /// The end of ``message``: why it failed and what to do next, for an error that says in its own words what was done.
  public let reason: String

  public var description: String { message }

  /// Creates an error that no system call reported.
  public init(code: Code, path: FilePath, message: String) {
    self.init(code: code, path: path, errno: 0, message: message, reason: message)
  }

  init(code: Code, path: FilePath, errno: Int32, message: String, reason: String) {
    self.code = code
    self.path = path
    self.errno = errno
    self.message = message
    self.reason = reason
  }
}
