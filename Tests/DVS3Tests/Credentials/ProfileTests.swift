import Testing

@testable import DVS3

@Suite struct ProfileTests {
  private func world(
    _ config: String, credentials: String = "", _ variables: [String: String] = [:], files: [String: String] = [:],
    service: @escaping CredentialWorld.Service = { (request) throws(CredentialError) in
      throw CredentialError(.unreachable, "no answer.")
    }, program: @escaping @Sendable ([String]) throws -> String = { _ in "" }
  ) -> CredentialWorld {
    CredentialWorld(
      ["AWS_PROFILE": "lab", "AWS_EC2_METADATA_DISABLED": "true"].merging(variables) { $1 },
      files: ["~/.aws/config": config, "~/.aws/credentials": credentials].merging(files) { $1 }, service: service,
      program: program)
  }

  @Test func readsBothFiles() async throws {
    let world = world(
      "[profile lab]\naws_access_key_id = old\naws_secret_access_key = hush\naws_session_token = other\nregion = eu-west-3\n[default]\nregion=x",
      credentials: "[lab]\naws_access_key_id = new\naws_secret_access_key = hush-new")
    #expect(try await world.chain.current() == AWSCredentials(accessKeyID: "new", secretAccessKey: "hush-new"))
    #expect(try await AWSRegion.resolve(remote: nil, profile: nil, environment: world.environment, askingInstance: false) == "eu-west-3")
    #expect(try await AWSRegion.resolve(remote: "garage", profile: nil, environment: world.environment, askingInstance: false) == "garage")
    world.set("AWS_DEFAULT_REGION", "eu-west-2")
    #expect(try await AWSRegion.resolve(remote: nil, profile: nil, environment: world.environment, askingInstance: false) == "eu-west-2")
    world.set("AWS_REGION", "a.b/c")
    await #expect(throws: CredentialError.self) {
      try await AWSRegion.resolve(remote: nil, profile: nil, environment: world.environment, askingInstance: false)
    }

    let elsewhere = CredentialWorld(
      ["AWS_CONFIG_FILE": "~/c", "AWS_SHARED_CREDENTIALS_FILE": "/d"],
      files: ["~/c": "[default]\nregion = r\n[profile default]\nregion = s", "/d": "[default]\naws_access_key_id = k\naws_secret_access_key = hush"])
    #expect(try await elsewhere.chain.current()?.accessKeyID == "k")
    #expect(try AWSConfig(elsewhere.environment).profile("default")?["region"] == "s")
  }

  @Test func refusesHalfAKeyAndAMissingProfile() async throws {
    let half = await world("", credentials: "[lab]\naws_access_key_id = a").failure()
    #expect(half?.code == .invalid)
    #expect(half?.message.contains("profile 'lab' has no 'aws_secret_access_key'") == true)
    let missing = await world("[profile other]").failure()
    #expect(missing?.message.contains("there is no profile 'lab'") == true && missing?.message.contains("'other'") == true)
    // A profile without any credentials leaves the question to what comes after it.
    #expect(try await world("[profile lab]\nregion = x").chain.current() == nil)
  }

  @Test func assumesARowOfRoles() async throws {
    let world = world(
      """
      [profile lab]
      role_arn = arn:outer
      source_profile = middle
      external_id = x/1
      duration_seconds = 900
      role_session_name = me
      region = eu-central-1
      [profile middle]
      role_arn = arn:inner
      source_profile = base
      """, credentials: "[base]\naws_access_key_id = base\naws_secret_access_key = hush"
    ) { (request) in .assumed(request.form["RoleArn"] == "arn:inner" ? "inner" : "outer") }
    #expect(try await world.chain.current()?.accessKeyID == "outer")
    let (inner, outer) = (try #require(world.requests.first), try #require(world.requests.last))
    #expect(world.requests.count == 2)
    #expect(inner.url == "https://sts.us-east-1.amazonaws.com/")
    #expect(inner.header("authorization")?.contains("Credential=base/20231114/us-east-1/sts/aws4_request") == true)
    #expect(inner.header("x-amz-security-token") == nil)
    #expect(outer.url == "https://sts.eu-central-1.amazonaws.com/")
    #expect(outer.header("authorization")?.contains("Credential=inner/20231114/eu-central-1/sts/aws4_request, SignedHeaders=accept;content-type;host;x-amz-date;x-amz-security-token") == true)
    #expect(outer.header("x-amz-security-token") == "hush-token")
    #expect(
      outer.form == [
        "Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "arn:outer", "RoleSessionName": "me",
        "ExternalId": "x/1", "DurationSeconds": "900",
      ])
  }

  @Test func asksTheServiceThatIsConfigured() async throws {
    let config = """
      [profile lab]
      role_arn = arn:a
      credential_source = Environment
      services = mine
      endpoint_url = http://all.example:9000/base/
      [services mine]
      sts =
        endpoint_url = http://sts.example:9000
      """
    let variables = ["AWS_ACCESS_KEY_ID": "env", "AWS_SECRET_ACCESS_KEY": "hush"]
    let world = world(config, variables) { _ in .assumed("a") }
    let chain = CredentialChain.standard(remote: .profile("lab"), region: nil, environment: world.environment)
    #expect(try await chain.current()?.accessKeyID == "a")
    #expect(world.requests.map(\.url) == ["http://sts.example:9000/"])
    func s3() throws -> String? { try AWSEndpoint.resolve(profile: nil, environment: world.environment) }
    #expect(try s3() == "http://all.example:9000/base/")
    world.set("AWS_ENDPOINT_URL", "http://env.example")
    #expect(try s3() == "http://env.example")
    world.set("AWS_ENDPOINT_URL_S3", "https://s3.example")
    #expect(try s3() == "https://s3.example")
    #expect(try AWSEndpoint.resolve(service: "sts", profile: nil, environment: world.environment) == "http://env.example")
    world.set("AWS_ENDPOINT_URL_S3", "s3.example")
    #expect(throws: CredentialError.self) { try s3() }
    world.set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE")
    #expect(try s3() == nil)
  }

  @Test(arguments: [
    ("role_arn = a", "expected beside it one of source_profile and credential_source"),
    ("role_arn = a\nsource_profile = b\ncredential_source = Environment", "expected beside it one of"),
    ("role_arn = a\nsource_profile = absent", "the source_profile of profile 'lab': there is no profile 'absent'"),
    ("role_arn = a\nsource_profile = empty", "profile 'empty', the source_profile of profile 'lab', has no credentials"),
    ("role_arn = a\nsource_profile = b", "leads in a circle: 'lab', 'b', 'lab'"),
    ("role_arn = a\nsource_profile = lab", "leads in a circle: 'lab', 'lab'"),
    ("role_arn = a\nsource_profile = keys\nmfa_serial = m", "one-time code (mfa_serial)"),
    ("role_arn = a\nsource_profile = keys\nduration_seconds = 60", "duration_seconds of profile 'lab' is '60', expected 900 to 43200"),
    ("role_arn = a\ncredential_source = Moon", "credential_source of profile 'lab' is 'Moon'"),
    ("role_arn = a\ncredential_source = EcsContainer", "is the container's service, which has none"),
    ("role_arn = a\nsource_profile = keys\nservices = absent", "'[services absent]', which is not in"),
    ("role_arn = a\nweb_identity_token_file = /absent", "'/absent', which profile 'lab' names, does not exist"),
    ("role_arn = a\nsource_profile = keys", "cannot assume role 'a' at sts.us-east-1.amazonaws.com: no answer."),
  ])
  func saysWhyARoleCannotBeAssumed(settings: String, reason: String) async {
    let world = world(
      "[profile lab]\n\(settings)\n[profile b]\nrole_arn = b\nsource_profile = lab\n[profile empty]",
      credentials: "[keys]\naws_access_key_id = k\naws_secret_access_key = hush")
    let message = await world.failure()?.message ?? ""
    #expect(message.contains(reason), "\(message)")
    #expect(!message.contains("hush"))
  }

  /// A profile may be its own source: its keys are what its role is assumed with.
  @Test func aProfileMayBeItsOwnSource() async throws {
    let world = world("[profile lab]\nrole_arn = a\nsource_profile = lab\naws_access_key_id = k\naws_secret_access_key = hush") { _ in .assumed("a") }
    #expect(try await world.chain.current()?.accessKeyID == "a")
    #expect(world.requests.first?.header("authorization")?.contains("Credential=k/") == true)
  }

  @Test func assumesARoleByWebIdentity() async throws {
    let world = world("[profile lab]\nrole_arn = a\nweb_identity_token_file = ~/token", files: ["~/token": "hush"]) { _ in
      .assumed("web", action: "AssumeRoleWithWebIdentity")
    }
    #expect(try await world.chain.current()?.accessKeyID == "web")
    #expect(world.requests.first?.form["WebIdentityToken"] == "hush")
  }

  // MARK: Single sign-on

  private static let session = """
    [profile lab]
    sso_session = corp
    sso_account_id = 123456789012
    sso_role_name = Data Team
    [sso-session corp]
    sso_region = eu-west-1
    sso_start_url = https://corp.example/start
    """
  // printf corp | sha1sum; printf https://corp.example/start | sha1sum
  private static let sessionCache = "~/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
  private static let legacyCache = "~/.aws/sso/cache/f7c9b39d0b4c7a7d82c79307585f77e1c5e74378.json"
  private static let token = #"{"accessToken":"hush-sso","expiresAt":"2023-11-14T23:13:20Z","region":"eu-west-1"}"#
  private static let answer = #"{"roleCredentials":{"accessKeyId":"sso","secretAccessKey":"hush","sessionToken":"hush-token","expiration":1700003600123}}"#

  @Test func exchangesTheTokenOfASignOn() async throws {
    let world = world(Self.session, files: [Self.sessionCache: Self.token]) { _ in .init(200, Self.answer) }
    #expect(
      try await world.chain.current()
        == AWSCredentials(
          accessKeyID: "sso", secretAccessKey: "hush", sessionToken: "hush-token", expiration: 1_700_003_600))
    let request = try #require(world.requests.first)
    #expect(request.url == "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?account_id=123456789012&role_name=Data%20Team")
    #expect(request.header("x-amz-sso_bearer_token") == "hush-sso")

    let legacy = Self.session.replacing("sso_session = corp", with: "sso_region = eu-west-1\nsso_start_url = https://corp.example/start")
    let old = self.world(
      legacy, files: [Self.legacyCache: Self.token.replacing("20Z", with: "20UTC")]) { _ in .init(200, Self.answer) }
    #expect(try await old.chain.current()?.accessKeyID == "sso")
  }

  @Test func asksToSignInAgain() async {
    let expired = Self.token.replacing("2023-11-14T23:13:20Z", with: "2023-11-14T22:13:30Z")
    for (files, status) in [([:], 200), ([Self.sessionCache: expired], 200), ([Self.sessionCache: Self.token], 401)] {
      let failure = await world(Self.session, files: files) { _ in .init(status, Self.answer) }.failure()
      #expect(failure?.code == .expired)
      #expect(failure?.message.contains("Run 'aws sso login --profile lab'.") == true)
      #expect(failure?.message.contains("hush") == false)
    }
    let denied = await world(Self.session, files: [Self.sessionCache: Self.token]) { _ in
      .init(403, #"{"message":"No access","__type":"ForbiddenException"}"#)
    }.failure()
    #expect(denied?.code == .denied)
    #expect(denied?.message.contains("role 'Data Team' in account '123456789012', status 403: No access") == true)
  }

  @Test(arguments: [
    (session.replacing("sso_role_name = Data Team", with: ""), "has no 'sso_role_name'"),
    (session.replacing("sso_region = eu-west-1", with: ""), "has no 'sso_region'"),
    (session.replacing("[sso-session corp]", with: "[sso-session other]"), "'[sso-session corp]', which is not in"),
    (session.replacing("sso_session = corp", with: "sso_session = corp\nsso_region = eu-west-2"), "'sso_region' of profile 'lab' is not that of its sso_session"),
    (session.replacing("eu-west-1", with: "x.example/"), "is no region"),
  ])
  func saysWhatIsMissingOfASignOn(config: String, reason: String) async {
    let failure = await world(config, files: [Self.sessionCache: Self.token]).failure()
    #expect(failure?.code == .invalid)
    #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
  }

  // MARK: Programs

  @Test func asksAProgram() async throws {
    let output = #"{"Version":1,"AccessKeyId":"own","SecretAccessKey":"hush","SessionToken":"hush-token","Expiration":"2023-11-14T23:13:20+00:00"}"#
    let world = world(
      #"[profile lab]"# + "\n" + #"credential_process = "/opt/my tools/get" --user 'a "b"' hush-argument"#, program: { _ in output })
    #expect(
      try await world.chain.current()
        == AWSCredentials(
          accessKeyID: "own", secretAccessKey: "hush", sessionToken: "hush-token", expiration: 1_700_003_600))
    #expect(world.commands == [["/opt/my tools/get", "--user", "a \"b\"", "hush-argument"]])
  }

  @Test(arguments: [
    #"{"Version":2,"AccessKeyId":"own","SecretAccessKey":"hush"}"#, #"{"AccessKeyId":"own","SecretAccessKey":"hush"}"#,
    #"{"Version":1,"AccessKeyId":"own"}"#, #"{"Version":1,"AccessKeyId":"own","SecretAccessKey":""}"#, "hush", "",
    #"{"Version":1,"AccessKeyId":"own","SecretAccessKey":"hush","Expiration":"hush"}"#, #"[1]"#,
  ])
  func refusesWhatAProgramShouldNotPrint(output: String) async {
    let failure = await world("[profile lab]\ncredential_process = get hush-argument", program: { _ in output }).failure()
    #expect(failure?.code == .invalid)
    #expect(failure?.message.contains("'get', the credential_process of profile 'lab'") == true)
    #expect(failure?.message.contains("hush") == false)
  }

  @Test(arguments: [
    ("a b  c\td", ["a", "b", "c", "d"]), (#""a b"c 'd e'"#, ["a bc", "d e"]), (#"a\ b \" '\'"#, ["a b", "\"", "\\"]),
    (#""a\"b\\c\d""#, [#"a"b\c\d"#]), ("'' \"\"", ["", ""]), ("$HOME ~ *", ["$HOME", "~", "*"]), ("", []),
    ("'a", nil), ("\"a\\\"", nil), ("a\\", nil),
  ] as [(String, [String]?)])
  func takesCommandsApart(command: String, words: [String]?) {
    #expect(CredentialProcess.words(command) == words)
  }

  @Test func reportsAProgramThatFails() async {
    let failing = await world("[profile lab]\ncredential_process = get", program: { _ in throw CredentialWorld.NoSuchProgram() }).failure()
    #expect(failing?.code == .denied)
    #expect(await world("[profile lab]\ncredential_process = 'get").failure()?.code == .invalid)
  }
}
