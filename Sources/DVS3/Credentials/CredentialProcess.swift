import DVFile

/// A program of the user's that prints credentials as JSON (`credential_process`).
///
/// Only AWS's files in the user's home, or where the environment says, can name one: what is committed to a repository cannot.
struct CredentialProcess {
  private let profile: AWSProfile
  private let arguments: [String]

  /// - Throws: ``CredentialError/Code/invalid`` if there is nothing to run, or a quote without its end.
  init(_ command: String, of profile: AWSProfile) throws(CredentialError) {
    guard let words = Self.words(command), let program = words.first, !program.isEmpty else {
      throw CredentialError(.invalid, "credential_process of \(profile) names no program, or has a quote without its end.")
    }
    self.profile = profile
    arguments = words
  }

  func credentials(_ environment: CredentialEnvironment) async throws(CredentialError) -> AWSCredentials {
    // Arguments may be secrets; the program's name is not.
    let origin = "'\(TerminalSafe.text(arguments[0]))', the credential_process of \(profile)"
    let output: [UInt8]
    do { output = try await environment.run(arguments) } catch {
      throw CredentialError(.denied, "\(origin), failed: \(error)")
    }
    guard output.count <= CredentialEnvironment.answerLimit else {
      throw CredentialError(.invalid, "\(origin), printed \(output.count) bytes, expected a few hundred.")
    }
    let answer = try CredentialAnswer(json: output, from: origin)
    guard answer.version == 1 else {
      throw CredentialError(.invalid, "\(origin), printed no 'Version' that is known: expected 1.")
    }
    return try answer.credentials(from: origin)
  }

  /// Takes a command apart as a shell does, without ever being one: words are parted by white space; `'…'` keeps what is in it as it is; in
  /// `"…"` a backslash keeps `"` and `\`; elsewhere it keeps any character. Nothing is expanded.
  ///
  /// - Returns: `nil` if a quote or a backslash has no end.
  static func words(_ command: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = command[...]
    while let character = rest.popFirst() {
      switch (quote, character) {
      case ("'", "'"), ("\"", "\""): quote = nil
      case (nil, "'"), (nil, "\""):
        quote = character
        word = word ?? ""
      case (nil, "\\"):
        guard let kept = rest.popFirst() else { return nil }
        word = (word ?? "") + String(kept)
      case ("\"", "\\"):
        if let next = rest.first, next == "\"" || next == "\\" {
          rest.removeFirst()
          word?.append(next)
        } else {
          word?.append(character)
        }
      case (nil, " "), (nil, "\t"), (nil, "\n"):
        if let finished = word { words.append(finished) }
        word = nil
      default: word = (word ?? "") + String(character)
      }
    }
    guard quote == nil else { return nil }
    if let word { words.append(word) }
    return words
  }
}
