import SystemPackage

/// Where answers go.
enum StandardOutput {
  /// The reader of standard output has gone, as in `dv ls | head`.
  ///
  /// Usually SIGPIPE ends the process first; where that signal is ignored, this error ends the command without a word.
  struct Closed: Error {}

  /// Writes `text` as it is, unbuffered: a command builds its whole answer first.
  ///
  /// - Throws: ``Closed``, or the system's error if the output is, say, a file on a full disk.
  static func write(_ text: String) throws {
    try write(bytes: Array(text.utf8))
  }

  /// Writes `bytes`, which may be no text.
  static func write(bytes: [UInt8]) throws {
    do {
      _ = try FileDescriptor.standardOutput.writeAll(bytes)
    } catch Errno.brokenPipe {
      throw Closed()
    }
  }
}

/// Where progress, warnings and errors go.
enum StandardError {
  /// Writes `text` as it is. If nobody reads it any more, nothing is lost: the exit code says how the command ended.
  static func write(_ text: String) { write(bytes: Array(text.utf8)) }

  /// Writes `bytes`, which may be no text.
  static func write(bytes: [UInt8]) { _ = try? FileDescriptor.standardError.writeAll(bytes) }
}
