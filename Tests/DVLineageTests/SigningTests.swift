import Crypto
import DVObject
import Testing

@testable import DVLineage

struct SigningTests {
  private let files = [
    ModelStatement.Resource(name: "sub/b", digest: ObjectID(hashing: [2].span)), ModelStatement.Resource(name: "a", digest: ObjectID(hashing: [1].span)),
  ]

  /// What each curve signs is verified by its public half, and by no other.
  @Test func eachCurveSignsAndVerifies() throws {
    let keys = try [
      P256.Signing.PrivateKey().pemRepresentation, P384.Signing.PrivateKey().pemRepresentation, P521.Signing.PrivateKey().pemRepresentation,
    ].map { pem in try SigningKey(pem: pem) }
    for (index, key) in keys.enumerated() {
      let bundle = try SignedBundle(ModelStatement(name: "m", resources: files).json(lineage: JSONObject()), key: key)
      let read = try SignedBundle(parsing: bundle.bytes)
      let signed = try ModelStatement(read.statement(verifiedBy: VerifyingKey(pem: key.publicKey.pem)))
      #expect(signed.resources.map(\.name) == ["a", "sub/b"])
      #expect(signed.differences(from: files).isEmpty)
      let other = keys[(index + 1) % 3].publicKey
      #expect(throws: SigningError.self) { try read.statement(verifiedBy: other) }
    }
  }

  /// Whatever single byte of a bundle is changed, it verifies only if it still states the same.
  @Test func everyChangedByteOfABundleIsFound() throws {
    let key = try SigningKey(pem: P256.Signing.PrivateKey().pemRepresentation)
    let bundle = try SignedBundle(ModelStatement(name: "m", resources: files).json(lineage: JSONObject()), key: key)
    let good = bundle.bytes
    var unchanged = 0
    for index in good.indices {
      var bytes = good
      bytes[index] ^= 1
      guard let read = try? SignedBundle(parsing: bytes), let statement = try? read.statement(verifiedBy: key.publicKey) else { continue }
      // What is around the envelope is not signed, such as the identifier of the key's log.
      unchanged += 1
      #expect(statement == (try bundle.statement(verifiedBy: key.publicKey)))
    }
    #expect(unchanged < good.count / 4)
  }

  @Test func differencesAreNamed() throws {
    let signed = ModelStatement(name: "m", resources: files)
    let found = [
      ModelStatement.Resource(name: "a", digest: ObjectID(hashing: [9].span)), ModelStatement.Resource(name: "c", digest: ObjectID(hashing: [1].span)),
    ]
    #expect(
      signed.differences(from: found) == [
        "'a' has other bytes than were signed", "'c' is there and was not signed", "'sub/b' was signed and is missing",
      ])
  }

  /// A statement that a key signed but that contradicts itself is not believed.
  @Test func contradictoryStatementsAreRefused() throws {
    guard case .object(var statement) = ModelStatement(name: "m", resources: files).json(lineage: JSONObject()) else { return }
    var subject = JSONObject()
    subject["name"] = "m"
    var digest = JSONObject()
    digest["sha256"] = .string(ObjectID(hashing: [7].span).hex)
    subject["digest"] = .object(digest)
    statement["subject"] = [.object(subject)]
    #expect(throws: SigningError.self) { try ModelStatement(.object(statement)) }
    #expect(throws: SigningError.self) { try SignedBundle(parsing: Array("{}".utf8)) }
    #expect(throws: SigningError.self) { try SigningKey(pem: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n") }
  }

  @Test(arguments: [(0, "1970-01-01T00:00:00Z"), (1_790_000_000_999, "2026-09-21T14:13:20Z"), (951_827_696_000, "2000-02-29T12:34:56Z")])
  func momentsAreWrittenAsDates(milliseconds: Int64, text: String) { #expect(Timestamp(milliseconds: milliseconds).description == text) }
}
