import DVFile

extension CredentialEnvironment {
  /// Returns a variable, or `nil` if it is not set or empty: scripts unset with `NAME=`.
  func setting(_ name: String) -> String? { variable(name).flatMap { $0.isEmpty ? nil : $0 } }

  /// Whether a variable is set to `true`, in any case.
  func isTrue(_ name: String) -> Bool { setting(name)?.lowercased() == "true" }

  /// Returns the file that a variable names, or `nil` if it is not set. `~/` stands for the home directory.
  func path(_ name: String) -> String? {
    setting(name).map(expanded)
  }

  /// Returns `path` with the home directory in place of a `~` before the first `/`.
  func expanded(_ path: String) -> String {
    guard path.hasPrefix("~/"), let home else { return path }
    return home + path.dropFirst(1)
  }

  /// Returns the content of a file, or `nil` if it does not exist.
  ///
  /// - Throws: ``CredentialError/Code/invalid`` if it cannot be read.
  func content(_ path: String) throws(CredentialError) -> [UInt8]? {
    do { return try readFile(path) } catch {
      throw CredentialError(.invalid, "cannot read '\(TerminalSafe.text(path))': \(error)")
    }
  }

  /// Returns the token that a file holds, without the white space around it.
  ///
  /// - Parameter origin: Which setting names the file.
  /// - Throws: ``CredentialError/Code/invalid`` if there is no such file, or something else than a token in it.
  func token(in path: String, namedBy origin: String) throws(CredentialError) -> String {
    let file = "'\(TerminalSafe.text(path))', which \(origin) names,"
    guard let bytes = try content(path) else { throw CredentialError(.invalid, "\(file) does not exist.") }
    let text = String(decoding: bytes.trimmingSpace, as: UTF8.self)
    // It becomes the value of a header or a form; a line break in it would begin another header.
    guard !text.isEmpty, text.isHeaderValue, text.utf8.count <= 64 << 10 else {
      throw CredentialError(.invalid, "\(file) does not hold a token: expected one line of printable ASCII.")
    }
    return text
  }

  /// Sends a request, again at once if it was not answered or the service failed, until `attempts` are used up.
  ///
  /// - Throws: ``CredentialError`` of the last attempt.
  func send(_ request: CredentialRequest, attempts: Int = 2) async throws(CredentialError) -> CredentialResponse {
    var left = attempts
    while true {
      left -= 1
      do throws(CredentialError) {
        let response = try await http(request)
        guard response.body.count <= Self.answerLimit else {
          throw CredentialError(.invalid, "the answer has \(response.body.count) bytes, at most \(Self.answerLimit) are read.")
        }
        if response.status < 500 || left <= 0 { return response }
      } catch {
        guard error.code == .unreachable, left > 0, !Task.isCancelled else { throw error }
      }
    }
  }
}

extension String {
  /// Whether it can be sent as the value of a header: printable ASCII.
  var isHeaderValue: Bool { utf8.allSatisfy { 0x20...0x7E ~= $0 } }
}

extension [UInt8] {
  /// What is left without spaces and line ends around it.
  var trimmingSpace: ArraySlice<UInt8> {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
    guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else { return [] }
    return self[first...last]
  }
}

extension AWSProfile {
  /// The name as a terminal may show it.
  var printableName: String { TerminalSafe.text(name) }
}

extension AWSCredentials {
  /// Makes credentials of what was read somewhere.
  ///
  /// - Throws: ``CredentialError/Code/invalid``, naming the part and not its value, if one cannot be what it should be.
  init(
    checking key: String, secret: String, token: String?, expiration: Int64? = nil, from origin: String
  ) throws(CredentialError) {
    for (name, value) in [("access key ID", key), ("session token", token ?? "-")] {
      guard !value.isEmpty, value.isHeaderValue, !value.contains(" ") else {
        throw CredentialError(.invalid, "the \(name) of \(origin) is not one word of printable ASCII.")
      }
    }
    // The secret itself is never sent; other stores than AWS take any passphrase.
    guard !secret.isEmpty, !secret.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      throw CredentialError(.invalid, "the secret access key of \(origin) is empty or holds a control character.")
    }
    self.init(accessKeyID: key, secretAccessKey: secret, sessionToken: token, expiration: expiration)
  }
}
