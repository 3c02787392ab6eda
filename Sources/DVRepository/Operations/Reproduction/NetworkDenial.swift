import DVFile
import SystemPackage

/// Starts commands in a network of their own, in which there is nothing but the machine itself.
///
/// It is a network namespace of Linux, made by `unshare` of util-linux, as root or in a user namespace. Some systems allow
/// neither: then commands are refused rather than run with the network.
struct NetworkDenial {
  /// What comes before the command.
  let words: [[UInt8]]

  private static let ways = [["-n"], ["--map-current-user", "-n"], ["-r", "-n"]]
  /// Brings up the interface to the machine itself, where that can be done: frameworks talk to their own processes by it.
  private static let script = "ip link set lo up 2>/dev/null; exec \"$@\""

  /// Finds a way that works here.
  init(environment: [[UInt8]], directory: FilePath) async throws {
    for way in Self.ways {
      let words = ["unshare"] + way + ["--", "/bin/sh", "-c", Self.script, "sh"]
      let probe = ChildProcess(
        arguments: (words + ["true"]).map { Array($0.utf8) }, environment: environment, directory: directory)
      if let outcome = try? await probe.run(receive: { _, _ in }), outcome.ending == .exited(0) {
        self.words = words.map { Array($0.utf8) }
        return
      }
    }
    throw RepositoryError(
      .usage, "This system does not let dv deny a command the network: 'unshare -n' is not allowed, nor in a user namespace.",
      remedy: "Run it where user namespaces are allowed, or in a container without network and without --offline.")
  }
}
