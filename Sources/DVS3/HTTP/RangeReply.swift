/// The answer to a request for a range, checked against what was asked.
struct RangeReply: Sendable {
  let bytes: [UInt8]
  /// Bytes of the whole value.
  let total: UInt64
  /// Why the answer is none, so that it must be asked for again.
  let problem: String?

  /// Reads an answer of success: 206 with the range, or 200 with everything from a server that knows no ranges.
  init(_ reply: HTTPReply, asked: Range<UInt64>) {
    if reply.status == 200 {
      total = UInt64(reply.body.count)
      let start = min(asked.lowerBound, total)
      bytes = Array(reply.body[Int(start)..<Int(min(asked.upperBound, total))])
      problem = nil
      return
    }
    bytes = reply.body
    guard reply.status == 206, let text = reply.header("content-range"), let range = Self.parse(text) else {
      (total, problem) = (0, "the answer to a range has status \(reply.status) and no range")
      return
    }
    total = range.total
    let end = min(asked.upperBound, range.total)
    if range.first != asked.lowerBound || range.last + 1 != end {
      problem = "the answer has another range than was asked for"
    } else if UInt64(bytes.count) != end - asked.lowerBound {
      problem = "the answer has \(bytes.count) of \(end - asked.lowerBound) bytes"
    } else {
      problem = nil
    }
  }

  /// Reads `bytes 0-99/1234`.
  private static func parse(_ text: String) -> (first: UInt64, last: UInt64, total: UInt64)? {
    guard text.hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let total = UInt64(parts[1]), total < 1 << 62 else { return nil }
    let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let first = UInt64(ends[0]), let last = UInt64(ends[1]), first <= last, last < total else {
      return nil
    }
    return (first, last, total)
  }
}
