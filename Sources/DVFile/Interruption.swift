import Dispatch
import Synchronization
public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Ctrl-C and requests to terminate, turned from signals into calls on an ordinary thread.
public enum Interruption {
  /// The end of a pipe that the signal handler writes to: of the few things a handler may do, this wakes a thread.
  private static let wakeUp = Atomic<CInt>(-1)

  /// Calls `cancel` at the first SIGINT, SIGTERM or SIGHUP, and `afterGrace` if the process still lives `grace` later.
  ///
  /// The second signal of a kind ends the process at once. A signal that the parent had ignored, as `nohup` and a shell's
  /// `&` do, stays ignored. Children are not affected: handlers do not survive `exec`.
  ///
  /// Meant to be called once, at the start of the program.
  public static func onFirst(
    grace: Duration = .seconds(3), _ cancel: @escaping @Sendable () -> Void,
    afterGrace: @escaping @Sendable () -> Void
  ) throws(Errno) {
    let (reader, writer) = try openPipe()
    wakeUp.store(writer.rawValue, ordering: .relaxed)

    let queue = DispatchQueue(label: "interruption")
    let source = DispatchSource.makeReadSource(fileDescriptor: reader.rawValue, queue: queue)
    source.setEventHandler {
      // Cancelled here, and alive until then because it is captured.
      source.cancel()
      cancel()
      let (seconds, attoseconds) = grace.components
      let wait = DispatchTimeInterval.milliseconds(Int(seconds * 1000 + attoseconds / 1_000_000_000_000_000))
      queue.asyncAfter(deadline: .now() + wait) { end(on: queue, afterGrace) }
    }
    source.activate()
    for signal in [SIGINT, SIGTERM, SIGHUP] { try handle(signal) }
  }

  /// How many pieces of work must not be cut off by the end of the grace.
  private static let holders = Atomic<Int>(0)

  /// Does `body`, which ends by itself when its task is cancelled, but in its own time: no grace cuts it off.
  ///
  /// A second signal still ends the process at once.
  public static func holding<R: Sendable, E: Error>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(E) -> R
  ) async throws(E) -> R {
    holders.wrappingAdd(1, ordering: .relaxed)
    defer { holders.wrappingSubtract(1, ordering: .relaxed) }
    return try await body()
  }

  private static func end(on queue: DispatchQueue, _ afterGrace: @escaping @Sendable () -> Void) {
    guard holders.load(ordering: .relaxed) > 0 else { return afterGrace() }
    queue.asyncAfter(deadline: .now() + .milliseconds(200)) { end(on: queue, afterGrace) }
  }

  private static func openPipe() throws(Errno) -> (reader: FileDescriptor, writer: FileDescriptor) {
    do {
      let ends = try FileDescriptor.pipe()
      // No child may hold them; at the start of a program no other thread can fork in between.
      for end in [ends.readEnd, ends.writeEnd] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
      return (ends.readEnd, ends.writeEnd)
    } catch {
      throw error as? Errno ?? .ioError  // pipe() throws nothing else
    }
  }

  /// Installs the handler, unless `signal` is ignored.
  private static func handle(_ signal: CInt) throws(Errno) {
    var action = sigaction()
    guard unsafe sigaction(signal, nil, &action) == 0 else { throw Errno(rawValue: errno) }
    // Function pointers cannot be compared in Swift; their bits can. SIG_IGN is 1.
    if unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1 { return }
    unsafe action.__sigaction_handler.sa_handler = { _ in
      let saved = errno
      var byte: UInt8 = 0
      // A full pipe means that the thread is awake already.
      _ = unsafe write(Interruption.wakeUp.load(ordering: .relaxed), &byte, 1)
      errno = saved
    }
    // Reset: the next signal of this kind has its usual effect. Restart: no call fails because of this one.
    action.sa_flags = CInt(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
    guard unsafe sigaction(signal, &action, nil) == 0 else { throw Errno(rawValue: errno) }
  }
}
