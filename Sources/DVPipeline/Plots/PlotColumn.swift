public import DVObject

/// The values of one column.
public enum PlotColumn: Hashable, Sendable {
  /// Where there is no number, NaN.
  case numbers([Double])
  case texts([String])

  /// The most characters of a text; of a longer one the start is taken.
  static let maximumTextLength = 200

  /// Takes values for numbers if all of them are, or nothing; else for texts.
  public init(_ values: [JSONValue?]) {
    var numbers: [Double] = []
    numbers.reserveCapacity(values.count)
    for value in values {
      guard let number = Self.number(value) else {
        self = .texts(values.map(Self.text))
        return
      }
      numbers.append(number)
    }
    self = .numbers(numbers)
  }

  public var count: Int {
    switch self {
    case .numbers(let values): values.count
    case .texts(let values): values.count
    }
  }

  public var isNumeric: Bool { if case .numbers = self { true } else { false } }

  /// The values as texts.
  public var labels: [String] {
    switch self {
    case .texts(let texts): texts
    case .numbers(let numbers): numbers.map { Self.text(.number($0)) }
    }
  }

  private static func number(_ value: JSONValue?) -> Double? {
    switch value {
    case nil, .null?: .nan
    case .integer(let value)?: Double(value)
    case .number(let value)?: value
    // As Python and spreadsheets write what is no number.
    case .string(let text)? where text.isEmpty || ["nan", "none", "null"].contains(text.lowercased()): .nan
    case .string(let text)?: Double(text)
    default: nil
    }
  }

  private static func text(_ value: JSONValue?) -> String {
    switch value {
    case nil, .null?: ""
    case .number(let number)? where number == number.rounded() && abs(number) < 1e15: String(Int64(number))
    case let value?: String(CommandLineText.plain(value).prefix(maximumTextLength))
    }
  }
}

