import Crypto
import DVObject
import DVPipeline
import Testing

@testable import DVLineage

/// The policy of a repository, the keys that a user trusts, and what they sign.
struct ModelPolicyTests {
  private static let churn = ModelName("churn")!  // a name by the grammar

  private func policy(_ text: String) throws -> ModelPolicy { try ModelPolicy(parsing: Array(text.utf8), named: "policy.yaml") }

  @Test func policiesAreRead() throws {
    let read = try policy(
      """
      version: 1
      default:
        lineage: recorded
      aliases:
        production:
          metrics:
            auc: {min: 0.9, max_drop: 0.01}
            eval/loss.json:loss: {max: 2}
          clean_code: true
          lineage: full
          reproduction: within-tolerance
          signature: [release, sha256:\(String(repeating: "a", count: 64))]
          approvals: {count: 2, by: [reviewer]}
          signed_tags: true
        dev: {}
      models:
        churn:
          aliases:
            staging:
              approvals: 1
      """)
    let production = try #require(read.requirements(of: "production", for: Self.churn))
    #expect(
      production.metrics == [
        .init(name: "auc", minimum: 0.9, maximumDrop: 0.01), .init(name: "eval/loss.json:loss", maximum: 2),
      ])
    #expect(production.cleanCode && production.signedTags && production.lineage == .full && production.reproduction == .withinTolerance)
    #expect(production.signature == [.role("release"), .fingerprint(String(repeating: "a", count: 64))])
    #expect(production.approvals == .init(count: 2, keys: [.role("reviewer")]))
    #expect(read.requirements(of: "staging", for: Self.churn)?.approvals == .init(count: 1))
    #expect(read.requirements(of: "other", for: Self.churn)?.lineage == .recorded)
    #expect(read.requirements(of: "dev", for: Self.churn) == ModelPolicy.Requirements())
    #expect(try policy("version: 1").requirements(of: "production", for: Self.churn) == nil)
  }

  /// What is misspelt or makes no sense is refused with its line, never passed over.
  @Test(arguments: [
    "", "version: 2", "default: {}", "version: 1\nalias: {}", "version: 1\naliases:\n  production:\n    metric: {}",
    "version: 1\naliases:\n  v1.0.0: {}", "version: 1\naliases:\n  production:\n    metrics: {auc: {}}",
    "version: 1\naliases:\n  production:\n    metrics: {auc: {minimum: 1}}", "version: 1\naliases:\n  production:\n    metrics: {auc: {min: high}}",
    "version: 1\naliases:\n  production:\n    metrics: {auc: {min: .nan}}", "version: 1\naliases:\n  production:\n    metrics: {auc: {max_drop: -1}}",
    "version: 1\naliases:\n  production:\n    lineage: partly", "version: 1\naliases:\n  production:\n    reproduction: different",
    "version: 1\naliases:\n  production:\n    clean_code: 1", "version: 1\naliases:\n  production:\n    approvals: 0",
    "version: 1\naliases:\n  production:\n    approvals: {by: []}", "version: 1\naliases:\n  production:\n    signature: []",
    "version: 1\naliases:\n  production:\n    signature: [sha256:abc]", "version: 1\naliases:\n  production:\n    signature: [a b]",
    "version: 1\nversion: 1", "version: 1\nmodels:\n  -churn: {}",
  ])
  func policiesThatMakeNoSenseAreRefused(text: String) {
    let error = #expect(throws: PipelineError.self) { try policy(text) }
    #expect(error?.message.contains("policy.yaml") == true)
  }

  private func store(_ key: SigningKey, roles: String = "[release]") throws -> TrustStore {
    let pem = key.publicKey.pem.split(separator: "\n").map { "      \($0)\n" }.joined()
    let text = "version: 1\nkeys:\n  - person: Ada <Ada@example.com>\n    roles: \(roles)\n    pem: |\n\(pem)"
    return try TrustStore(parsing: Array(text.utf8), named: "trust.yaml") { _ in "" }
  }

  @Test func keysHaveRolesAndPeople() throws {
    let key = try SigningKey(pem: P256.Signing.PrivateKey().pemRepresentation)
    let trusted = try store(key)
    let found = try #require(trusted.keys.first)
    #expect(found.matches([.role("release")]) && found.matches([.fingerprint(key.publicKey.hint)]))
    #expect(!found.matches([.role("reviewer"), .fingerprint(String(repeating: "0", count: 64))]))
    #expect(PersonName(found.person) == PersonName("A. Lovelace <ada@example.com>"))
    #expect(PersonName("ada") != PersonName("eve"))
    #expect(throws: PipelineError.self) { try store(key, roles: "[a b]") }
    for text in ["version: 1\nkeys: [{person: x}]", "version: 1\nkeys: [{person: x, pem: no}]", "keys: []", "version: 1\nkey: []"] {
      #expect(throws: PipelineError.self) { try TrustStore(parsing: Array(text.utf8), named: "trust.yaml") { _ in "" } }
    }
  }

  /// An attestation is of one content, commit and tag, and of the key that signed it.
  @Test func attestationsSpeakOfOneVersion() throws {
    let key = try SigningKey(pem: P256.Signing.PrivateKey().pemRepresentation)
    let record = ModelRecord(
      model: Self.churn, release: ModelVersion(1, 0, 0), path: "m", oid: ObjectID(hashing: [1, 2, 3].span), isTree: false, size: 3, files: nil,
      run: nil, commit: String(repeating: "c", count: 40), time: 1, user: "Ada")
    let tag = String(repeating: "a", count: 40)
    let written = Attestation(.approval, of: record, tag: tag, alias: "production", reason: "fine", time: 2, user: "Bob")
    let message = written.message(try SignedBundle(written.statement, key: key))
    let read = try Attestation(Attestation.bundle(in: message).statement(verifiedBy: key.publicKey))
    #expect(read == written && read.speaks(of: record, tag: tag))
    #expect(!read.speaks(of: record, tag: String(repeating: "b", count: 40)))
    var other = record
    other.oid = ObjectID(hashing: [4].span)
    #expect(!read.speaks(of: other, tag: tag))
    #expect(throws: SigningError.self) { try Attestation.bundle(in: message).statement(verifiedBy: SigningKey(pem: P256.Signing.PrivateKey().pemRepresentation).publicKey) }
    // No tool of GTO's grammar takes its tag for one of the registry.
    #expect(written.tagName(signedBy: key.publicKey).hasPrefix("dv/approval/churn@v1.0.0/production/"))
    #expect(RegistryTag(written.tagName(signedBy: key.publicKey)) == nil)
    // Whatever byte of the signed line is changed, it is not believed.
    let bytes = Array(message.utf8)
    let start = try #require(bytes.firstIndex(of: UInt8(ascii: "{")))
    for index in stride(from: start, to: bytes.count - 1, by: 7) {
      var changed = bytes
      changed[index] ^= 1
      let seen = try? Attestation(Attestation.bundle(in: String(decoding: changed, as: UTF8.self)).statement(verifiedBy: key.publicKey))
      #expect(seen == nil || seen == written)
    }
  }
}
