/// The body of an answer, about to be read as one kind of result.
struct S3Answer {
  private var reader: XMLReader
  private let what: String

  /// How many bytes of an answer are read if the caller does not say: 16 MiB. A listing of 1,000 keys has at most 4 MB.
  static let limit = 16 << 20

  /// - Parameter what: What it should be, for messages.
  init(_ body: [UInt8], limit: Int, what: String) throws(S3AnswerError) {
    self.what = what
    do { reader = try XMLReader(body, limit: limit) } catch { throw S3AnswerError(error, reading: what) }
  }

  /// Reads the whole document: `body` gets the reader inside the root element and the root's name, and reads it to its end.
  mutating func read<Result>(
    _ body: (inout XMLReader, String) throws(XMLError) -> Result
  ) throws(S3AnswerError) -> Result {
    do throws(XMLError) {
      let root = try reader.root()
      let result = try body(&reader, root)
      try reader.finish()
      return result
    } catch { throw S3AnswerError(error, reading: what) }
  }

  private enum Outcome<Result> {
    case result(Result)
    case error(S3ErrorBody)
  }

  /// Reads the whole document, whose root must be one of `roots`.
  ///
  /// - Throws: ``S3AnswerError/Code/failed(_:)`` if it is an error instead.
  mutating func read<Result>(
    roots: [String], _ body: (inout XMLReader, String) throws(XMLError) -> Result
  ) throws(S3AnswerError) -> Result {
    let outcome: Outcome<Result> = try read { (reader, root) throws(XMLError) in
      if roots.contains(root) { return .result(try body(&reader, root)) }
      if let error = try S3ErrorBody(&reader, root: root) { return .error(error) }
      throw reader.failure("'\(root)' is not what was asked for")
    }
    switch outcome {
    case .result(let result): return result
    case .error(let error): throw S3AnswerError(error)
    }
  }

  /// Reads the whole document, whose root must be `root`.
  ///
  /// - Throws: ``S3AnswerError/Code/failed(_:)`` if it is an error instead.
  mutating func read<Result>(
    root: String, _ body: (inout XMLReader) throws(XMLError) -> Result
  ) throws(S3AnswerError) -> Result {
    try read(roots: [root]) { (reader, _) throws(XMLError) in try body(&reader) }
  }
}

/// Reading the fields of a result.
extension XMLReader {
  /// Reads the text of the element just begun into `field`, which must not have been read before.
  mutating func readText(_ name: String, into field: inout String?) throws(XMLError) {
    guard field == nil else { throw failure("'\(name)' is given twice") }
    field = try text()
  }

  /// Reads `true` or `false`.
  mutating func readBool(_ name: String, into field: inout Bool?) throws(XMLError) {
    guard field == nil else { throw failure("'\(name)' is given twice") }
    switch Self.trimmed(try text()) {
    case "true": field = true
    case "false": field = false
    default: throw failure("'\(name)' is neither 'true' nor 'false'")
    }
  }

  /// Reads a number of bytes or of things.
  mutating func readCount(_ name: String, into field: inout UInt64?) throws(XMLError) {
    guard field == nil else { throw failure("'\(name)' is given twice") }
    let digits = Self.trimmed(try text())
    // A number's own parser would take a sign. More than 2^63 bytes are no size of anything.
    guard digits.utf8.first != UInt8(ascii: "+"), let value = UInt64(digits), value <= UInt64(Int64.max) else {
      throw failure("'\(name)' is no number from 0 to 2^63-1")
    }
    field = value
  }

  /// Reads a time as seconds since 1970.
  mutating func readTime(_ name: String, into field: inout Int64?) throws(XMLError) {
    guard field == nil else { throw failure("'\(name)' is given twice") }
    guard let time = CivilTime(iso8601: Self.trimmed(try text())) else { throw failure("'\(name)' is no time") }
    field = time.secondsSince1970
  }

  /// Returns a field that must have been given.
  func required<Value>(_ name: String, _ field: Value?) throws(XMLError) -> Value {
    guard let field else { throw failure("'\(name)' is missing") }
    return field
  }

  private static func trimmed(_ text: String) -> Substring {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\n" || $0 == "\t" }
    var rest = text.drop(while: isSpace)
    while let last = rest.last, isSpace(last) { rest.removeLast() }
    return rest
  }
}
