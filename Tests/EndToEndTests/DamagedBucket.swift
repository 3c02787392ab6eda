import DVTesting
import Foundation
import SystemPackage
import Testing

/// A remote in a bucket, reached by another client than dv, to do to it what happens behind dv's back.
struct DamagedBucket {
  let server: TestServers.Kind
  let prefix: String

  /// Damages the largest pack.
  ///
  /// - Parameter damage: `truncate` or `delete`; `flip`, which leaves the length as it is; or `swap` with the second largest.
  func damageLargestPack(_ damage: String, _ sandbox: Sandbox) throws {
    try run(
      """
      packs = s3.list_objects_v2(Bucket=bucket, Prefix=prefix + '/packs/')['Contents']
      packs.sort(key=lambda pack: -pack['Size'])
      name = packs[0]['Key']
      body = s3.get_object(Bucket=bucket, Key=name)['Body'].read()
      if damage == 'delete':
          s3.delete_object(Bucket=bucket, Key=name)
      elif damage == 'swap':
          other = packs[1]['Key']
          s3.put_object(Bucket=bucket, Key=name, Body=s3.get_object(Bucket=bucket, Key=other)['Body'].read())
          s3.put_object(Bucket=bucket, Key=other, Body=body)
      elif damage == 'truncate':
          s3.put_object(Bucket=bucket, Key=name, Body=body[:len(body) // 2])
      else:
          # Every byte but the first and the last of a pack: wherever it is read, it is wrong.
          s3.put_object(Bucket=bucket, Key=name, Body=body[:64] + bytes(b ^ 1 for b in body[64:]))
      """, damage, sandbox)
  }

  /// How many objects of the remote hold these bytes as they are.
  func objects(holding bytes: [UInt8], _ sandbox: Sandbox) throws -> Int {
    let hex = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    let outcome = try run(
      """
      needle = bytes.fromhex(damage)
      pages = s3.get_paginator('list_objects_v2').paginate(Bucket=bucket, Prefix=prefix + '/')
      keys = [entry['Key'] for page in pages for entry in page.get('Contents', [])]
      print(sum(needle in s3.get_object(Bucket=bucket, Key=name)['Body'].read() for name in keys))
      """, hex, sandbox)
    return try #require(Int(outcome.text.trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  /// Runs Python with a client `s3` of the server, and `damage` as it is given.
  @discardableResult
  private func run(_ script: String, _ damage: String, _ sandbox: Sandbox) throws -> Sandbox.Outcome {
    let client = """
      import sys, boto3
      from botocore.config import Config
      endpoint, bucket, prefix, damage, key, secret = sys.argv[1:]
      s3 = boto3.client('s3', endpoint_url=endpoint, region_name='us-east-1', aws_access_key_id=key,
          aws_secret_access_key=secret, config=Config(s3={'addressing_style': 'path'},
          request_checksum_calculation='when_required', response_checksum_validation='when_required'))

      """
    let python = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(".build/servers/bin/python").path
    return try sandbox.run([
      Sandbox.Argument(python), "-c", Sandbox.Argument(client + script), Sandbox.Argument(try TestServers.url(of: server)),
      Sandbox.Argument(TestServers.bucket), Sandbox.Argument(prefix), Sandbox.Argument(damage),
      Sandbox.Argument(server.key), Sandbox.Argument(server.secret),
    ]).succeed()
  }
}
