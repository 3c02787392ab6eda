import DVBackend
import DVFile
import DVObject
import DVTesting
import SystemPackage
import Testing

@testable import DVS3

/// The backend against real servers, which differ where it matters.
@Suite(.serialized) struct ServerTests {
  private func backend(
    _ kind: TestServers.Kind, prefix: String = TestServers.freshPrefix(), bucket: String = TestServers.bucket,
    secret: String? = nil, capabilities: S3Capabilities = .untested, multipartLimit: UInt64 = 256 << 20
  ) throws -> S3Backend {
    var settings = S3Settings(
      location: try S3Location("s3://\(bucket)/\(prefix)"), endpoint: try HTTPEndpoint(TestServers.url(of: kind)))
    settings.multipartLimit = multipartLimit
    let keys = AWSCredentials(accessKeyID: kind.key, secretAccessKey: secret ?? kind.secret)
    return try S3Backend(
      settings, credentials: CredentialChain([StaticCredentials(keys)], now: { FileTime.now.seconds }),
      capabilities: capabilities)
  }

  @Test(arguments: TestServers.Kind.all)
  func conforms(kind: TestServers.Kind) async throws {
    // rclone takes the old value away before the new one is there.
    try await expectBackendConformance(manyKeys: 2_300, replacesAtOnce: kind != .rclone) { try backend(kind) }
  }

  @Test func probesTellWhatServersCanDo() async throws {
    let moto = try await backend(.moto).probe()
    // Neither compares a digest with what it got; rclone gives back any that it was told.
    let expected = S3Capabilities(
      refusesToReplace: true, keepsDigest: false, comparesDigest: false, tagsByMD5: true, deletesInBatches: true, servesRanges: true)
    #expect(moto == expected)
    let rclone = try await backend(.rclone).probe()
    var other = expected
    other.refusesToReplace = false
    #expect(rclone == other)
  }

  /// A probe leaves nothing.
  @Test(arguments: TestServers.Kind.all)
  func probesLeaveNothing(kind: TestServers.Kind) async throws {
    let backend = try backend(kind)
    let found = try await backend.probe()
    #expect(try await backend.list("").isEmpty)
    // What was found out serves: the suite's promises hold with it too.
    let key = try BackendKey("packs/aa/value")
    let probed = try self.backend(kind, capabilities: found)
    try await probed.put([1, 2], at: key)
    try await probed.put([1, 2], at: key)
    #expect(try await probed.get(key) == [1, 2])
  }

  @Test(arguments: TestServers.Kind.all)
  func missingBucketsAreErrors(kind: TestServers.Kind) async throws {
    let backend = try backend(kind, bucket: "dv-no-such-bucket")
    let key = try BackendKey("index/a")
    await expectBackendError(.notFound) { _ = try await backend.list("index/") }
    await expectBackendError(.notFound) { _ = try await backend.get(key) }
    await expectBackendError(.notFound) { _ = try await backend.size(of: key) }
  }

  @Test func wrongSecretsAreDenied() async throws {
    let backend = try backend(.rclone, secret: "wrong")
    let key = try BackendKey("index/a")
    await expectBackendError(.denied) { _ = try await backend.list("index/") }
    await expectBackendError(.denied) { try await backend.put([1], at: key) }
    await expectBackendError(.denied) { _ = try await backend.size(of: key) }
  }

  @Test(arguments: TestServers.Kind.all)
  func largeValuesGoInPiecesAndParts(kind: TestServers.Kind) async throws {
    let backend = try backend(kind, multipartLimit: 16 << 20)
    var random = SeededGenerator(seed: 9)
    let block = [UInt8](randomCount: 1 << 20, using: &random)
    var bytes: [UInt8] = []
    // More than one part of 64 MiB.
    for index in 0..<70 { bytes += [UInt8(index)] + block }
    let digest = ObjectID(hashing: bytes.span)
    try await withTemporaryDirectory { directory in
      let file = directory.appending("large")
      try file.replaceContent(with: bytes.span)
      let key = try BackendKey("packs/aa/large")
      try await backend.put(file: file, size: UInt64(bytes.count), digest: digest, at: key, consuming: false)
      #expect(try await backend.size(of: key) == UInt64(bytes.count))
      #expect(try await backend.fetch(key, into: directory.appending("fetched")) == digest)
      #expect(try await backend.get(key).map { ObjectID(hashing: $0.span) } == digest)
      let range: Range<UInt64> = 5_000_000..<45_000_001
      #expect(try await backend.get(key, range: range) == Array(bytes[5_000_000..<45_000_001]))
      await expectBackendError(.corrupt) {
        try await backend.put(
          file: file, size: UInt64(bytes.count), digest: ObjectID(hashing: [1].span), at: BackendKey("packs/aa/other"),
          consuming: false)
      }
      #expect(try await backend.list("packs/aa/other").isEmpty)
    }
  }

  /// moto says of every upload that it was begun in 2010, others say when.
  @Test(arguments: TestServers.Kind.all)
  func abandonedUploadsAreRemoved(kind: TestServers.Kind) async throws {
    let backend = try backend(kind)
    var request = S3Request(act: "begin to store")
    request.method = "POST"
    request.object = backend.object(try BackendKey("packs/aa/never"))
    request.query = [("uploads", "")]
    _ = try await backend.client.send(request, holding: 0)
    if kind != .moto { #expect(try await backend.removeAbandonedUploads(olderThan: 3600) == 0) }
    #expect(try await backend.removeAbandonedUploads(olderThan: kind == .moto ? 3600 : -10) == 1)
    #expect(try await backend.removeAbandonedUploads(olderThan: -10) == 0)
  }
}
