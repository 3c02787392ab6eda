import Testing

@testable import DVS3

@Suite struct HTTPEndpointTests {
  @Test func urlsAreRead() throws {
    let endpoint = try HTTPEndpoint("https://Store.Example:8443/a/b/")
    #expect(endpoint.isSecure && endpoint.host == "store.example" && endpoint.port == 8443 && endpoint.path == "/a/b")
    #expect(endpoint.description == "https://store.example:8443/a/b")
    #expect(try HTTPEndpoint("http://[::1]:9000").authority == "[::1]:9000")
    #expect(try HTTPEndpoint("http://h:80").authority == "h")
    #expect(try HTTPEndpoint("https://h:443").description == "https://h")
  }

  @Test(arguments: [
    "", "h", "ftp://h", "http://", "http://:80", "http://h:0", "http://h:65536", "http://h:x", "http://a b", "http://h/?q",
    "http://h/#f", "http://user@h", "http://h\\x", "http://[::1", "http://a..b", "http://h/a b", "https://h:-1",
  ])
  func otherTextIsRefused(text: String) {
    #expect(throws: HTTPEndpoint.Malformed.self) { try HTTPEndpoint(text) }
  }

  @Test func aPasswordIsNotShown() {
    do {
      _ = try HTTPEndpoint("https://user:hunter2@host")
      Issue.record("taken")
    } catch {
      #expect(!error.description.contains("hunter2"))
    }
  }

  private func proxy(_ endpoint: String, _ variables: [String: String]) throws -> String? {
    try HTTPProxy(for: HTTPEndpoint(endpoint), environment: { variables[$0] })?.description
  }

  @Test func proxiesComeFromTheEnvironment() throws {
    #expect(try proxy("https://h", [:]) == nil)
    #expect(try proxy("https://h", ["HTTPS_PROXY": "http://p:3128"]) == "p:3128")
    #expect(try proxy("http://h", ["HTTPS_PROXY": "http://p:3128"]) == nil)
    #expect(try proxy("http://h", ["http_proxy": "p:3128", "HTTP_PROXY": "q:1"]) == "p:3128")
    #expect(try proxy("http://h", ["HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"]) == nil)
    #expect(try proxy("https://h", ["ALL_PROXY": "http://user:pa%40ss@p:1"]) == "p:1")
    #expect(throws: HTTPEndpoint.Malformed.self) { try proxy("https://h", ["HTTPS_PROXY": "socks5://p:1"]) }
  }

  @Test(arguments: [
    ("h.example.com", true), (".example.com", true), ("example.com", true), ("*.example.com", true), ("*", true),
    ("other.com, example.com", true), ("h.example.com:8443", true), ("h.example.com:1", false), ("ample.com", false),
    ("", false), ("com", true),
  ])
  func exceptionsAreHonoured(list: String, expected: Bool) throws {
    #expect(HTTPProxy.isExcepted(try HTTPEndpoint("https://h.example.com:8443"), by: list) == expected)
  }
}

@Suite struct RangeReplyTests {
  private func reply(_ status: Int, _ range: String?, _ body: String) -> RangeReply {
    RangeReply(HTTPReply(status, range.map { [("content-range", $0)] } ?? [], body), asked: 2..<5)
  }

  @Test func rangesAreCompared() {
    #expect(reply(206, "bytes 2-4/10", "cde").problem == nil)
    #expect(reply(206, "bytes 2-3/4", "cd").problem == nil)
    #expect(reply(206, "bytes 2-3/4", "cd").total == 4)
    for (range, body) in [
      ("bytes 2-4/10", "cd"), ("bytes 2-4/10", "cdef"), ("bytes 1-3/10", "bcd"), ("bytes 2-3/10", "cd"),
      ("bytes 2-5/10", "cdef"), ("bytes */10", "cde"), ("bytes 2-4/*", "cde"), ("bytes 4-2/10", "cde"), ("2-4/10", "cde"),
      ("bytes 2-10/10", "cde"),
    ] {
      #expect(reply(206, range, body).problem != nil, "\(range)")
    }
    #expect(reply(206, nil, "cde").problem != nil)
  }

  /// A server that knows no ranges sends everything.
  @Test func theWholeIsCut() {
    #expect(reply(200, nil, "abcdefgh").bytes == Array("cde".utf8))
    #expect(reply(200, nil, "abcd").bytes == Array("cd".utf8))
    #expect(reply(200, nil, "a").bytes.isEmpty)
  }
}
