/// A value as JSON, YAML and TOML have them: what parameters, metrics and records are made of.
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)
}

extension JSONValue {
  /// What kind of value this is, for messages: "a list", "a number".
  public var kindText: String {
    switch self {
    case .null: "nothing"
    case .bool: "true or false"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "text"
    case .array: "a list"
    case .object: "a mapping"
    }
  }

  public var string: String? { if case .string(let text) = self { text } else { nil } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  public var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
  public var object: JSONObject? { if case .object(let object) = self { object } else { nil } }

  /// The value as a floating-point number, if it is one or an integer.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// Whether text is the digits of a whole number as JSON writes it, and not 0.
  public static func isWhole(_ text: String) -> Bool {
    let digits = text.hasPrefix("-") ? text.dropFirst() : Substring(text)
    return !digits.isEmpty && digits.first != "0" && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  /// Returns what decimal digits, with a sign or without, stand for, and rounds nothing.
  ///
  /// - Returns: an integer if 64 bits hold it, the number whose shortest digits these are, else the digits as text: as the canonical
  ///   encoding has whole numbers that others might read as another.
  public static func whole(_ digits: String) -> JSONValue {
    if let value = Int64(digits) { return .integer(value) }
    if let number = Double(digits), number.isFinite, NumberText.text(of: number) == digits { return .number(number) }
    return .string(digits)
  }

  /// The member `key`, if this is an object that has it.
  public subscript(key: String) -> JSONValue? { object?[key] }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByFloatLiteral
{
  public init(stringLiteral text: String) { self = .string(text) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(arrayLiteral values: JSONValue...) { self = .array(values) }
  public init(dictionaryLiteral members: (String, JSONValue)...) {
    var object = JSONObject()
    for (key, value) in members { object[key] = value }
    self = .object(object)
  }
}
