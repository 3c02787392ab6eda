@testable import DVS3

/// Answers as servers give them.
enum AnswerSamples {
  static let listing = """
    <?xml version="1.0" encoding="UTF-8"?>
    <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>lab</Name><Prefix>packs%2F</Prefix>
    <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken><KeyCount>2</KeyCount>
    <MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>
    <Contents><Key>packs/a+b%2Bc%C3%A4</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>
    <ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size><StorageClass>STANDARD</StorageClass>
    <Owner><ID>75aa57f0</ID><DisplayName>lab</DisplayName></Owner><ChecksumAlgorithm>SHA256</ChecksumAlgorithm></Contents>
    <Contents><Key>packs/b</Key><Size>0</Size></Contents>
    <CommonPrefixes><Prefix>packs/c%20d/</Prefix></CommonPrefixes></ListBucketResult>
    """

  static let uploads = """
    <ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>lab</Bucket><KeyMarker/>
    <NextKeyMarker>b</NextKeyMarker><NextUploadIdMarker>YW55</NextUploadIdMarker><MaxUploads>1</MaxUploads>
    <IsTruncated>true</IsTruncated><Upload><Key>packs/a</Key><UploadId>VXBsb2Fk</UploadId>
    <Initiator><ID>arn</ID></Initiator><Initiated>2010-11-10T20:48:33.000Z</Initiated></Upload></ListMultipartUploadsResult>
    """

  static let initiated = """
    <?xml version="1.0" encoding="UTF-8"?>
    <InitiateMultipartUploadResult><Bucket>lab</Bucket><Key>packs/a</Key><UploadId>VXBsb2Fk</UploadId></InitiateMultipartUploadResult>
    """

  static let completed = """
    \n   <?xml version="1.0" encoding="UTF-8"?>
    <CompleteMultipartUploadResult><Location>http://lab/packs/a</Location><ETag>"3858f622-2"</ETag></CompleteMultipartUploadResult>
    """

  static let deleted = """
    <DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Deleted><Key>a</Key></Deleted>
    <Error><Key>b</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>
    """

  static let error = """
    <?xml version="1.0" encoding="UTF-8"?>
    <Error><Code>PermanentRedirect</Code><Message>Ask elsewhere</Message><Bucket>lab</Bucket><Endpoint>lab.s3.eu-central-1.amazonaws.com</Endpoint>
    <RequestId>4442587FB7D0A2F9</RequestId><HostId>host</HostId><Region>eu-central-1</Region></Error>
    """

  static let assumed = """
    <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><Arn>arn</Arn></AssumedRoleUser>
    <Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>hush-secret</SecretAccessKey>
    <SessionToken>hush-token</SessionToken><Expiration>2030-01-01T01:00:00Z</Expiration></Credentials></AssumeRoleResult>
    <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleResponse>
    """

  static let refused = """
    <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>
    <Message>User is not authorized</Message></Error><RequestId>1</RequestId></ErrorResponse>
    """

  static let all = [listing, uploads, initiated, completed, deleted, error, assumed, refused]

  static let decoders: [@Sendable ([UInt8]) throws -> Void] = [
    { _ = try ListBucketResult(xml: $0) }, { _ = try ListMultipartUploadsResult(xml: $0) },
    { _ = try InitiateMultipartUploadResult(xml: $0) }, { _ = try CompleteMultipartUploadResult(xml: $0) },
    { _ = try DeleteResult(xml: $0) }, { _ = try S3ErrorBody(xml: $0) }, { _ = try AssumeRoleResult(xml: $0) },
  ]
}
