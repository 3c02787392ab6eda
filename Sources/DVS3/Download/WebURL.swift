/// The URL of a file on a web server: `http` or `https`, with a query if need be, without a user's name.
public struct WebURL: Hashable, Sendable, CustomStringConvertible {
  /// Scheme, host and port, to choose proxies and connections by.
  let endpoint: HTTPEndpoint
  /// Percent-encoded, empty or from its slash on.
  let path: String
  /// From its question mark on; empty without one.
  let query: String

  /// Reads a URL. A fragment is left out: servers never see it.
  ///
  /// - Throws: ``HTTPEndpoint/Malformed``.
  public init(_ text: String) throws(HTTPEndpoint.Malformed) {
    let whole = text.prefix { $0 != "#" }
    let before = whole.prefix { $0 != "?" }
    endpoint = try HTTPEndpoint(String(before))
    path = String(before.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" })
    query = String(whole.dropFirst(before.count))
    guard query.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") })
    else { throw HTTPEndpoint.Malformed(text, "its query must be percent-encoded") }
  }

  public var description: String { endpoint.origin + path + query }

  /// The last part of the path, decoded; empty if the URL ends with a slash or has none.
  public var fileName: String {
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? ""
    return PercentEncoding.decode(name, plusIsSpace: false) ?? name
  }

  /// The name of a parameter of the query that looks like a secret, such as a signature, as it must not get into git.
  public var secretParameter: String? {
    let words = ["sig", "signature", "token", "key", "secret", "password", "passwd", "credential", "auth", "access_key", "apikey"]
    for part in query.dropFirst().split(separator: "&") {
      let name = part.prefix { $0 != "=" }
      let parts = name.lowercased().split { !$0.isLetter && $0 != "_" } + name.lowercased().split { !$0.isLetter }
      if parts.contains(where: { words.contains(String($0)) }) { return String(name) }
    }
    return nil
  }

  /// Returns where a redirect from here leads.
  ///
  /// - Throws: ``HTTPEndpoint/Malformed`` if that is no such URL, or less secure than this one.
  func redirected(to location: String) throws(HTTPEndpoint.Malformed) -> WebURL {
    let target: WebURL
    if location.hasPrefix("//") {
      target = try WebURL((endpoint.isSecure ? "https:" : "http:") + location)
    } else if location.hasPrefix("/") {
      target = try WebURL(endpoint.origin + location)
    } else if location.contains("://") {
      target = try WebURL(location)
    } else {
      let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "/"
      target = try WebURL(endpoint.origin + folder + location)
    }
    guard target.endpoint.isSecure || !endpoint.isSecure else {
      throw HTTPEndpoint.Malformed(location, "it is less secure than the URL that leads to it")
    }
    return target
  }
}
