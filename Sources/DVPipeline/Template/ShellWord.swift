/// Words of a POSIX shell's command line.
public enum ShellWord {
  /// Returns `word` so that a shell reads exactly it, in quotes only where they are needed.
  public static func quoted(_ word: String) -> String {
    let isPlain = !word.isEmpty && word.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "@%+=:,./-_".utf8.contains(byte)
      }
    }
    guard !isPlain else { return word }
    return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\"'\"'") + "'"
  }

  /// Returns the command line that a shell reads as these words.
  public static func line(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

  /// Returns the words of a simple command line as far as quotes and backslashes say; expansions stay as they are written.
  ///
  /// Meant for guessing which program a command runs, not for running it.
  public static func words(of line: String) -> [String] {
    var (words, word, isWord): ([String], String, Bool) = ([], "", false)
    var quote: Character?
    var isEscaped = false
    for character in line {
      if isEscaped {
        word.append(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        (isEscaped, isWord) = (true, true)
      } else if let open = quote {
        if character == open { quote = nil } else { word.append(character) }
      } else if character == "'" || character == "\"" {
        (quote, isWord) = (character, true)
      } else if character.isWhitespace || character.isNewline {
        if isWord { words.append(word) }
        (word, isWord) = ("", false)
      } else {
        word.append(character)
        isWord = true
      }
    }
    if isWord { words.append(word) }
    return words
  }
}
