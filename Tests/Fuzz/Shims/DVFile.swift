/// What the parsers use of DVFile, whose system calls have no place in a fuzzer.
public enum TerminalSafe {
  public static func text(_ text: String) -> String { text }
}

public struct FileError: Error {
  public let message: String
}
