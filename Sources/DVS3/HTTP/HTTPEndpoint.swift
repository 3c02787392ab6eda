import DVFile

/// Where a server listens: scheme, host, port and the path that everything on it begins with.
public struct HTTPEndpoint: Hashable, Sendable, CustomStringConvertible {
  /// Whether it is `https`.
  public let isSecure: Bool
  /// A host name in lower case or an address; IPv6 in its brackets.
  public let host: String
  /// `nil` for the scheme's own port.
  public let port: Int?
  /// Percent-encoded, empty or beginning with `/` and not ending with one.
  public let path: String

  /// Reads a URL.
  ///
  /// - Throws: ``HTTPEndpoint/Malformed`` unless it is `http://` or `https://` with a host, without user, query or fragment.
  public init(_ text: String) throws(Malformed) {
    let rest: Substring
    if text.hasPrefix("https://") {
      (isSecure, rest) = (true, text.dropFirst(8))
    } else if text.hasPrefix("http://") {
      (isSecure, rest) = (false, text.dropFirst(7))
    } else {
      throw Malformed(text, "it must begin with 'https://' or 'http://'")
    }
    let authority = rest.prefix { $0 != "/" }
    var path = rest.dropFirst(authority.count)
    while path.last == "/" { path.removeLast() }
    guard path.utf8.allSatisfy(Self.isPathByte) else { throw Malformed(text, "its path must be percent-encoded, without '?' and '#'") }
    self.path = String(path)

    // A user's name before the host is a credential, or somebody who wants the host to look like another.
    guard !authority.contains("@") else { throw Malformed(text, "it must not hold a user name or password") }
    let portStart: Substring.Index
    if authority.first == "[" {
      guard let end = authority.firstIndex(of: "]") else { throw Malformed(text, "the ']' of its address is missing") }
      portStart = authority.index(after: end)
      guard authority[..<end].dropFirst().allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
        throw Malformed(text, "its address is none")
      }
    } else {
      portStart = authority.firstIndex(of: ":") ?? authority.endIndex
      guard Self.isHostName(authority[..<portStart]) else { throw Malformed(text, "its host name is none") }
    }
    host = authority[..<portStart].lowercased()
    let portText = authority[portStart...]
    if portText.isEmpty {
      port = nil
    } else {
      guard portText.first == ":", portText.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }),
        let number = UInt16(portText.dropFirst()), number > 0
      else { throw Malformed(text, "its port is none") }
      port = Int(number) == (isSecure ? 443 : 80) ? nil : Int(number)
    }
  }

  /// Makes the `https` endpoint of a host that is known to be one.
  init(secureHost host: String) {
    (isSecure, self.host, port, path) = (true, host, nil, "")
  }

  /// Host and port as in the header `Host`.
  var authority: String { host + (port.map { ":\($0)" } ?? "") }

  /// The port that a connection goes to.
  var effectivePort: Int { port ?? (isSecure ? 443 : 80) }

  /// Scheme, host and port: what a URL begins with.
  var origin: String { origin(of: authority) }

  /// The same with another host in front of, or in place of, this one.
  func origin(of authority: String) -> String { "\(isSecure ? "https" : "http")://\(authority)" }

  public var description: String { origin + path }

  /// Whether the host is a numeric address, below which no other host can be.
  var isAddress: Bool {
    host.hasPrefix("[") || host.split(separator: ".").allSatisfy { $0.allSatisfy(\.isNumber) }
  }

  /// Text that is no such URL. The message says so without showing a password that may be in it.
  public struct Malformed: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ text: String, _ reason: String) {
      let shown = text.contains("@") ? "The URL" : "'\(TerminalSafe.text(text))'"
      description = "\(shown) is no URL of a server: \(reason)."
    }
  }

  static func isHostName(_ name: some StringProtocol) -> Bool {
    guard !name.isEmpty, name.utf8.count <= 253 else { return false }
    return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
      !label.isEmpty && label.utf8.count <= 63
        && label.utf8.allSatisfy { byte in
          switch byte {
          case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
          default: false
          }
        }
    }
  }

  private static func isPathByte(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "?") && byte != UInt8(ascii: "#") && byte != UInt8(ascii: "\\")
  }
}
