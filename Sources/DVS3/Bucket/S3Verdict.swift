import DVFile

/// What an answer of an S3 server means.
///
/// One table for all stores: they agree on the codes of errors, and differ in which status comes with them, so that the code
/// decides where there is one.
enum S3Verdict: Hashable, Sendable {
  case success
  /// Nothing is stored under the key.
  case absent
  /// A condition does not hold: the key is there already.
  case exists
  /// The range begins behind the last byte.
  case outOfRange
  case noBucket
  case again(reason: String, isCongested: Bool)
  /// The bucket is in another region.
  case otherRegion(String)
  /// The credentials' term is over.
  case expired
  /// The clock of this machine is wrong.
  case skewed
  case denied(reason: String)
  /// The server does not know what was asked of it.
  case unsupported(reason: String)
  /// The body that arrived has another digest than was announced.
  case otherDigest(reason: String)
  case noSpace(reason: String)
  case refused(reason: String)

  /// Reads an answer.
  ///
  /// - Parameters:
  ///   - carriesObject: whether the body of a success is what somebody stored, which may look like anything.
  ///   - region: what the request was signed for.
  ///   - skew: by how many seconds the server's `Date` is ahead of the time the request was signed with.
  init(_ reply: HTTPReply, carriesObject: Bool, region: String, skew: Int64) {
    let body = reply.body.isEmpty || carriesObject && reply.status == 206 ? nil : S3ErrorBody.ifAny(in: reply.body)
    if (200..<300).contains(reply.status) {
      // Some requests take so long that the server says 200 before it knows how they end.
      guard let body else {
        self = .success
        return
      }
      let isSlow = ["SlowDown", "ServiceUnavailable", "Throttling"].contains(body.code)
      self = .again(reason: Self.text(reply, body), isCongested: isSlow)
      return
    }
    let text = Self.text(reply, body)
    if let other = reply.header("x-amz-bucket-region") ?? body?.region, other != region, S3Settings.isRegion(other),
      [301, 302, 307, 308, 400, 403].contains(reply.status)
    {
      self = .otherRegion(other)
      return
    }
    if let verdict = Self.byCode(body?.code ?? "", text) {
      self = verdict
      return
    }
    switch reply.status {
    case 300..<400:
      let target = reply.header("location").map { " to '\(TerminalSafe.text(String($0.prefix(200))))'" } ?? ""
      self = .refused(reason: "the server points\(target). Set the endpoint and region of the remote accordingly")
    // The answer to HEAD has no code.
    case _ where [401, 403].contains(reply.status) && abs(skew) > 600: self = .skewed
    case 400 where body == nil: self = .expired
    case 401, 403: self = .denied(reason: text)
    case 404: self = .absent
    case 405, 501: self = .unsupported(reason: text)
    case 408, 500, 502, 504: self = .again(reason: text, isCongested: false)
    case 429, 503, 509: self = .again(reason: text, isCongested: true)
    case 409, 425: self = .again(reason: text, isCongested: false)
    case 412: self = .exists
    case 416: self = .outOfRange
    case 507: self = .noSpace(reason: text)
    // Numbers of their own, which proxies before the server use for "not now".
    case 520..<600: self = .again(reason: text, isCongested: false)
    default: self = .refused(reason: text)
    }
  }

  private static func byCode(_ code: String, _ text: String) -> S3Verdict? {
    switch code {
    case "NoSuchBucket": .noBucket
    case "NoSuchKey", "NotFound", "NoSuchVersion": .absent
    case "PreconditionFailed": .exists
    case "InvalidRange": .outOfRange
    case "SlowDown", "SlowDownRead", "SlowDownWrite", "Throttling", "ThrottlingException", "RequestLimitExceeded",
      "TooManyRequests", "ServiceUnavailable", "Busy", "BandwidthLimitExceeded":
      .again(reason: text, isCongested: true)
    case "InternalError", "OperationAborted", "ConditionalRequestConflict", "RequestTimeout", "IncompleteBody":
      .again(reason: text, isCongested: false)
    case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken", "RequestExpired": .expired
    case "RequestTimeTooSkewed", "RequestInTheFuture": .skewed
    case "XAmzContentSHA256Mismatch", "BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch":
      .otherDigest(reason: text)
    case "NotImplemented", "MethodNotAllowed": .unsupported(reason: text)
    case "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "StorageFull": .noSpace(reason: text)
    case "AccessDenied", "AllAccessDisabled", "AccountProblem", "InvalidAccessKeyId", "SignatureDoesNotMatch",
      "InvalidSecurity", "NotSignedUp", "UnauthorizedAccess", "InvalidObjectState":
      .denied(reason: text)
    default: nil
    }
  }

  /// What the server said, as it can be shown.
  private static func text(_ reply: HTTPReply, _ body: S3ErrorBody?) -> String {
    guard let body else { return "the server answered \(reply.status)" }
    return "the server answered \(reply.status) \(body)"
  }
}

extension S3ErrorBody {
  /// Returns the error that `bytes` hold, or `nil` if they hold something else.
  static func ifAny(in bytes: [UInt8]) -> S3ErrorBody? {
    // Only what begins as XML does is parsed.
    guard bytes.count <= 64 << 10, bytes.first(where: { $0 > 0x20 && $0 < 0x80 }) == UInt8(ascii: "<") else { return nil }
    return try? S3ErrorBody(xml: bytes)
  }
}

extension HTTPReply {
  /// How long the server asks to wait before the next try.
  var retryAfter: Duration? {
    guard let text = header("retry-after"), let seconds = UInt16(text) else { return nil }
    return .seconds(Int64(seconds))
  }

  /// The server's time, in seconds since 1970.
  var date: Int64? { header("date").flatMap { CivilTime(httpDate: $0)?.secondsSince1970 } }
}
