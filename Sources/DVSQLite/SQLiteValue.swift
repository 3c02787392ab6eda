/// A value for a parameter of a statement.
public enum SQLiteValue: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
  case null
  case integer(Int64)
  case text(String)
  case blob([UInt8])

  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(stringLiteral value: String) { self = .text(value) }
  public init(nilLiteral: ()) { self = .null }

  /// A text, or null.
  public static func optional(_ text: String?) -> SQLiteValue { text.map { .text($0) } ?? .null }
  /// A number, or null.
  public static func optional(_ number: Int64?) -> SQLiteValue { number.map { .integer($0) } ?? .null }
  /// Bytes, or null.
  public static func optional(_ bytes: [UInt8]?) -> SQLiteValue { bytes.map { .blob($0) } ?? .null }
}
