import DVTesting
import SystemPackage
import Testing

/// How many requests commands make, as `--verbose` tells it. Each figure is a promise: more is a regression.
@Suite struct RequestCountTests {
  /// The number in `12 requests (…)`.
  private func requests(_ outcome: Sandbox.Outcome) throws -> Int {
    let line = try #require(
      outcome.errorText.split(separator: "\n").last { $0.contains(" requests (") }, "no requests: \(outcome.errorText)")
    return try #require(Int(line.prefix { $0 != " " }.filter { $0 != "," }), "\(line)")
  }

  @Test func pushAndPullTakeFewRequests() throws {
    let sandbox = try Sandbox.withBucketKeys()
    sandbox.variables["AWS_ENDPOINT_URL_S3"] = try TestServers.url(of: .moto)
    let url = "s3://\(TestServers.bucket)/\(TestServers.freshPrefix())"
    try sandbox.dv("remote", "add", "origin", Sandbox.Argument(url)).succeed()
    for index in 0..<500 { try sandbox.write("file \(index)", to: "data/part-\(index % 7)/\(index).txt") }
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit()
    #expect(try requests(sandbox.dv("--verbose", "push").succeed()) < 60)
    #expect(try requests(sandbox.dv("--verbose", "push").succeed()) < 10)

    let clone = sandbox.folder.appending("clone")
    try sandbox.git("clone", "--quiet", Sandbox.Argument(sandbox.work), Sandbox.Argument(clone)).succeed()
    #expect(try requests(sandbox.dv("--verbose", "pull", in: clone).succeed()) < 30)
    // What is here is not asked for, and who does not ask is not told.
    #expect(try !sandbox.dv("--verbose", "fetch", in: clone).succeed().errorText.contains("request"))
    #expect(try !sandbox.dv("push", in: clone).succeed().errorText.contains("request"))
  }
}
