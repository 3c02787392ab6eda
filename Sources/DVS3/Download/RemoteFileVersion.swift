/// What a server says of a value, by which it is known again.
public struct RemoteFileVersion: Hashable, Sendable {
  /// The entity tag as the server writes it.
  public var tag: String?
  /// When it was changed last, as the server writes it.
  public var modified: String?
  /// In bytes.
  public var size: UInt64?

  public init(tag: String? = nil, modified: String? = nil, size: UInt64? = nil) {
    self.tag = tag
    self.modified = modified
    self.size = size
  }

  /// Reads it from the headers of an answer of status 200 or 206, or to HEAD.
  init(_ reply: HTTPReply) {
    tag = reply.header("etag")
    modified = reply.header("last-modified")
    if let range = reply.header("content-range") {
      size = range.split(separator: "/").last.flatMap { UInt64($0) }
    } else {
      size = reply.header("content-length").flatMap { UInt64($0) }
    }
  }

  /// What a request for the rest of a value names, so that the server sends all of another one: a strong tag or, with less
  /// certainty, a time (RFC 9110, 13.1.5).
  var condition: String? {
    if let tag { return tag.hasPrefix("W/") ? nil : tag }
    return modified
  }
}
