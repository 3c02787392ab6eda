/// What a server can do beside the plain requests that every store takes.
///
/// Each only saves work or adds a check. What a server lacks is done without.
public struct S3Capabilities: Hashable, Sendable {
  /// Whether `If-None-Match: *` keeps what is there: a value is not written twice.
  public var refusesToReplace: Bool
  /// Whether the server compares a body with `x-amz-checksum-sha256`, keeps that and gives it back.
  public var keepsDigest: Bool
  /// Whether it compares a body with the digest that the request is signed with. Then this machine need not hash a second time
  /// what it sends.
  public var comparesDigest: Bool
  /// Whether the ETag of what one request stored is the MD5 of its bytes. Then a server that compares nothing itself still shows that
  /// they changed on the way.
  public var tagsByMD5: Bool
  /// Whether many keys can be deleted by one request.
  public var deletesInBatches: Bool
  /// Whether it sends ranges, and not always the whole.
  public var servesRanges: Bool

  public init(
    refusesToReplace: Bool, keepsDigest: Bool, comparesDigest: Bool, tagsByMD5: Bool, deletesInBatches: Bool, servesRanges: Bool
  ) {
    self.refusesToReplace = refusesToReplace
    self.keepsDigest = keepsDigest
    self.comparesDigest = comparesDigest
    self.tagsByMD5 = tagsByMD5
    self.deletesInBatches = deletesInBatches
    self.servesRanges = servesRanges
  }

  /// What is assumed without a probe: what AWS can do, but no check is left to the server.
  public static let untested = S3Capabilities(
    refusesToReplace: true, keepsDigest: true, comparesDigest: false, tagsByMD5: false, deletesInBatches: true, servesRanges: true)

  /// Whether a body that changes on its way to the server would go unnoticed but for its tag.
  var needsTags: Bool { tagsByMD5 && !comparesDigest && !keepsDigest }

  /// Whether requests may carry headers that a server can do without.
  var takesHints: Bool { refusesToReplace || keepsDigest }

  private static let names: [(String, any KeyPath<S3Capabilities, Bool> & Sendable)] = [
    ("refuses-to-replace", \.refusesToReplace), ("keeps-digest", \.keepsDigest), ("compares-digest", \.comparesDigest),
    ("tags-by-md5", \.tagsByMD5), ("deletes-in-batches", \.deletesInBatches), ("serves-ranges", \.servesRanges),
  ]

  /// What it can do, by name, for people and programs.
  public var list: [(name: String, has: Bool)] { Self.names.map { ($0.0, self[keyPath: $0.1]) } }
}

/// What was found out about a remote's server, and when.
///
///     dv-capabilities 1
///     url s3://bucket/prefix http://127.0.0.1:9000
///     time 1790000000
///     refuses-to-replace yes
///     keeps-digest no
///     …
///
/// Kept by each clone for itself; losing it costs nothing but what it saves.
public struct S3ProbeRecord: Hashable, Sendable {
  /// The bucket and the server, as ``S3Settings/identity`` writes them: about another one the record says nothing.
  public let identity: String
  /// Seconds since 1970, by this machine's clock.
  public let time: Int64
  public let capabilities: S3Capabilities

  public init(identity: String, time: Int64, capabilities: S3Capabilities) {
    self.identity = identity
    self.time = time
    self.capabilities = capabilities
  }

  public func encoded() -> [UInt8] {
    let lines = capabilities.list.map { "\($0.name) \($0.has ? "yes" : "no")\n" }.joined()
    return Array("dv-capabilities 1\nurl \(identity)\ntime \(time)\n\(lines)".utf8)
  }

  /// Reads a record; `nil` if it is damaged or of another version.
  public init?(decoding bytes: [UInt8]) {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    let names = S3Capabilities.untested.list.map(\.name)
    guard lines.count == names.count + 4, lines[0] == "dv-capabilities 1", lines[1].hasPrefix("url "),
      lines[2].hasPrefix("time "), let time = Int64(lines[2].dropFirst(5)), lines[lines.count - 1].isEmpty
    else { return nil }
    var answers: [Bool] = []
    for (line, name) in zip(lines[3...], names) {
      switch line {
      case "\(name) yes": answers.append(true)
      case "\(name) no": answers.append(false)
      default: return nil
      }
    }
    identity = String(lines[1].dropFirst(4))
    self.time = time
    capabilities = S3Capabilities(
      refusesToReplace: answers[0], keepsDigest: answers[1], comparesDigest: answers[2], tagsByMD5: answers[3],
      deletesInBatches: answers[4], servesRanges: answers[5])
  }
}

extension S3Settings {
  /// The bucket, the prefix and the server, as one line.
  public var identity: String { "\(location) \(endpoint.map(String.init(describing:)) ?? "aws")" }
}
