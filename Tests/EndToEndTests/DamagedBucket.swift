import DVTesting
import Foundation
import SystemPackage
import Testing

/// A remote in a bucket, reached by another client than dv, to do to it what happens behind dv's back.
struct DamagedBucket {
  let endpoint: String
  let prefix: String

  /// Damages the largest pack.
  ///
  /// - Parameter damage: `truncate`, `delete` or `flip`, which leaves the length as it is.
  func damageFirstPack(_ damage: String, _ sandbox: Sandbox) throws {
    let script = """
      import sys, boto3
      from botocore.config import Config
      endpoint, bucket, prefix, damage, key, secret = sys.argv[1:]
      s3 = boto3.client('s3', endpoint_url=endpoint, region_name='us-east-1', aws_access_key_id=key,
          aws_secret_access_key=secret, config=Config(s3={'addressing_style': 'path'},
          request_checksum_calculation='when_required', response_checksum_validation='when_required'))
      packs = s3.list_objects_v2(Bucket=bucket, Prefix=prefix + '/packs/')['Contents']
      name = max(packs, key=lambda pack: pack['Size'])['Key']
      body = s3.get_object(Bucket=bucket, Key=name)['Body'].read()
      if damage == 'delete':
          s3.delete_object(Bucket=bucket, Key=name)
      elif damage == 'truncate':
          s3.put_object(Bucket=bucket, Key=name, Body=body[:len(body) // 2])
      else:
          # Every byte but the first and the last of a pack: wherever it is read, it is wrong.
          s3.put_object(Bucket=bucket, Key=name, Body=body[:64] + bytes(b ^ 1 for b in body[64:]))
      """
    let python = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(".build/servers/bin/python").path
    try sandbox.run([
      Sandbox.Argument(python), "-c", Sandbox.Argument(script), Sandbox.Argument(endpoint),
      Sandbox.Argument(TestServers.bucket), Sandbox.Argument(prefix), Sandbox.Argument(damage),
      Sandbox.Argument(TestServers.key), Sandbox.Argument(TestServers.secret),
    ]).succeed()
  }
}
