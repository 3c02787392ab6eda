public import SystemPackage

/// How connections are made. Connections of equal settings are shared.
public struct HTTPSettings: Hashable, Sendable {
  /// A file of certificates to trust in place of the machine's, in PEM.
  public var certificates: FilePath?
  /// The proxy that requests go through; `nil` for none.
  public var proxy: HTTPProxy?
  /// Seconds that a connection may take to be made.
  public var connectTimeout: Int64 = 10
  /// Seconds without a byte of progress after which a request is given up.
  public var stallTimeout: Int64 = 30

  public init(certificates: FilePath? = nil, proxy: HTTPProxy? = nil) {
    self.certificates = certificates
    self.proxy = proxy
  }
}

/// A proxy that requests go through.
public struct HTTPProxy: Hashable, Sendable, CustomStringConvertible {
  public let host: String
  public let port: Int
  let user: String?
  let password: String?

  /// Chooses the proxy for `endpoint` by the usual variables, in either case: `HTTPS_PROXY` or `HTTP_PROXY`, unless
  /// `NO_PROXY` names the host.
  ///
  /// `HTTP_PROXY` in capitals is not read where `REQUEST_METHOD` is set: there a CGI server would take it from a request.
  ///
  /// - Throws: ``HTTPEndpoint/Malformed`` for a proxy that is no `http://` URL.
  public init?(for endpoint: HTTPEndpoint, environment: (String) -> String?) throws(HTTPEndpoint.Malformed) {
    let exceptions = environment("no_proxy") ?? environment("NO_PROXY") ?? ""
    if Self.isExcepted(endpoint, by: exceptions) { return nil }
    let text: String?
    if endpoint.isSecure {
      text = environment("https_proxy") ?? environment("HTTPS_PROXY") ?? environment("all_proxy") ?? environment("ALL_PROXY")
    } else {
      let capital = environment("REQUEST_METHOD") == nil ? environment("HTTP_PROXY") : nil
      text = environment("http_proxy") ?? capital ?? environment("all_proxy") ?? environment("ALL_PROXY")
    }
    guard let text, !text.isEmpty else { return nil }
    try self.init(text)
  }

  /// Reads `http://[user:password@]host:port`.
  public init(_ text: String) throws(HTTPEndpoint.Malformed) {
    var rest = text[...]
    if rest.hasPrefix("http://") {
      rest = rest.dropFirst(7)
    } else if text.contains("://") {
      throw HTTPEndpoint.Malformed("@", "a proxy must be given as 'http://host:port'")
    }
    if let at = rest.lastIndex(of: "@") {
      let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      user = PercentEncoding.decode(String(parts[0]), plusIsSpace: false)
      password = parts.count > 1 ? PercentEncoding.decode(String(parts[1]), plusIsSpace: false) : ""
      rest = rest[rest.index(after: at)...]
    } else {
      (user, password) = (nil, nil)
    }
    let endpoint = try HTTPEndpoint("http://" + rest)
    host = endpoint.host
    port = endpoint.port ?? 80
  }

  /// Without the password.
  public var description: String { "\(host):\(port)" }

  /// Whether a list such as `localhost,.example.com,10.0.0.1,*` names the host.
  static func isExcepted(_ endpoint: HTTPEndpoint, by list: String) -> Bool {
    list.split(whereSeparator: { $0 == "," || $0 == " " }).contains { entry in
      if entry == "*" { return true }
      var name = entry.lowercased()[...]
      if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]"), Int(name[name.index(after: colon)...]) != nil {
        guard Int(name[name.index(after: colon)...]) == endpoint.effectivePort else { return false }
        name = name[..<colon]
      }
      if name.hasPrefix("*") { name = name.dropFirst() }
      if name.hasPrefix(".") { return endpoint.host.hasSuffix(name) || endpoint.host == name.dropFirst() }
      return endpoint.host == name || endpoint.host.hasSuffix("." + name)
    }
  }
}
