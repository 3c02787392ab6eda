import DVTesting
import Testing

@testable import DVS3

/// Variables, web identity, the container's service and the instance's metadata.
@Suite struct SourceTests {
  @Test func takesTheEnvironmentFirst() async throws {
    let world = CredentialWorld(
      [
        "AWS_ACCESS_KEY_ID": "env", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_SESSION_TOKEN": "hush-token",
        "AWS_CREDENTIAL_EXPIRATION": "2023-11-14T23:13:20Z", "AWS_PROFILE": "lab",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://h/",
      ], files: ["~/.aws/credentials": "[lab]\naws_access_key_id = file\naws_secret_access_key = hush"])
    #expect(
      try await world.chain.current()
        == AWSCredentials(
          accessKeyID: "env", secretAccessKey: "hush", sessionToken: "hush-token", expiration: 1_700_003_600))
    #expect(world.requests.isEmpty)
    // Set to nothing is not set.
    world.set("AWS_ACCESS_KEY_ID", "")
    world.set("AWS_SECRET_ACCESS_KEY", "")
    #expect(try await world.chain.current()?.accessKeyID == "file")
    world.set("AWS_SECRET_ACCESS_KEY", "hush")
    let failure = await world.failure()
    #expect(failure?.code == .invalid)
    #expect(failure?.message.contains("AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not") == true)
    world.set("AWS_ACCESS_KEY_ID", "a\nb: c")
    #expect(await world.failure()?.code == .invalid)
  }

  @Test func whatTheRemoteSaysIsAllThatCounts() async throws {
    let world = CredentialWorld(["AWS_ACCESS_KEY_ID": "env", "AWS_SECRET_ACCESS_KEY": "hush"], files: ["~/.aws/config": "[profile empty]\nregion = x"])
    func chain(_ remote: RemoteCredentials) -> CredentialChain {
      .standard(remote: remote, region: nil, environment: world.environment)
    }
    let own = AWSCredentials(accessKeyID: "own", secretAccessKey: "hush")
    #expect(try await chain(.keys(own)).current() == own)
    let missing = await world.failure(chain(.profile("lab")))
    #expect(
      missing?.message
        == "Cannot get credentials from profile 'lab': there is no profile 'lab' in '/home/ada/.aws/config' and '/home/ada/.aws/credentials'. There are: 'empty'."
    )
    #expect(await world.failure(chain(.profile("empty")))?.message.contains("neither keys nor a role") == true)
  }

  @Test func exchangesAWebIdentity() async throws {
    let world = CredentialWorld(
      [
        "AWS_WEB_IDENTITY_TOKEN_FILE": "~/token", "AWS_ROLE_ARN": "arn:aws-cn:iam::1:role/a b",
        "AWS_REGION": "cn-north-1",
      ], files: ["~/token": " hush-web.token== \n"]
    ) { _ in .assumed("web", action: "AssumeRoleWithWebIdentity") }
    #expect(
      try await world.chain.current()
        == AWSCredentials(
          accessKeyID: "web", secretAccessKey: "hush-web", sessionToken: "hush-token", expiration: 1_700_003_600))
    let request = try #require(world.requests.first)
    #expect(request.url == "https://sts.cn-north-1.amazonaws.com.cn/" && request.method == .post && request.usesProxy)
    #expect(request.header("authorization") == nil)
    #expect(
      request.form == [
        "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": "arn:aws-cn:iam::1:role/a b",
        "RoleSessionName": "dv-1700000000", "WebIdentityToken": "hush-web.token==",
      ])
    world.set("AWS_ROLE_SESSION_NAME", "job-7")
    _ = try await world.chain.current()
    #expect(world.requests.last?.form["RoleSessionName"] == "job-7")
    world.set("AWS_ROLE_ARN", nil)
    #expect(await world.failure()?.code == .invalid)
    world.set("AWS_ROLE_ARN", "arn")
    world.set("AWS_WEB_IDENTITY_TOKEN_FILE", "/absent")
    #expect(await world.failure()?.message.contains("'/absent', which AWS_WEB_IDENTITY_TOKEN_FILE names, does not exist") == true)
  }

  @Test(arguments: [
    (403, CredentialError.Code.denied, "sts.us-east-1.amazonaws.com says AccessDenied: User is not authorized"),
    (500, .unreachable, "says status 500"), (302, .denied, "says status 302"),
  ])
  func saysWhySTSRefuses(status: Int, code: CredentialError.Code, text: String) async {
    let world = CredentialWorld(
      ["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:lab"], files: ["/token": "hush"]
    ) { _ in CredentialResponse(status, status == 403 ? AnswerSamples.refused : "<html>hush</html>") }
    let failure = await world.failure()
    #expect(failure?.code == code)
    #expect(failure?.message.contains(text) == true && failure?.message.contains("role 'arn:lab'") == true)
    #expect(failure?.message.contains("hush") == false)
    #expect(world.requests.count == (status == 500 ? 2 : 1))
  }

  @Test func asksTheContainersService() async throws {
    let world = CredentialWorld(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1?a=b"]) { _ in .json("ecs") }
    #expect(try await world.chain.current()?.accessKeyID == "ecs")
    let request = try #require(world.requests.first)
    #expect(request.url == "http://169.254.170.2/v2/credentials/1?a=b" && !request.usesProxy && request.timeout == 2_000)
    #expect(request.header("authorization") == nil)

    world.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", nil)
    world.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")
    world.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic hush")
    #expect(try await world.chain.current()?.accessKeyID == "ecs")
    #expect(world.requests.last?.header("authorization") == "Basic hush")
    world.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush\r\nx: y")
    #expect(await world.failure()?.code == .invalid)
  }

  @Test(arguments: [
    ("http://localhost:51679/x", true), ("http://127.0.0.1/x", true), ("http://127.200.3.4:80/x", true),
    ("http://[::1]:80/x", true), ("http://[fd00:ec2::23]/x", true), ("https://example.com/x", true),
    ("http://169.254.170.2/x", true), ("http://example.com/x", false), ("http://169.254.169.254/x", false),
    ("http://127.0.0.1.example.com/x", false), ("http://127.0.0.1@example.com/x", false), ("http://127.1/x", false),
    ("http://[::1].example.com/x", false), ("http://localhost#.example.com/", false), ("ftp://localhost/", false),
    ("http:///x", false), ("http://localhost:/x", false), ("http://localhost:99999/x", false), ("http://[::1/x", false),
  ])
  func sendsSecretsToNobodyElse(url: String, isAllowed: Bool) async {
    let world = CredentialWorld(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url]) { _ in .json("eks") }
    #expect((await world.failure() == nil) == isAllowed)
    #expect(world.requests.count == (isAllowed ? 1 : 0))
  }

  @Test func readsTheContainersTokenFromAFile() async throws {
    let world = CredentialWorld(
      [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "old", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token",
      ], files: ["/token": "hush-eks\n"]
    ) { (request) in request.header("authorization") == "hush-eks" ? .json("eks") : CredentialResponse(401, "{\"Code\":\"No\",\"Message\":\"way\"}") }
    #expect(try await world.chain.current()?.accessKeyID == "eks")
    world.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", nil)
    let failure = await world.failure()
    #expect(failure?.code == .denied)
    #expect(failure?.message.contains("status 401 and says No: way.") == true)
  }

  /// An instance with a role, which wants a token.
  private static func instance(_ request: CredentialRequest) throws(CredentialError) -> CredentialResponse {
    let base = "http://169.254.169.254/latest/"
    guard request.url.hasPrefix(base) else { throw CredentialError(.unreachable, "no answer.") }
    let path = request.url.dropFirst(base.count)
    if request.method == .put {
      guard path == "api/token", request.header("x-aws-ec2-metadata-token-ttl-seconds") != nil else { return .init(400) }
      return .init(200, "hush-imds")
    }
    guard request.header("x-aws-ec2-metadata-token") == "hush-imds" else { return .init(401) }
    switch path {
    case "meta-data/iam/security-credentials/": return .init(200, "lab role\n")
    case "meta-data/iam/security-credentials/lab%20role": return .json("ec2")
    case "meta-data/placement/region": return .init(200, "eu-north-1")
    default: return .init(404)
    }
  }

  @Test func asksTheInstance() async throws {
    let world = CredentialWorld { (request) throws(CredentialError) in try Self.instance(request) }
    #expect(
      try await world.chain.current()
        == AWSCredentials(
          accessKeyID: "ec2", secretAccessKey: "hush", sessionToken: "hush-token", expiration: 1_700_003_600))
    #expect(world.requests.count == 3)
    #expect(world.requests.allSatisfy { !$0.usesProxy && $0.timeout == 1_000 })
    #expect(try await AWSRegion.resolve(remote: nil, profile: nil, environment: world.environment, askingInstance: true) == "eu-north-1")
    #expect(try await AWSRegion.resolve(remote: nil, profile: nil, environment: world.environment, askingInstance: false) == "us-east-1")

    // Elsewhere: two short tries and no credentials.
    let elsewhere = CredentialWorld()
    #expect(try await elsewhere.chain.current() == nil)
    #expect(elsewhere.requests.count == 2)
    for status in [403, 404, 405] {
      let closed = CredentialWorld { _ in .init(status) }
      #expect(try await closed.chain.current() == nil)
    }
    let broken = CredentialWorld { _ in .init(500) }
    #expect(await broken.failure()?.code == .unreachable)
    let foreign = CredentialWorld { _ in .init(200, "<html>\nWelcome") }
    #expect(await foreign.failure()?.code == .invalid)
  }

  @Test func followsTheInstancesSettings() async throws {
    let world = CredentialWorld([
      "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6", "AWS_METADATA_SERVICE_TIMEOUT": "5",
      "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "3",
    ])
    #expect(try await world.chain.current() == nil)
    #expect(world.requests.map(\.url) == [String](repeating: "http://[fd00:ec2::254]/latest/api/token", count: 3))
    #expect(world.requests.allSatisfy { $0.timeout == 5_000 })
    world.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://localhost:1338/")
    _ = try await world.chain.current()
    #expect(world.requests.last?.url == "http://localhost:1338/latest/api/token")
  }

  /// Whatever services answer, it ends with credentials or an error, and no error quotes the answer.
  @Test(arguments: 0..<20)
  func survivesOddAnswers(seed: UInt64) async {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<20 {
      var bytes = Array(CredentialResponse.json("hush").body)
      for _ in 0..<Int.random(in: 1...5, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
      }
      let answer = bytes
      let world = CredentialWorld(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://h/"]) { _ in .init(status: 200, body: answer) }
      if let failure = await world.failure() {
        #expect(failure.code == .invalid || failure.code == .expired)
        #expect(!failure.message.contains("hush"))
      }
    }
  }
}
