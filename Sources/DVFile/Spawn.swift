import CLinux
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A program about to be started: what its streams are, where it works, and which group it belongs to.
///
/// Threads that run tasks block signals, and a child inherits that: Ctrl-C would not reach it. So it starts with none blocked. The two
/// structures of `posix_spawn(3)` live at one address each, because musl and glibc only promise that for a variable in C.
@safe struct Spawn: ~Copyable {
  /// Whose signals reach the program.
  enum Group {
    /// What is sent to this process's group or typed at its terminal.
    case same
    /// What is sent to a group of its own.
    case own
    /// What is sent to a session of its own, which has no terminal.
    case session
  }

  private let actions: UnsafeMutablePointer<posix_spawn_file_actions_t>
  private let attributes: UnsafeMutablePointer<posix_spawnattr_t>

  /// - Parameter restoresPipeSignal: whether SIGPIPE ends the program as it does by default, though this process ignores it.
  init(_ group: Group, restoresPipeSignal: Bool = false) {
    unsafe actions = .allocate(capacity: 1)
    unsafe attributes = .allocate(capacity: 1)
    unsafe posix_spawn_file_actions_init(actions)
    unsafe posix_spawnattr_init(attributes)
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(attributes, &signals)
    unsafe sigaddset(&signals, SIGPIPE)
    unsafe posix_spawnattr_setsigdefault(attributes, &signals)
    unsafe posix_spawnattr_setpgroup(attributes, 0)
    var flags = Int16(POSIX_SPAWN_SETSIGMASK)
    if restoresPipeSignal { flags |= Int16(POSIX_SPAWN_SETSIGDEF) }
    switch group {
    case .same: break
    case .own: flags |= Int16(POSIX_SPAWN_SETPGROUP)
    case .session: flags |= dv_spawn_session_flag
    }
    unsafe posix_spawnattr_setflags(attributes, flags)
  }

  deinit {
    unsafe posix_spawn_file_actions_destroy(actions)
    unsafe posix_spawnattr_destroy(attributes)
    unsafe actions.deallocate()
    unsafe attributes.deallocate()
  }

  /// Has a stream of the program be what a descriptor of this process is.
  func connect(_ stream: CInt, to descriptor: CInt) { unsafe posix_spawn_file_actions_adddup2(actions, descriptor, stream) }

  /// Has a stream of the program be nothing: at its end at once, or taking all.
  func connectToNothing(_ stream: CInt) {
    unsafe posix_spawn_file_actions_addopen(actions, stream, "/dev/null", stream == 0 ? O_RDONLY : O_WRONLY, 0)
  }

  /// Has the program work in a directory.
  func enter(_ directory: FilePath) { _ = unsafe directory.withPlatformString { unsafe dv_spawn_in_directory(actions, $0) } }

  /// Starts the program, which is looked up in `PATH` unless it is a path.
  ///
  /// - Parameters:
  ///   - words: the program and its arguments.
  ///   - environment: its variables, `NAME=value`.
  func start(_ words: [[UInt8]], environment: [[UInt8]]) throws(Errno) -> pid_t {
    var process: pid_t = 0
    let code = unsafe Self.withCStrings(words) { arguments in
      unsafe Self.withCStrings(environment) { variables in
        unsafe posix_spawnp(&process, arguments[0]!, actions, attributes, arguments, variables)  // never no word
      }
    }
    guard code == 0 else { throw Errno(rawValue: code) }
    return process
  }

  /// Calls `body` with words as C has them, ended by a null pointer.
  private static func withCStrings<R>(
    _ words: [[UInt8]], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
  ) -> R {
    let words = words.isEmpty ? [[]] : words
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: words.count + 1)
    for (index, word) in words.enumerated() {
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: word.count + 1)
      for (offset, byte) in word.enumerated() { unsafe copy[offset] = CChar(bitPattern: byte) }
      unsafe copy[word.count] = 0
      unsafe pointers[index] = copy
    }
    unsafe pointers[words.count] = nil
    defer {
      for index in words.indices { unsafe pointers[index]?.deallocate() }
      unsafe pointers.deallocate()
    }
    return unsafe body(pointers)
  }
}

/// Two connected descriptors, which no program that is started inherits by itself.
enum DescriptorPair {
  /// A pipe.
  static func pipe() throws(Errno) -> (read: CInt, write: CInt) {
    let ends = try unsafe make { unsafe dv_pipe_cloexec($0) }
    return (ends.0, ends.1)
  }

  /// Two ends of one stream socket.
  static func sockets() throws(Errno) -> (CInt, CInt) { try unsafe make { unsafe dv_socketpair_cloexec($0) } }

  private static func make(_ call: (UnsafeMutablePointer<CInt>) -> CInt) throws(Errno) -> (CInt, CInt) {
    var ends: (CInt, CInt) = (-1, -1)
    let code = unsafe withUnsafeMutablePointer(to: &ends) { pointer in
      // A tuple of two numbers lies in memory as an array of two does.
      unsafe pointer.withMemoryRebound(to: CInt.self, capacity: 2) { unsafe call($0) }
    }
    guard code == 0 else { throw Errno(rawValue: errno) }
    return ends
  }
}
