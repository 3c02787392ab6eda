import Testing

@testable import DVS3

@Suite struct S3VerdictTests {
  private func verdict(_ reply: HTTPReply, carriesObject: Bool = false, skew: Int64 = 0) -> S3Verdict {
    S3Verdict(reply, carriesObject: carriesObject, region: "us-east-1", skew: skew)
  }

  @Test(arguments: [
    (200, S3Verdict.success), (204, .success), (206, .success), (404, .absent), (412, .exists), (416, .outOfRange),
  ])
  func plainStatuses(status: Int, expected: S3Verdict) {
    #expect(verdict(HTTPReply(status)) == expected)
  }

  @Test(arguments: [
    (500, "InternalError", false), (503, "SlowDown", true), (503, "ServiceUnavailable", true), (429, "TooManyRequests", true),
    (409, "OperationAborted", false), (409, "ConditionalRequestConflict", false), (400, "RequestTimeout", false),
    (400, "IncompleteBody", false), (200, "InternalError", false), (200, "SlowDown", true),
  ])
  func whatIsTriedAgain(status: Int, code: String, isCongested: Bool) {
    guard case .again(_, isCongested) = verdict(.error(status, code)) else {
      Issue.record("\(status) \(code) is \(verdict(.error(status, code)))")
      return
    }
  }

  @Test(arguments: [408, 429, 500, 502, 503, 504, 409, 520])
  func whatIsTriedAgainWithoutABody(status: Int) {
    guard case .again = verdict(HTTPReply(status)) else {
      Issue.record("\(status) is \(verdict(HTTPReply(status)))")
      return
    }
  }

  @Test(arguments: [(403, "AccessDenied"), (403, "SignatureDoesNotMatch"), (403, "InvalidAccessKeyId"), (403, "Whatever")])
  func whatIsDenied(status: Int, code: String) {
    guard case .denied(let reason) = verdict(.error(status, code)) else {
      Issue.record("\(status) \(code) is \(verdict(.error(status, code)))")
      return
    }
    #expect(reason.contains(code))
  }

  @Test func whatCanBePutRight() {
    #expect(verdict(.error(400, "ExpiredToken")) == .expired)
    #expect(verdict(.error(403, "ExpiredToken")) == .expired)
    #expect(verdict(.error(403, "RequestTimeTooSkewed")) == .skewed)
    #expect(verdict(HTTPReply(403), skew: 1000) == .skewed)
    #expect(verdict(HTTPReply(403, [("x-amz-bucket-region", "eu-west-1")])) == .otherRegion("eu-west-1"))
    #expect(verdict(.error(301, "PermanentRedirect", headers: [("x-amz-bucket-region", "eu-west-1")])) == .otherRegion("eu-west-1"))
    #expect(
      verdict(.error(400, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>")) == .otherRegion("eu-central-1"))
  }

  /// A region becomes part of a host name: an answer must not lead elsewhere.
  @Test(arguments: ["evil.com/", "a.b", "x@y", "", "ü"])
  func regionsThatLeadElsewhereAreNotFollowed(region: String) {
    if case .otherRegion = verdict(HTTPReply(301, [("x-amz-bucket-region", region)])) { Issue.record("\(region)") }
  }

  /// What is stored may look like an error and is none; the range says that it is what was asked for.
  @Test func storedErrorsAreBytes() {
    #expect(verdict(.error(206, "InternalError"), carriesObject: true) == .success)
    guard case .again = verdict(.error(200, "InternalError"), carriesObject: true) else {
      Issue.record("an error in place of the whole")
      return
    }
  }

  @Test func bucketsAndSpace() {
    #expect(verdict(.error(404, "NoSuchBucket")) == .noBucket)
    #expect(verdict(.error(404, "NoSuchKey")) == .absent)
    guard case .noSpace = verdict(.error(403, "QuotaExceeded")) else {
      Issue.record("quota")
      return
    }
    guard case .unsupported = verdict(.error(501, "NotImplemented")) else {
      Issue.record("not implemented")
      return
    }
  }
}
