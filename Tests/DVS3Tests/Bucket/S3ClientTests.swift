import DVBackend
import DVFile
import DVTesting
import Synchronization
import SystemPackage
import Testing

@testable import DVS3

@Suite struct S3ClientTests {
  private static let ok = HTTPReply(206, [("content-range", "bytes 0-2/3"), ("date", "Tue, 14 Nov 2023 22:13:20 GMT")], "abc")

  @Test func requestsAreAddressedAndSigned() async throws {
    let server = ScriptedServer(Self.ok)
    #expect(try await server.backend().get(BackendKey("index/0-a")) == Array("abc".utf8))
    let request = try #require(server.requests.first)
    #expect(request.url == "http://server.test:9000/bucket/some/prefix/index/0-a")
    #expect(request.header("host") == "server.test:9000")
    #expect(request.header("range") == "bytes=0-8388607")
    #expect(request.header("authorization")?.contains("AKIDEXAMPLE/20231114/us-east-1/s3/aws4_request") == true)
  }

  @Test func failuresThatPassAreTriedAgain() async throws {
    let reset: ScriptedServer.Answer = { _ in .failure(TransportError(code: .interrupted, reason: "reset")) }
    let short: ScriptedServer.Answer = { _ in .success(HTTPReply(206, [("content-range", "bytes 0-2/3")], "ab")) }
    let other: ScriptedServer.Answer = { _ in .success(HTTPReply(206, [("content-range", "bytes 1-3/4")], "abc")) }
    let errors: [ScriptedServer.Answer] = [
      { _ in .success(.error(503, "SlowDown")) }, { _ in .success(.error(200, "InternalError")) },
    ]
    let server = ScriptedServer([reset, short, other] + errors + [{ _ in .success(Self.ok) }])
    let backend = try server.backend()
    #expect(try await backend.get(BackendKey("index/0-a")) == Array("abc".utf8))
    #expect(backend.requests.total == 6 && backend.requests.requests == [.get: 6] && backend.requests.retries == 5)
    #expect(server.pauses == [50, 100, 200, 400, 800].map { .milliseconds($0) })
    #expect(backend.client.caller.limiter.width == 8)
  }

  @Test func theServersWishToWaitIsObeyed() async throws {
    let slow = HTTPReply(503, [("retry-after", "7")])
    let server = ScriptedServer(slow, Self.ok)
    _ = try await server.backend().get(BackendKey("a"))
    #expect(server.pauses == [.seconds(7)])
  }

  @Test func whatDoesNotPassIsToldInTheEnd() async throws {
    let server = ScriptedServer(.error(500, "InternalError"))
    let backend = try server.backend()
    await expectBackendError(.unreachable) { _ = try await backend.get(BackendKey("a")) }
    #expect(server.requests.count == 10)
  }

  @Test func refusalsAreNotTriedAgain() async throws {
    let server = ScriptedServer(.error(403, "AccessDenied"))
    let backend = try server.backend()
    await expectBackendError(.denied) { _ = try await backend.get(BackendKey("a")) }
    #expect(server.requests.count == 1)
    await expectBackendError(.notFound) {
      _ = try await ScriptedServer(.error(404, "NoSuchBucket")).backend().get(BackendKey("a"))
    }
  }

  /// What is asked by HEAD is refused without a reason, which may pass: it is asked once more.
  @Test func refusalsWithoutAReasonAreAskedOnceMore() async throws {
    let server = ScriptedServer(HTTPReply(403), HTTPReply(200, [("content-length", "7")]))
    #expect(try await server.backend().size(of: BackendKey("a")) == 7)
    let refusing = ScriptedServer(HTTPReply(403))
    await expectBackendError(.denied) { _ = try await refusing.backend().size(of: BackendKey("a")) }
    #expect(refusing.requests.count == 2)
  }

  @Test func theBucketsRegionIsFollowed() async throws {
    let server = ScriptedServer(HTTPReply(301, [("x-amz-bucket-region", "eu-west-1")]), Self.ok)
    let client = try server.client(endpoint: nil)
    let backend = S3Backend(client: client, capabilities: .untested)
    _ = try await backend.get(BackendKey("a"))
    #expect(server.requests.map(\.url) == [
      "https://bucket.s3.us-east-1.amazonaws.com/some/prefix/a", "https://bucket.s3.eu-west-1.amazonaws.com/some/prefix/a",
    ])
    #expect(server.requests[1].header("authorization")?.contains("/eu-west-1/s3/") == true)
    #expect(server.pauses.isEmpty)
  }

  /// Two servers that point at each other are not followed for ever.
  @Test func regionsThatPointAtEachOtherEnd() async throws {
    let answers: [ScriptedServer.Answer] = (0..<10).map { index in
      { _ in .success(HTTPReply(301, [("x-amz-bucket-region", index % 2 == 0 ? "eu-west-1" : "us-east-1")])) }
    }
    let server = ScriptedServer(answers)
    let backend = try server.backend()
    await expectBackendError(.denied) { _ = try await backend.get(BackendKey("a")) }
    #expect(server.requests.count == 3)
  }

  @Test func aWrongClockIsCorrectedByTheServers() async throws {
    let skewed = HTTPReply.error(403, "RequestTimeTooSkewed", headers: [("date", "Tue, 14 Nov 2023 23:13:20 GMT")])
    let server = ScriptedServer(skewed, Self.ok)
    _ = try await server.backend().get(BackendKey("a"))
    #expect(server.requests.map { $0.header("x-amz-date") } == ["20231114T221320Z", "20231114T231320Z"])
  }

  /// A source of credentials that gives other ones each time.
  private final class Renewing: CredentialSource {
    let name = "test"
    let absence = "never"
    private let count = Mutex(0)

    func credentials() async throws(CredentialError) -> AWSCredentials? {
      let number = count.withLock { $0 += 1; return $0 }
      return AWSCredentials(accessKeyID: "KEY\(number)", secretAccessKey: "secret")
    }
  }

  @Test func expiredCredentialsAreRenewedOnce() async throws {
    let server = ScriptedServer(.error(400, "ExpiredToken"), Self.ok)
    let chain = CredentialChain([Renewing()], now: { 1_700_000_000 })
    let backend = S3Backend(client: try server.client(chain: chain), capabilities: .untested)
    _ = try await backend.get(BackendKey("a"))
    #expect(server.requests.map { $0.header("authorization")?.contains("KEY2/") } == [false, true])

    let refusing = ScriptedServer(.error(400, "ExpiredToken"))
    let again = S3Backend(client: try refusing.client(chain: CredentialChain([Renewing()], now: { 1 })), capabilities: .untested)
    await expectBackendError(.denied) { _ = try await again.get(BackendKey("a")) }
    #expect(refusing.requests.count == 2)
  }

  /// What a server does not know of what only helps is left out from then on.
  @Test func refusedHintsAreLeftOut() async throws {
    let server = ScriptedServer(.error(501, "NotImplemented"), HTTPReply(200, [("etag", "x")]))
    let backend = try server.backend()
    try await backend.put([1], at: BackendKey("index/a"))
    try await backend.put([2], at: BackendKey("index/b"))
    #expect(server.requests.map { $0.header("x-amz-checksum-sha256") != nil } == [true, false, false])
  }

  @Test func whatIsThereAlreadyIsLookedAt() async throws {
    let exists = HTTPReply.error(412, "PreconditionFailed")
    var capabilities = S3Capabilities.untested
    capabilities.comparesDigest = true
    let same = ScriptedServer(exists, HTTPReply(200, [("content-length", "3")]))
    try await same.backend(capabilities).put([1, 2, 3], at: BackendKey("index/a"))
    #expect(same.requests.map(\.method) == ["PUT", "HEAD"])
    let short = ScriptedServer(exists, HTTPReply(200, [("content-length", "2")]), HTTPReply(200, [("etag", "x")]))
    try await short.backend(capabilities).put([1, 2, 3], at: BackendKey("index/a"))
    #expect(short.requests.map(\.method) == ["PUT", "HEAD", "PUT"])
    #expect(short.requests.map { $0.header("if-none-match") } == ["*", nil, nil])
  }

  /// Who stored something answers with its tag: a 200 without one may be of whatever stands before the server, and is not believed.
  @Test func anAnswerWithoutATagIsNotBelieved() async throws {
    let nobody = HTTPReply(200)
    let (tagged, there) = (HTTPReply(200, [("etag", "x")]), HTTPReply(200, [("content-length", "3")]))
    let server = ScriptedServer(nobody, HTTPReply(404), tagged)
    try await server.backend().put([1, 2, 3], at: BackendKey("index/a"))
    #expect(server.requests.map(\.method) == ["PUT", "HEAD", "PUT"])
    // A server that never gives one is looked at.
    let silent = ScriptedServer(nobody, there)
    try await silent.backend().put([1, 2, 3], at: BackendKey("index/a"))
    #expect(silent.requests.map(\.method) == ["PUT", "HEAD"])
    // What replaces another value of that length is sent again first.
    let replacing = ScriptedServer(nobody, nobody, there)
    try await replacing.backend().put([1, 2, 3], at: BackendListing.Part.structure.key)
    #expect(replacing.requests.map(\.method) == ["PUT", "PUT", "HEAD"])
    // Who may not look believes it.
    let blind = ScriptedServer(nobody, .error(403, "AccessDenied"))
    try await blind.backend().put([1, 2, 3], at: BackendKey("index/a"))
    let lost = try ScriptedServer(nobody, HTTPReply(404), nobody, HTTPReply(404), nobody, HTTPReply(404)).backend()
    await expectBackendError(.unreachable) { try await lost.put([1, 2, 3], at: BackendKey("index/a")) }
  }

  /// An answer that is none to what was asked is the server's failure, not one of the settings.
  @Test(arguments: [404, 412, 416, 307, 501])
  func oddAnswersAreTheServersFailure(status: Int) async throws {
    let backend = try ScriptedServer(HTTPReply(200, [("etag", "x")]), HTTPReply(status, [("location", "http://elsewhere/")])).backend()
    try await backend.put([1], at: BackendKey("format/1"))
    await expectBackendError(.unreachable) { _ = try await backend.list("index/") }
    if status != 404 { await expectBackendError(.unreachable) { try await backend.delete(BackendKey("index/a")) } }
  }

  /// Where a server compares nothing itself, its tag shows that bytes changed on the way, and they are sent again.
  @Test func bytesThatChangeOnTheWayAreSentAgain() async throws {
    var capabilities = S3Capabilities.untested
    (capabilities.tagsByMD5, capabilities.keepsDigest) = (true, false)
    let (wrong, right) = ("\"5eb63bbbe01eeed093cb22bb8f5acdc3\"", "\"900150983cd24fb0d6963f7d28e17f72\"")
    let server = ScriptedServer(HTTPReply(200, [("etag", wrong)]), HTTPReply(200, [("etag", right)]))
    try await server.backend(capabilities).put(Array("abc".utf8), at: BackendKey("index/a"))
    #expect(server.requests.map { $0.header("if-none-match") } == [nil, nil])
    // For ever another: told, not taken.
    let broken = try ScriptedServer(HTTPReply(200, [("etag", wrong)])).backend(capabilities)
    await expectBackendError(.unreachable) { try await broken.put(Array("abc".utf8), at: BackendKey("index/a")) }
    // One that was not probed: what differs first is sent again, and by that shows what the tags are.
    let unknown = ScriptedServer(HTTPReply(200, [("etag", wrong)]), HTTPReply(200, [("etag", right)]), HTTPReply(200, [("etag", wrong)]))
    let backend = try unknown.backend()
    try await backend.put(Array("abc".utf8), at: BackendKey("index/a"))
    #expect(unknown.requests.map { $0.header("if-none-match") } == [nil, nil])
    await expectBackendError(.unreachable) { try await backend.put(Array("abc".utf8), at: BackendKey("index/c")) }
    let other = ScriptedServer(HTTPReply(200, [("etag", wrong)]))
    let elsewhere = try other.backend()
    for name in ["a", "b"] { try await elsewhere.put(Array("abc".utf8), at: BackendKey("index/\(name)")) }
    #expect(other.requests.count == 3)
    // Doubts of one do not make others believed: both are sent again. Tags in capitals are the same.
    let two = ScriptedServer(
      HTTPReply(200, [("etag", wrong)]), HTTPReply(200, [("etag", wrong)]), HTTPReply(200, [("etag", right.uppercased())]),
      HTTPReply(200, [("etag", "W/\"d16fb36f0911f878998c136191af705e\"")]))
    let check = ArrivalCheck(.untested)
    let (abc, def) = (HTTPRequest.Body.bytes(Array("abc".utf8)), HTTPRequest.Body.bytes(Array("xyz".utf8)))
    for body in [abc, def, abc, def] {
      let reply = try await two.exchange(HTTPRequest(method: "PUT", url: "http://server.test/", headers: [], body: body, limit: 0))
      #expect((check.problem(reply, body) == nil) == (two.requests.count > 2))
    }
    #expect(check.isOn)
    // One that compares for itself is believed.
    capabilities.comparesDigest = true
    try await ScriptedServer(HTTPReply(200, [("etag", wrong)])).backend(capabilities).put(Array("abc".utf8), at: BackendKey("index/a"))
    try await withTemporaryDirectory { directory in
      let file = directory.appending("file")
      try file.replaceContent(with: Array("abc".utf8).span, durable: false)
      let slice = FileSlice(file, count: 3, notesMD5: true)
      try await slice.send { _ in }
      #expect(slice.md5.map { "\"\($0)\"" } == right)
    }
  }

  /// A listing that says that there is more and gives the same page for ever, or is cut off, is no list.
  @Test func halfAListingIsAnError() async throws {
    let page = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>"
    let looping = try ScriptedServer(HTTPReply(200, [], page)).backend()
    await expectBackendError(.unreachable) { _ = try await looping.list("index/") }
    let cut = try ScriptedServer(HTTPReply(200, [], String(page.prefix(60)))).backend()
    await expectBackendError(.unreachable) { _ = try await cut.list("index/") }
  }

  @Test func secretsAreInNoMessage() async throws {
    let server = ScriptedServer(.error(403, "SignatureDoesNotMatch"))
    let backend = try server.backend()
    do {
      _ = try await backend.get(BackendKey("a"))
      Issue.record("no error")
    } catch {
      #expect(!error.message.contains("secret") && error.message.contains("'a'"))
    }
  }
}
