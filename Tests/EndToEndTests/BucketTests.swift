import DVFile
import DVTesting
import Foundation
import SystemPackage
import Testing

/// Remotes in buckets, from the command line to real servers.
@Suite struct BucketTests {
  /// A sandbox whose programs know the servers' key.
  private func sandbox() throws -> Sandbox {
    let sandbox = try Sandbox()
    sandbox.variables = [
      "AWS_ACCESS_KEY_ID": TestServers.key, "AWS_SECRET_ACCESS_KEY": TestServers.secret, "AWS_EC2_METADATA_DISABLED": "true",
    ]
    return sandbox
  }

  private func fill(_ sandbox: Sandbox) throws {
    for index in 0..<300 { try sandbox.write("file \(index)", to: "data/part-\(index % 7)/\(index).txt") }
    try sandbox.write([UInt8](repeating: 7, count: 3_000_000), to: sandbox.path("data/large"))
    try sandbox.dv("add", "data").succeed()
  }

  @Test(arguments: TestServers.Kind.allCases)
  func pushedDataComesBackInAnotherClone(kind: TestServers.Kind) throws {
    let sandbox = try sandbox()
    let url = "s3://\(TestServers.bucket)/\(TestServers.freshPrefix())"
    try sandbox.dv(
      "remote", "add", "origin", Sandbox.Argument(url), "--endpoint", Sandbox.Argument(TestServers.url(of: kind))
    ).succeed()
    #expect(try sandbox.dv("remote", "check").succeed().text.contains("Nothing has been pushed to it yet."))
    try fill(sandbox)
    try sandbox.commit()
    try sandbox.dv("push").succeed()
    #expect(try sandbox.dv("push", "--json").succeed().code == 0)
    let checked = try sandbox.dv("remote", "check", "--json").succeed().json
    #expect(checked["ok"] as? Bool == true && checked["writable"] as? Bool == true)
    #expect(checked["capabilities"] is [String: Any])

    // A clone asks before it sends signed requests to a server that a commit names.
    let clone = sandbox.folder.appending("clone")
    try sandbox.git("clone", "--quiet", Sandbox.Argument(sandbox.work), Sandbox.Argument(clone)).succeed()
    let refused = try sandbox.dv("pull", in: clone).exit(2)
    #expect(refused.errorText.contains("dv remote trust origin"))
    try sandbox.dv("remote", "trust", "origin", in: clone).succeed()
    try sandbox.dv("pull", in: clone).succeed()
    try sandbox.run(["diff", "-r", "data", Sandbox.Argument(clone.appending("data"))]).succeed()
    // Another endpoint in the committed file is asked about again.
    try sandbox.dv("config", "--project", "remote.origin.endpoint", "http://127.0.0.1:9", in: clone).succeed()
    #expect(try sandbox.dv("remote", "check", in: clone).exit(2).errorText.contains("127.0.0.1:9"))
  }

  @Test func bucketsThatAreNotThereAreTold() throws {
    let sandbox = try sandbox()
    let endpoint = Sandbox.Argument(try TestServers.url(of: .moto))
    let missing = try sandbox.dv("remote", "add", "origin", "s3://dv-no-such-bucket/x", "--endpoint", endpoint).exit(5)
    #expect(missing.errorText.contains("there is no bucket 'dv-no-such-bucket'"))
    let url = Sandbox.Argument("s3://\(TestServers.bucket)/x")
    try sandbox.dv("remote", "add", "origin", url, "--endpoint", "http://127.0.0.1:1").exit(5)
    try sandbox.dv("remote", "add", "origin", url, "--endpoint", "127.0.0.1").exit(2)
    try sandbox.dv("remote", "add", "origin", url, "--region", "evil.com/").exit(2)
    #expect(try sandbox.dv("remote", "list").succeed().text.contains("There is no remote"))
  }

  @Test func wrongCredentialsAreTold() throws {
    let sandbox = try sandbox()
    sandbox.variables["AWS_SECRET_ACCESS_KEY"] = "hunter2hunter2"
    let denied = try sandbox.dv(
      "remote", "add", "origin", Sandbox.Argument("s3://\(TestServers.bucket)/x"), "--endpoint",
      Sandbox.Argument(TestServers.url(of: .rclone))
    ).exit(5)
    #expect(denied.errorText.contains("credentials") && !denied.errorText.contains("hunter2"))
  }

  /// Damage behind dv's back: truncated, deleted and flipped packs are noticed, and wrong bytes never come out.
  @Test(arguments: [TestServers.Kind.moto, .rclone], ["truncate", "delete", "flip"])
  func damageIsNoticedAndHealed(kind: TestServers.Kind, damage: String) throws {
    let sandbox = try sandbox()
    let endpoint = try TestServers.url(of: kind)
    sandbox.variables["AWS_ENDPOINT_URL_S3"] = endpoint
    let prefix = TestServers.freshPrefix()
    try sandbox.dv("remote", "add", "origin", Sandbox.Argument("s3://\(TestServers.bucket)/\(prefix)")).succeed()
    try fill(sandbox)
    try sandbox.commit()
    try sandbox.dv("push").succeed()
    try DamagedBucket(endpoint: endpoint, prefix: prefix).damageFirstPack(damage, sandbox)

    let clone = sandbox.folder.appending("clone")
    try sandbox.git("clone", "--quiet", Sandbox.Argument(sandbox.work), Sandbox.Argument(clone)).succeed()
    let pulled = try sandbox.dv("pull", in: clone)
    #expect([3, 4].contains(pulled.code), "\(damage): \(pulled.code) \(pulled.errorText)")
    if damage != "flip" {
      try sandbox.dv("remote", "check", in: clone).exit(4)
      try sandbox.dv("push").succeed()
      try sandbox.dv("remote", "check", in: clone).succeed()
      try sandbox.dv("pull", in: clone).succeed()
      try sandbox.run(["diff", "-r", "data", Sandbox.Argument(clone.appending("data"))]).succeed()
    }
  }

  /// What a web server serves of a pushed directory can be pulled from.
  @Test func webServersServePushedDirectories() throws {
    let sandbox = try sandbox()
    try sandbox.addRemote()
    try fill(sandbox)
    try sandbox.commit()
    try sandbox.dv("push").succeed()
    let server = try WebServer(serving: sandbox.remote, sandbox)
    defer { server.stop() }
    let clone = sandbox.folder.appending("clone")
    try sandbox.git("clone", "--quiet", Sandbox.Argument(sandbox.work), Sandbox.Argument(clone)).succeed()
    try sandbox.dv("remote", "add", "web", Sandbox.Argument(server.url), "--clone", "--default", in: clone).succeed()
    try sandbox.dv("pull", in: clone).succeed()
    try sandbox.run(["diff", "-r", "data", Sandbox.Argument(clone.appending("data"))]).succeed()
    try sandbox.dv("remote", "check", "web", in: clone).succeed()
    #expect(try sandbox.dv("push", in: clone).exit(5).errorText.contains("can only be read from"))
  }
}
