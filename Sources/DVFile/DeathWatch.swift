import CLinux
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Ends what a program started, and all that it started, when this process is killed.
///
/// A process that is killed by SIGKILL can do nothing any more, and the kernel's signal on a parent's death reaches only the child
/// itself. So a shell waits at the end of a socket whose other end only this process holds: what ends it without a word is this process's end.
/// It has a session of its own, so that what is sent to this process's group or terminal passes it by. Then it asks the program's
/// process group to end, and kills it if that takes longer than ``patience``. Then it becomes the heir, if there is one.
struct DeathWatch: ~Copyable {
  /// Seconds between the request and the end.
  static let patience = 5

  private let socket: CInt
  private let process: pid_t

  /// Without input there is nobody to wait for any more. Signal 0 asks whether the group is there.
  private static let script = """
    read -r word || { kill -s TERM -- "-$1"; n=0
    while kill -0 -- "-$1" && [ $n -lt $2 ]; do sleep 0.1; n=$((n+1)); done; kill -s KILL -- "-$1"
    shift 2; [ $# -eq 0 ] || exec "$@"; } 2>/dev/null
    """

  /// Begins to watch over the process group that `leader` leads; `nil` if the system has no room for another process.
  ///
  /// - Parameter heir: what to run when this process was killed and the group has ended. It reads nothing, and what it prints is lost.
  init?(over leader: pid_t, heir: ChildProcess.Heir? = nil) {
    guard let ends = try? DescriptorPair.sockets() else { return nil }
    defer { SystemCall.closeQuietly(ends.0) }
    let spawn = Spawn(.session)
    spawn.connect(0, to: ends.0)
    for stream: CInt in [1, 2] { spawn.connectToNothing(stream) }
    let words = ["/bin/sh", "-c", Self.script, "dv-watch", String(leader), String(10 * Self.patience)].map { Array($0.utf8) }
    do throws(Errno) {
      process = try spawn.start(
        words + (heir?.arguments ?? []), environment: heir?.environment ?? [Array("PATH=/usr/local/bin:/usr/bin:/bin".utf8)])
    } catch {
      SystemCall.closeQuietly(ends.1)
      return nil
    }
    socket = ends.1
  }

  /// Ends the watch, and does nothing to the group.
  consuming func end() {
    // A shell that was killed is told nothing, and that is no error.
    dv_send_line(socket)
    SystemCall.closeQuietly(socket)
    var status: CInt = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
  }
}
