import DVFile

/// The URL of a service that gives out credentials, taken apart as far as needed to sign for it and to know where it leads.
struct ServiceURL: Hashable {
  let isSecure: Bool
  /// Host and, if one is given, port: the `host` header.
  let authority: String
  /// The host alone, in lower case, an IPv6 address without its brackets.
  let host: String
  /// `/` at least, as it is sent.
  let path: String
  /// With its `?`, or empty.
  let query: String

  /// - Throws: ``CredentialError/Code/invalid`` unless it is `http://` or `https://` with a host, in printable ASCII, without user name or
  ///   fragment.
  init(_ text: String) throws(CredentialError) {
    let invalid = CredentialError(.invalid, "'\(TerminalSafe.text(text))' is no URL of a service: expected 'https://HOST[:PORT][/PATH]'.")
    guard text.isHeaderValue, !text.contains(where: { " #\\\"<>".contains($0) }) else { throw invalid }
    let lower = text.lowercased()
    isSecure = lower.hasPrefix("https://")
    guard isSecure || lower.hasPrefix("http://") else { throw invalid }
    let rest = text.dropFirst(isSecure ? 8 : 7)
    let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    authority = String(rest[..<end])
    guard let (host, port) = Self.split(authority), port.isEmpty || UInt16(port) != nil else { throw invalid }
    self.host = host.lowercased()
    let target = rest[end...]
    let question = target.firstIndex(of: "?") ?? target.endIndex
    path = question == target.startIndex ? "/" : String(target[..<question])
    query = String(target[question...])
  }

  var text: String { "\(isSecure ? "https" : "http")://\(authority)\(path)\(query)" }

  /// Whether it leads to this machine itself: what is sent there crosses no network.
  var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil && $0.first != "+" }
  }

  /// Returns host and port of `host:port` or `[address]:port`.
  private static func split(_ authority: String) -> (Substring, Substring)? {
    let isAddress = authority.hasPrefix("[")
    let hostEnd = isAddress ? authority.firstIndex(of: "]") : authority.firstIndex(of: ":") ?? authority.endIndex
    guard let hostEnd else { return nil }
    let host = authority[..<hostEnd].dropFirst(isAddress ? 1 : 0)
    let after = authority[hostEnd...].dropFirst(isAddress ? 1 : 0)
    let isName = host.utf8.allSatisfy { byte in
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
        || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        || isAddress && byte == UInt8(ascii: ":")
    }
    guard !host.isEmpty, isName, after.isEmpty || after.hasPrefix(":") else { return nil }
    guard after != ":" else { return nil }
    return (host, after.dropFirst())
  }
}
