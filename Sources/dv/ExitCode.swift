/// What dv tells the program that called it. These numbers never change their meaning.
///
/// An error too, for a command whose answer is ``no``: thrown, it ends dv without a message.
enum ExitCode: Int32, CaseIterable, Error {
  /// Done, and nothing differs.
  case done = 0
  /// The answer is no: differs, drifted, not reproduced, not clean.
  case no = 1
  /// The command could not be carried out as asked: a wrong option or path, a missing permission, a full disk.
  case usage = 2
  /// Data is missing here and on the remote.
  case missing = 3
  /// Bytes are not what their name says.
  case corrupt = 4
  /// The remote does not answer or refuses.
  case unreachable = 5
  /// Another process holds what is needed.
  case busy = 6
  /// Work would be lost.
  case conflict = 7
  /// Ended by Ctrl-C or a request to terminate.
  case interrupted = 130
  /// Nobody reads the output any more: what a shell reports for a program that SIGPIPE ended.
  case outputClosed = 141
}
