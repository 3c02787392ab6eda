/// Where a bucket is and how its requests are made; without credentials.
public struct S3Settings: Hashable, Sendable {
  /// How a bucket is named in a URL.
  public enum Addressing: String, Hashable, Sendable, CaseIterable {
    /// By the host on AWS, unless the bucket's name cannot be part of one; by the path everywhere else.
    case automatic = "auto"
    case path
    case virtual
  }

  /// How the server encrypts what it stores.
  public enum Encryption: Hashable, Sendable {
    case s3
    /// With a key of the key management service; its own standard key if none is named.
    case kms(key: String?)
  }

  public var location: S3Location
  /// The server; `nil` for AWS.
  public var endpoint: HTTPEndpoint?
  /// The region to sign for; `nil` if it is not known, when `us-east-1` is tried and the server's answer followed.
  public var region: String?
  public var addressing = Addressing.automatic
  public var encryption: Encryption?
  public var storageClass: String?
  /// Whether whoever asks pays for the answers.
  public var requesterPays = false
  /// Whether requests go unsigned.
  public var isAnonymous = false
  public var http = HTTPSettings()
  /// Above how many bytes a file is stored in parts.
  public var multipartLimit: UInt64 = 256 << 20

  public init(location: S3Location, endpoint: HTTPEndpoint? = nil, region: String? = nil) {
    self.location = location
    self.endpoint = endpoint
    self.region = region
  }

  /// Whether `name` can be a region: it becomes part of AWS's host names.
  public static func isRegion(_ name: String) -> Bool {
    (1...32).contains(name.utf8.count) && name.first != "-" && name.last != "-"
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
      }
  }

  /// Whether `text` can be sent as the value of a header: a key's name, a storage class.
  public static func isHeaderValue(_ text: String) -> Bool {
    (1...2048).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
  }

  /// The server's own URL, for a region on AWS.
  func server(region: String) -> HTTPEndpoint {
    if let endpoint { return endpoint }
    return HTTPEndpoint(secureHost: "s3.\(region).\(AWSEndpoint.domain(ofRegion: region))")
  }

  /// Where requests about the bucket go: scheme and host, and the path that the key follows, encoded, ending with `/`.
  func base(region: String) -> (origin: String, authority: String, path: String) {
    let server = server(region: region)
    let usesHost =
      switch addressing {
      case .path: false
      case .virtual: true
      case .automatic: endpoint == nil && location.isHostLabel
      }
    if usesHost, !server.isAddress {
      let authority = "\(location.bucket).\(server.authority)"
      return (server.origin(of: authority), authority, server.path + "/")
    }
    return (server.origin, server.authority, "\(server.path)/\(PercentEncoding.path(location.bucket))/")
  }
}
