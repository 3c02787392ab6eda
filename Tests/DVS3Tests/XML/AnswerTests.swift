import DVS3
import Testing

@Suite struct AnswerTests {
  @Test func readsListings() throws {
    let page = try ListBucketResult(xml: Array(AnswerSamples.listing.utf8))
    #expect(page.nextToken == "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=")
    #expect(page.objects.map(\.key) == ["packs/a b+cä", "packs/b"])
    #expect(page.objects.map(\.size) == [434_234, 0])
    #expect(page.objects[0].etag == "fba9dede5f27731c9771645a39863328")
    #expect(page.objects[0].lastModified == 1_255_369_830)
    #expect(page.objects[0].storageClass == "STANDARD")
    #expect(page.objects[1].etag == nil && page.objects[1].lastModified == nil)
    #expect(page.commonPrefixes == ["packs/c d/"])

    // Without an encoding, keys are what they are.
    let plain = try ListBucketResult(
      xml: Array("<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a+%20</Key><Size>1</Size></Contents></ListBucketResult>".utf8))
    #expect(plain.objects.map(\.key) == ["a+%20"])
    #expect(plain.nextToken == nil)
  }

  /// A listing that says too little must never pass for a whole one.
  @Test(arguments: [
    "<IsTruncated>true</IsTruncated>",
    "<IsTruncated>true</IsTruncated><NextContinuationToken/>",
    "<IsTruncated>maybe</IsTruncated>",
    "<IsTruncated>false</IsTruncated><IsTruncated>false</IsTruncated>",
    "",
    "<IsTruncated>false</IsTruncated><Contents><Size>1</Size></Contents>",
    "<IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents>",
    "<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Key>b</Key><Size>1</Size></Contents>",
    "<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>-1</Size></Contents>",
    "<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>+1</Size></Contents>",
    "<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>1.5</Size></Contents>",
    "<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size/></Contents>",
    "<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>9223372036854775808</Size></Contents>",
    "<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>1</Size><LastModified>today</LastModified></Contents>",
    "<IsTruncated>false</IsTruncated><EncodingType>base64</EncodingType>",
    "<IsTruncated>false</IsTruncated><EncodingType>url</EncodingType><Contents><Key>%G0</Key><Size>1</Size></Contents>",
    "<IsTruncated>false</IsTruncated><EncodingType>url</EncodingType><Contents><Key>%FF</Key><Size>1</Size></Contents>",
    "<IsTruncated>false</IsTruncated><CommonPrefixes/>",
  ])
  func refusesListingsThatMakeNoSense(content: String) {
    expectMalformed { () throws(S3AnswerError) in
      try ListBucketResult(xml: Array("<ListBucketResult>\(content)</ListBucketResult>".utf8))
    }
  }

  @Test func readsUploads() throws {
    let page = try ListMultipartUploadsResult(xml: Array(AnswerSamples.uploads.utf8))
    #expect(page.uploads.map(\.key) == ["packs/a"])
    #expect(page.uploads.map(\.uploadID) == ["VXBsb2Fk"])
    #expect(page.uploads.map(\.initiated) == [1_289_422_113])
    #expect(page.next?.key == "b" && page.next?.uploadID == "YW55")
    #expect(try InitiateMultipartUploadResult(xml: Array(AnswerSamples.initiated.utf8)).uploadID == "VXBsb2Fk")
    #expect(try CompleteMultipartUploadResult(xml: Array(AnswerSamples.completed.utf8)).etag == "3858f622-2")
    for text in ["<IsTruncated>true</IsTruncated>", "<IsTruncated>false</IsTruncated><Upload><Key>a</Key></Upload>"] {
      expectMalformed { () throws(S3AnswerError) in
        try ListMultipartUploadsResult(xml: Array("<ListMultipartUploadsResult>\(text)</ListMultipartUploadsResult>".utf8))
      }
    }
    expectMalformed { () throws(S3AnswerError) in
      try InitiateMultipartUploadResult(
        xml: Array("<InitiateMultipartUploadResult><UploadId/></InitiateMultipartUploadResult>".utf8))
    }
    expectMalformed { () throws(S3AnswerError) in
      try CompleteMultipartUploadResult(xml: Array("<CompleteMultipartUploadResult/>".utf8))
    }
  }

  /// As rclone 1.75's `serve s3` answers: an element of another name, and no word on whether there is more if there is not.
  @Test func readsWhatOtherServersMakeOfUploads() throws {
    let initiated = "<InitiateMultipartUpload>\n  <Bucket>lab</Bucket>\n  <Key>up</Key>\n  <UploadId>26897cec</UploadId>\n</InitiateMultipartUpload>"
    #expect(try InitiateMultipartUploadResult(xml: Array(initiated.utf8)).uploadID == "26897cec")
    func uploads(_ more: String) throws -> ListMultipartUploadsResult {
      let upload = "<Upload><Key>up</Key><UploadId>26897cec</UploadId><Initiated>2026-11-25T04:01:09.11Z</Initiated></Upload>"
      return try ListMultipartUploadsResult(
        xml: Array("<ListMultipartUploadsResult><MaxUploads>1000</MaxUploads>\(more)\(upload)</ListMultipartUploadsResult>".utf8))
    }
    #expect(try uploads("").uploads.map(\.key) == ["up"] && uploads("").next == nil)
    #expect(try uploads("<NextKeyMarker>up</NextKeyMarker>").next?.key == "up")
    let completed = "<CompleteMultipartUploadResult><Location></Location><ETag>&#34;1819d1a8-1&#34;</ETag></CompleteMultipartUploadResult>"
    #expect(try CompleteMultipartUploadResult(xml: Array(completed.utf8)).etag == "1819d1a8-1")
  }

  @Test func readsDeletions() throws {
    let result = try DeleteResult(xml: Array(AnswerSamples.deleted.utf8))
    #expect(result.deleted == ["a"])
    #expect(result.failures.map(\.description) == ["'b': AccessDenied: Access Denied"])
    #expect(try DeleteResult(xml: Array("<DeleteResult/>".utf8)) == DeleteResult(xml: Array("<DeleteResult></DeleteResult>".utf8)))
    expectMalformed { () throws(S3AnswerError) in
      try DeleteResult(xml: Array("<DeleteResult><Error><Key>b</Key></Error></DeleteResult>".utf8))
    }
  }

  @Test func readsErrors() throws {
    let error = try S3ErrorBody(xml: Array(AnswerSamples.error.utf8))
    #expect(error.code == "PermanentRedirect" && error.message == "Ask elsewhere")
    #expect(error.region == "eu-central-1" && error.endpoint == "lab.s3.eu-central-1.amazonaws.com")
    #expect(error.requestID == "4442587FB7D0A2F9" && error.hostID == "host")
    #expect(error.description == "PermanentRedirect: Ask elsewhere")
    #expect(try S3ErrorBody(xml: Array(AnswerSamples.refused.utf8)).code == "AccessDenied")
    #expect(try S3ErrorBody(xml: Array("<Error><Code>SlowDown</Code></Error>".utf8)).description == "SlowDown")
    // What a server says is shown, and not obeyed by the terminal; a novel is cut.
    #expect(try S3ErrorBody(xml: Array("<Error><Code>A</Code><Message>b\u{202E}\nc</Message></Error>".utf8)).description == "A: b\\u{202E}\\nc")
    let novel = String(repeating: "x", count: 10_000)
    #expect(try S3ErrorBody(xml: Array("<Error><Code>A</Code><Message>\(novel)</Message></Error>".utf8)).description.count < 500)
    for text in ["<Error/>", "<Error><Code/></Error>", "<ErrorResponse/>", "<html/>", ""] {
      expectMalformed { () throws(S3AnswerError) in try S3ErrorBody(xml: Array(text.utf8)) }
    }
  }

  /// S3 sends the status before it has finished: an error may come with `200`.
  @Test func takesAnErrorForAnErrorWhateverTheStatusWas() throws {
    let body = Array("\n<Error><Code>InternalError</Code><Message>Try again</Message></Error>".utf8)
    for decode in AnswerSamples.decoders where (try? decode(body)) == nil {
      do {
        try decode(body)
      } catch let error as S3AnswerError {
        guard case .failed(let found) = error.code else {
          Issue.record("\(error)")
          continue
        }
        #expect(found.code == "InternalError" && error.message == "InternalError: Try again")
      }
    }
    expectMalformed { () throws(S3AnswerError) in try ListBucketResult(xml: Array("<html></html>".utf8)) }
  }

  @Test func readsTemporaryCredentials() throws {
    let result = try AssumeRoleResult(xml: Array(AnswerSamples.assumed.utf8))
    #expect(
      result.credentials
        == AWSCredentials(
          accessKeyID: "ASIAIOSFODNN7EXAMPLE", secretAccessKey: "hush-secret", sessionToken: "hush-token",
          expiration: 1_893_459_600))
    let web = AnswerSamples.assumed.replacing("AssumeRole", with: "AssumeRoleWithWebIdentity")
    #expect(try AssumeRoleResult(xml: Array(web.utf8)) == result)
    for part in ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"] {
      let text = AnswerSamples.assumed.replacing("<\(part)>", with: "<X>").replacing("</\(part)>", with: "</X>")
      expectMalformed { () throws(S3AnswerError) in try AssumeRoleResult(xml: Array(text.utf8)) }
    }
    // Neither the answer nor an error about it shows what must stay secret.
    #expect(!"\(result) \(String(reflecting: result))".contains("hush"))
    let broken = Array(AnswerSamples.assumed.replacing("2030", with: "hush").utf8)
    do throws(S3AnswerError) {
      _ = try AssumeRoleResult(xml: broken)
      Issue.record("expected an error")
    } catch { #expect(!"\(error)".contains("hush")) }
  }

  @Test func refusesWhatIsTooLarge() {
    expectMalformed { () throws(S3AnswerError) in try ListBucketResult(xml: Array(AnswerSamples.listing.utf8), limit: 100) }
  }

  private func expectMalformed<Value>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws(S3AnswerError) -> Value
  ) {
    do throws(S3AnswerError) {
      _ = try body()
      Issue.record("expected an error", sourceLocation: sourceLocation)
    } catch {
      if case .failed = error.code { Issue.record("\(error)", sourceLocation: sourceLocation) }
      #expect(error.message.contains("malformed at byte"), sourceLocation: sourceLocation)
    }
  }
}
