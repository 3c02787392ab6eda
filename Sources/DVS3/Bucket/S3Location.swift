import DVFile

/// A bucket and what the keys of a store in it begin with: `s3://bucket/prefix`.
public struct S3Location: Hashable, Sendable, CustomStringConvertible {
  public let bucket: String
  /// Empty, or without a slash at its start and with one at its end.
  public let prefix: String

  /// Reads a URL.
  ///
  /// A bucket's name becomes part of a host name, and so may hold nothing that would lead elsewhere.
  ///
  /// - Throws: ``S3Location/Malformed`` unless it is `s3://`, a bucket of 3 to 255 letters, digits, `.`, `-` and `_`,
  ///   and at most 400 bytes of prefix.
  public init(_ url: String) throws(Malformed) {
    guard url.hasPrefix("s3://") else { throw Malformed(url, "it must begin with 's3://'") }
    let rest = url.dropFirst(5)
    let bucket = rest.prefix { $0 != "/" }
    guard (3...255).contains(bucket.utf8.count), bucket.utf8.allSatisfy(Self.isBucketByte),
      bucket.first != ".", bucket.last != ".", bucket.first != "-"
    else { throw Malformed(url, "a bucket has 3 to 255 letters, digits, '.', '-' and '_'") }
    let parts = rest.dropFirst(bucket.count).split(separator: "/")
    let prefix = parts.map { $0 + "/" }.joined()
    guard prefix.utf8.count <= 400, !prefix.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
      throw Malformed(url, "its prefix has more than 400 bytes or control characters")
    }
    // What a server's file system or a proxy could take for another place.
    guard !parts.contains("."), !parts.contains("..") else { throw Malformed(url, "its prefix has a part '.' or '..'") }
    self.bucket = String(bucket)
    self.prefix = prefix
  }

  public var description: String { "s3://\(bucket)/\(prefix.dropLast())" }

  /// Whether the bucket can be the first part of a host name that a certificate for `*.host` covers.
  var isHostLabel: Bool {
    bucket.utf8.count <= 63 && !bucket.contains(".") && !bucket.contains("_") && bucket == bucket.lowercased()
  }

  private static func isBucketByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// Text that names no bucket.
  public struct Malformed: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ text: String, _ reason: String) {
      description = "'\(TerminalSafe.text(text))' is no bucket and prefix: \(reason)."
    }
  }
}
