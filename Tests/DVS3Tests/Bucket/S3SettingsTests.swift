import Testing

@testable import DVS3

@Suite struct S3SettingsTests {
  private func base(
    _ url: String, endpoint: String? = nil, _ addressing: S3Settings.Addressing = .automatic, region: String = "eu-west-1"
  ) throws -> String {
    var settings = S3Settings(location: try S3Location(url), endpoint: try endpoint.map { try HTTPEndpoint($0) })
    settings.addressing = addressing
    let base = settings.base(region: region)
    return base.origin + base.path
  }

  @Test func bucketsAreNamedByHostOrPath() throws {
    #expect(try base("s3://data/x") == "https://data.s3.eu-west-1.amazonaws.com/")
    #expect(try base("s3://my.data/x") == "https://s3.eu-west-1.amazonaws.com/my.data/")
    #expect(try base("s3://data/x", .path) == "https://s3.eu-west-1.amazonaws.com/data/")
    #expect(try base("s3://data/x", region: "cn-north-1") == "https://data.s3.cn-north-1.amazonaws.com.cn/")
    #expect(try base("s3://data/x", endpoint: "http://127.0.0.1:9000/s3/") == "http://127.0.0.1:9000/s3/data/")
    #expect(try base("s3://data/x", endpoint: "https://store.example", .virtual) == "https://data.store.example/")
    #expect(try base("s3://data/x", endpoint: "http://127.0.0.1:9000", .virtual) == "http://127.0.0.1:9000/data/")
  }

  @Test func prefixesAreNormal() throws {
    #expect(try S3Location("s3://bucket").prefix == "")
    #expect(try S3Location("s3://bucket/").prefix == "")
    #expect(try S3Location("s3://bucket//a//b/").prefix == "a/b/")
    #expect(try S3Location("s3://bucket/a/b").description == "s3://bucket/a/b")
  }

  /// A bucket becomes part of a host name, a prefix part of a path.
  @Test(arguments: [
    "s3://", "s3://ab", "s3://evil.com#x/y", "s3://user@host/x", "s3://a b/x", "s3://.data/x", "s3://data./x", "s3://-data/x",
    "s3://bucket/../x", "s3://bucket/a/./b", "s3://bucket/a\nb", "gs://bucket/x", "s3://büro/x",
  ])
  func otherURLsAreRefused(url: String) {
    #expect(throws: S3Location.Malformed.self) { try S3Location(url) }
  }

  @Test func recordsOfProbesComeBack() {
    var capabilities = S3Capabilities.untested
    capabilities.keepsDigest = false
    let record = S3ProbeRecord(identity: "s3://a/b http://c", time: 1_790_000_000, capabilities: capabilities)
    #expect(S3ProbeRecord(decoding: record.encoded()) == record)
    for end in 0..<record.encoded().count { #expect(S3ProbeRecord(decoding: Array(record.encoded()[..<end])) == nil) }
  }
}
