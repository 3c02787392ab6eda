/// A request in the one form that client and server both compute and compare by its signature.
struct CanonicalRequest {
  /// The names of the headers that count, in lower case, sorted, with `;` between.
  let signedHeaders: String
  let text: String

  /// Headers that what lies between client and server adds, removes or rewrites, so that signing them breaks requests.
  /// (Google's storage rewrites `accept-encoding`, load balancers the last three.)
  private static let unsigned: Set<String> = [
    "authorization", "user-agent", "accept-encoding", "expect", "connection", "transfer-encoding", "te", "via",
    "x-amzn-trace-id", "x-forwarded-for",
  ]

  init(
    method: String, path: String, query: [(String, String)], headers: [(String, String)], payloadHash: String
  ) {
    var values: [String: [String]] = [:]
    for (name, value) in headers {
      let name = name.lowercased()
      if !Self.unsigned.contains(name) { values[name, default: []].append(Self.trimmed(value)) }
    }
    // Header names are ASCII, where strings compare as their bytes do.
    let sorted = values.sorted { $0.key < $1.key }
    signedHeaders = sorted.map(\.key).joined(separator: ";")
    let lines = sorted.map { "\($0.key):\($0.value.joined(separator: ","))\n" }.joined()
    text = "\(method)\n\(path)\n\(PercentEncoding.query(query))\n\(lines)\n\(signedHeaders)\n\(payloadHash)"
  }

  /// Returns `value` without spaces at its ends and with one where several follow each other.
  private static func trimmed(_ value: String) -> String {
    value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
  }
}
