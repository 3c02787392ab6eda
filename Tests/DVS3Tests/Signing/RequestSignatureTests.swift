import DVS3
import Foundation
import Testing

@Suite struct RequestSignatureTests {
  /// One request and the signature it must get.
  struct Vector: Sendable, CustomTestStringConvertible {
    let name: String
    var method = "GET"
    var path = "/"
    var query: [(String, String)] = []
    var headers: [(String, String)] = []
    var payload = RequestSignature.emptyPayload
    var token: String?
    let signedHeaders: String
    let signature: String

    var testDescription: String { name }
  }

  /// The test suite that AWS published for version 4, as far as it does not ask for paths to be normalised, which S3 does not.
  static let suite = [
    Vector(
      name: "get-vanilla", signedHeaders: "host;x-amz-date",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "get-vanilla-query-order-key-case", query: [("Param2", "value2"), ("Param1", "value1")],
      signedHeaders: "host;x-amz-date", signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    Vector(
      name: "get-vanilla-empty-query-key", query: [("Param1", "value1")], signedHeaders: "host;x-amz-date",
      signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
    Vector(
      name: "get-vanilla-utf8-query", query: [("ሴ", "bar")], signedHeaders: "host;x-amz-date",
      signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
    Vector(
      name: "get-utf8", path: PercentEncoding.path("/ሴ"), signedHeaders: "host;x-amz-date",
      signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    Vector(
      name: "get-unreserved", path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
      signedHeaders: "host;x-amz-date", signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
    Vector(
      name: "get-header-value-trim", headers: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
      signedHeaders: "host;my-header1;my-header2;x-amz-date",
      signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
    Vector(
      name: "get-header-key-duplicate",
      headers: [("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
      signedHeaders: "host;my-header1;x-amz-date",
      signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
    Vector(
      name: "get-header-value-order",
      headers: [
        ("My-Header1", "value4"), ("My-Header1", "value1"), ("My-Header1", "value3"), ("My-Header1", "value2"),
      ], signedHeaders: "host;my-header1;x-amz-date",
      signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"),
    Vector(
      name: "post-vanilla", method: "POST", signedHeaders: "host;x-amz-date",
      signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    Vector(
      name: "post-x-www-form-urlencoded", method: "POST",
      headers: [("Content-Type", "application/x-www-form-urlencoded")],
      payload: "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
      signedHeaders: "content-type;host;x-amz-date",
      signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    Vector(
      name: "post-sts-header-before", method: "POST",
      token:
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
      signedHeaders: "host;x-amz-date;x-amz-security-token",
      signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
  ]

  @Test(arguments: suite)
  func signsTheTestSuiteOfAWS(vector: Vector) {
    let added = RequestSignature.headers(
      method: vector.method, path: vector.path, query: vector.query,
      headers: [("Host", "example.amazonaws.com")] + vector.headers, payloadHash: vector.payload,
      credentials: AWSCredentials(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        sessionToken: vector.token), region: "us-east-1", service: "service", time: 1_440_938_160)
    #expect(
      added.last?.1
        == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=\(vector.signedHeaders), Signature=\(vector.signature)"
    )
    #expect(added.map(\.0) == ["x-amz-date"] + (vector.token == nil ? [] : ["x-amz-security-token"]) + ["authorization"])
    #expect(added[0].1 == "20150830T123600Z")
  }

  /// The examples in the manual of S3, "Authenticating Requests: Using the Authorization Header".
  static let examples = [
    Vector(
      name: "GET object", path: "/test.txt", headers: [("Range", "bytes=0-9")],
      signedHeaders: "host;range;x-amz-content-sha256;x-amz-date",
      signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
    Vector(
      name: "PUT object", method: "PUT", path: PercentEncoding.path("/test$file.text"),
      headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
      payload: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      signedHeaders: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
    Vector(
      name: "GET bucket lifecycle", query: [("lifecycle", "")], signedHeaders: "host;x-amz-content-sha256;x-amz-date",
      signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
    Vector(
      name: "list objects", query: [("prefix", "J"), ("max-keys", "2")],
      signedHeaders: "host;x-amz-content-sha256;x-amz-date",
      signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
  ]

  @Test(arguments: examples)
  func signsTheExamplesOfS3(vector: Vector) {
    let added = RequestSignature.headers(
      method: vector.method, path: vector.path, query: vector.query,
      // The last two are on no list of signed headers.
      headers: [("host", "examplebucket.s3.amazonaws.com")] + vector.headers
        + [("User-Agent", "dv"), ("Accept-Encoding", "identity")],
      payloadHash: vector.payload,
      credentials: AWSCredentials(
        accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
      region: "us-east-1", time: 1_369_353_600)
    #expect(added.map(\.0) == ["x-amz-date", "x-amz-content-sha256", "authorization"])
    #expect(added[1].1 == vector.payload)
    #expect(
      added[2].1
        == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=\(vector.signedHeaders), Signature=\(vector.signature)"
    )
  }

  @Test func signsAsBotocoreDoes() throws {
    struct Request: Decodable {
      let method, path, payload, key, secret, region, service, signature: String
      let query, headers: [[String]]
      let token: String?
      let time: Int64
    }
    let lines = botocoreVectors.split(separator: "\n")
    #expect(lines.count == 24)
    for line in lines {
      let request = try JSONDecoder().decode(Request.self, from: Data(line.utf8))
      let added = RequestSignature.headers(
        method: request.method, path: request.path, query: request.query.map { ($0[0], $0[1]) },
        headers: request.headers.map { ($0[0], $0[1]) }, payloadHash: request.payload,
        credentials: AWSCredentials(
          accessKeyID: request.key, secretAccessKey: request.secret, sessionToken: request.token),
        region: request.region, service: request.service, time: request.time)
      #expect(added.last?.1 == request.signature, "\(line)")
    }
  }

  /// Keys are kept by secret, day, region and service: none of them may be mixed up, however many there are.
  @Test func keepsSigningKeysApart() {
    func signature(_ secret: String, _ region: String, _ time: Int64) -> String? {
      RequestSignature.headers(
        method: "GET", path: "/", query: [], headers: [("host", "h")], payloadHash: RequestSignature.unsignedPayload,
        credentials: AWSCredentials(accessKeyID: "key", secretAccessKey: secret), region: region, time: time
      ).last.map { String($0.1.suffix(64)) }
    }
    let all = (0..<40).map { signature("secret-\($0)", "region", 0) }
    #expect(Set(all).count == 40)
    #expect((0..<40).map { signature("secret-\($0)", "region", 0) } == all)
    #expect(Set([signature("a", "b", 0), signature("a", "b", 86_400), signature("a", "c", 0)]).count == 3)
  }
}
