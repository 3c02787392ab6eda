import DVObject

/// The signature of one request by AWS Signature Version 4 with S3's rules, as headers.
///
///     canonical request   method, path, query, signed headers and digest of the payload, one per line
///     string to sign      AWS4-HMAC-SHA256, time, scope, SHA-256 of the canonical request
///     scope               day/region/service/aws4_request
///     signature           HMAC of the string to sign, with a key that HMACs made of the secret and each part of the scope
///
/// S3's rules are: the path is signed as it is sent, encoded once and not normalised, and the digest of the payload is a header too.
/// Other services encode the path a second time, which makes no difference to `/`, the only path that STS has.
public enum RequestSignature {
  /// Stands for the digest of a payload that is not signed. Only for `https`, where nobody between can change it.
  public static let unsignedPayload = "UNSIGNED-PAYLOAD"
  /// The digest of no payload.
  public static let emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  /// Returns the headers to add to a request so that it is signed: `x-amz-date`, for S3 `x-amz-content-sha256`, with temporary
  /// credentials `x-amz-security-token`, and `authorization`.
  ///
  /// - Parameters:
  ///   - path: The path as it is sent, percent-encoded once (``PercentEncoding/path(_:)``), beginning with `/`.
  ///   - query: Names and values before encoding, in any order; to be sent as ``PercentEncoding/query(_:)`` writes them.
  ///   - headers: Those of the request, `host` among them, names in any case. All are signed but those that
  ///     proxies and clients change on the way.
  ///   - payloadHash: SHA-256 of the body in lowercase hex, or ``unsignedPayload``.
  ///   - time: Seconds since 1970 by the server's clock, which may differ from that of the answer by 15 minutes at most.
  public static func headers(
    method: String, path: String, query: [(String, String)], headers: [(String, String)], payloadHash: String,
    credentials: AWSCredentials, region: String, service: String = "s3", time: Int64
  ) -> [(String, String)] {
    let time = CivilTime(secondsSince1970: time)
    var added = [("x-amz-date", time.basic)]
    if service == "s3" { added.append(("x-amz-content-sha256", payloadHash)) }
    if let token = credentials.sessionToken { added.append(("x-amz-security-token", token)) }

    let request = CanonicalRequest(
      method: method, path: path, query: query, headers: headers + added, payloadHash: payloadHash)
    let scope = "\(time.date)/\(region)/\(service)/aws4_request"
    let digest = ObjectID(hashing: Array(request.text.utf8).span).hex
    let key = SigningKeyCache.shared.key(
      secret: credentials.secretAccessKey, date: time.date, region: region, service: service)
    let signature = key.signature(of: "AWS4-HMAC-SHA256\n\(time.basic)\n\(scope)\n\(digest)")
    added.append(
      (
        "authorization",
        "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(request.signedHeaders), "
          + "Signature=\(signature)"
      ))
    return added
  }
}
