/// Answers on their way to standard output, written some hundred kilobytes at a time: a list of a million entries needs
/// no memory, and a short one is written when all is known.
struct OutputBuffer: Sendable {
  private var bytes: [UInt8] = []
  private static let limit = 256 << 10

  /// Adds `text`; writes what has gathered if it is much.
  mutating func append(_ text: some Sequence<UInt8>) throws {
    bytes.append(contentsOf: text)
    if bytes.count >= Self.limit { try flush() }
  }

  mutating func append(_ text: String) throws { try append(text.utf8) }

  /// Writes what is left.
  mutating func flush() throws {
    guard !bytes.isEmpty else { return }
    try StandardOutput.write(bytes: bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}

/// A JSON object with one long array, written as its elements come.
struct JSONList: Sendable {
  private var output = OutputBuffer()
  private var isEmpty = true

  /// Begins the object with its schema and the array `key`.
  init(schema: String, _ key: String) throws {
    var json = JSONText()
    json.object { json in
      json.member("schema", schema)
      json.array(key) { _ in }
    }
    // Without the end of the array and of the object.
    try output.append(json.bytes.dropLast(2))
  }

  /// Adds an object to the array.
  mutating func append(_ body: (inout JSONText) -> Void) throws {
    var json = JSONText()
    json.object(body)
    if !isEmpty { try output.append(",") }
    isEmpty = false
    try output.append(json.bytes)
  }

  /// Ends the array and, after further members, the object.
  mutating func finish(_ members: (inout JSONText) -> Void = { _ in }) throws {
    var json = JSONText()
    json.object(members)
    try output.append("]")
    // `{}` or `{"…`: the brace was written at the start.
    if json.bytes.count > 2 { try output.append(",") }
    try output.append(json.bytes.dropFirst())
    try output.append("\n")
    try output.flush()
  }
}
