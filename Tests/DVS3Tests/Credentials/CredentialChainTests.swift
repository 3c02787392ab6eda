import Synchronization
import Testing

@testable import DVS3

@Suite struct CredentialChainTests {
  /// A source that gives what the test says, after as many turns of other tasks as it says.
  private final class Source: CredentialSource {
    let name = "the test"
    let absence = "nothing there"
    private let answers: Mutex<[Result<AWSCredentials?, CredentialError>]>
    private let calls = Mutex((running: 0, most: 0, all: 0))

    init(_ answers: [Result<AWSCredentials?, CredentialError>]) { self.answers = Mutex(answers) }

    var count: Int { calls.withLock { $0.all } }
    var mostAtOnce: Int { calls.withLock { $0.most } }

    func credentials() async throws(CredentialError) -> AWSCredentials? {
      calls.withLock {
        $0.running += 1
        $0.all += 1
        $0.most = max($0.most, $0.running)
      }
      for _ in 0..<20 { await Task.yield() }
      calls.withLock { $0.running -= 1 }
      return try answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }.get()
    }
  }

  private final class Clock: Sendable {
    private let time = Mutex<Int64>(0)
    var now: Int64 { time.withLock { $0 } }
    func set(_ seconds: Int64) { time.withLock { $0 = seconds } }
  }

  private func key(_ name: String, until expiration: Int64? = nil) -> AWSCredentials {
    AWSCredentials(accessKeyID: name, secretAccessKey: "hush", expiration: expiration)
  }

  private func chain(_ source: Source, _ clock: Clock, jitter: Int64 = 0) -> CredentialChain {
    CredentialChain([source], now: { clock.now }, jitter: { jitter })
  }

  @Test func asksOnceHoweverManyTasksNeedThem() async throws {
    let (source, clock) = (Source([.success(key("a", until: 10_000)), .success(key("b", until: 90_000))]), Clock())
    let chain = chain(source, clock)
    func askAll() async throws -> [String?] {
      try await withThrowingTaskGroup(of: String?.self) { group in
        for _ in 0..<100 { group.addTask { try await chain.current()?.accessKeyID } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
    }
    #expect(try await askAll() == [String?](repeating: "a", count: 100))
    #expect(source.count == 1)

    // Five minutes before the end, one task asks again and the others go on with what is valid.
    clock.set(9_699)
    #expect(try await chain.current()?.accessKeyID == "a")
    clock.set(9_700)
    let names = try await askAll()
    #expect(Set(names).isSubset(of: ["a", "b"]) && names.contains("b"))
    #expect(source.count == 2)

    // After the end, all wait for the new ones.
    clock.set(90_000)
    await #expect(throws: CredentialError.self) { _ = try await askAll() }
    #expect(source.mostAtOnce == 1)
  }

  @Test func staggersRefreshes() async throws {
    let (source, clock) = (Source([.success(key("a", until: 10_000)), .success(key("b"))]), Clock())
    let chain = chain(source, clock, jitter: 60)
    #expect(try await chain.current()?.accessKeyID == "a")
    clock.set(9_639)
    #expect(try await chain.current()?.accessKeyID == "a")
    clock.set(9_640)
    #expect(try await chain.current()?.accessKeyID == "b")
  }

  /// A refresh that fails while the old ones are valid is no failure, and is not tried again at every request.
  @Test(arguments: [nil, CredentialError(.unreachable, "no answer.")])
  func keepsWhatIsValidWhenARefreshFails(failure: CredentialError?) async throws {
    let refused: Result<AWSCredentials?, CredentialError> = failure.map { .failure($0) } ?? .success(nil)
    let (source, clock) = (Source([.success(key("a", until: 1_000)), refused]), Clock())
    let chain = chain(source, clock)
    for time: Int64 in [0, 700, 701, 729] {
      clock.set(time)
      #expect(try await chain.current()?.accessKeyID == "a")
    }
    #expect(source.count == 2)
    clock.set(730)
    #expect(try await chain.current()?.accessKeyID == "a")
    #expect(source.count == 3)
    clock.set(1_000)
    if failure == nil {
      #expect(try await chain.current() == nil)
    } else {
      await #expect(throws: CredentialError.self) { _ = try await chain.current() }
    }
  }

  /// Credentials that live shorter than the margin are not asked for at every request.
  @Test func doesNotHurryForShortLives() async throws {
    let (source, clock) = (Source([.success(key("a", until: 200))]), Clock())
    let chain = chain(source, clock)
    for _ in 0..<10 { _ = try await chain.current() }
    #expect(source.count == 1)
    clock.set(30)
    for _ in 0..<10 { _ = try await chain.current() }
    #expect(source.count == 2)
    clock.set(200)
    let failure = await #expect(throws: CredentialError.self) { _ = try await chain.current() }
    #expect(failure?.code == .expired)
    #expect(failure?.message == "Cannot get credentials from the test: they expired at 1970-01-01 00:03:20 UTC.")
  }

  @Test func forgetsWhatTheServerRefused() async throws {
    let (source, clock) = (Source([.success(key("a")), .success(key("b")), .success(key("c"))]), Clock())
    let chain = chain(source, clock)
    let first = try #require(try await chain.current())
    chain.invalidate(first)
    #expect(try await chain.current()?.accessKeyID == "b")
    // Another request that was refused with the old ones says so later: the new ones stay.
    chain.invalidate(first)
    #expect(try await chain.current()?.accessKeyID == "b")
    chain.invalidate()
    #expect(try await chain.current()?.accessKeyID == "c")
  }

  @Test func remembersThatThereAreNone() async throws {
    let (source, clock) = (Source([.success(nil), .success(key("a"))]), Clock())
    let chain = chain(source, clock)
    for _ in 0..<3 { #expect(try await chain.current() == nil) }
    #expect(source.count == 1)
    #expect(chain.explanation == "the test (nothing there)")
    chain.invalidate()
    #expect(try await chain.current()?.accessKeyID == "a")
  }

  @Test func saysWhereItLookedBefore() async throws {
    let world = CredentialWorld(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "oops"])
    let failure = try #require(await world.failure())
    #expect(
      failure.message
        == "Cannot get credentials from the container's service: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with '/'. Looked before in: the environment (AWS_ACCESS_KEY_ID is not set), the web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set), profile 'default' (there is no such profile, or no credentials in it)."
    )
    let none = CredentialWorld(["AWS_EC2_METADATA_DISABLED": "true"])
    #expect(try await none.chain.current() == nil)
    #expect(none.requests.isEmpty)
    #expect(none.chain.explanation.hasSuffix("the instance's metadata (AWS_EC2_METADATA_DISABLED is true)"))
  }

  @Test func printsNoSecret() {
    let credentials = AWSCredentials(
      accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "hush-secret", sessionToken: "hush-token", expiration: 0)
    var dumped = ""
    dump(credentials, to: &dumped)
    dump([credentials], to: &dumped)
    dump(StaticCredentials(credentials), to: &dumped)
    dump(RemoteCredentials.keys(credentials), to: &dumped)
    let request = CredentialRequest(
      method: .put, url: "https://h/hush", headers: [("authorization", "hush")], body: Array("hush".utf8), timeout: 1,
      usesProxy: true)
    dump(request, to: &dumped)
    dump(CredentialResponse(200, "hush"), to: &dumped)
    let text = "\(credentials) \(String(reflecting: credentials)) \(request) \(dumped)"
    #expect(!text.contains("hush") && !text.contains("104, 117") && !text.contains("AKIAIOSFODNN7EXAMPLE"))
    #expect("\(credentials)" == "credentials AKIA…MPLE, temporary, until 1970-01-01 00:00:00 UTC")
  }
}
