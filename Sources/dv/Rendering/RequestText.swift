import DVBackend

/// What `--verbose` says about requests to remotes.
enum RequestText {
  /// Returns `12 requests (GET 7, LIST 3, PUT 2; 1 retry), 4.1 MB sent, 300 kB received.`, or `nil` if there were none.
  static func line(_ counts: RequestTally.Counts) -> String? {
    guard counts.total > 0 else { return nil }
    var kinds = RequestTally.Kind.allCases.compactMap { kind in
      counts.requests[kind].map { "\(kind.rawValue) \(Count(UInt64($0)))" }
    }.joined(separator: ", ")
    if counts.retries > 0 { kinds += "; \(Count(UInt64(counts.retries)).of("retry", plural: "retries"))" }
    return "\(Count(UInt64(counts.total)).of("request")) (\(kinds)), \(ByteCount(counts.sent)) sent, "
      + "\(ByteCount(counts.received)) received."
  }
}
