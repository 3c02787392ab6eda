/// Reads text of fixed form, as of pointers and records, from front to back. What does not fit is not gone past.
public struct TextCursor {
  private let bytes: [UInt8]
  private var position = 0

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Bytes that were not read yet.
  public var rest: Int { bytes.count - position }

  /// Goes past `text` if it comes next.
  public mutating func takes(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard rest >= count else { return false }
    let isNext = text.withUTF8Buffer { wanted in
      for index in 0..<count where unsafe bytes[position + index] != wanted[index] { return false }
      return true
    }
    if isNext { position += count }
    return isNext
  }

  /// Reads a number in decimal, without a sign or zeros in front.
  public mutating func number() -> UInt64? {
    let start = position
    var number: UInt64 = 0
    while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
      let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
      let (sum, overflows) = product.addingReportingOverflow(UInt64(digit))
      guard !isTooLarge, !overflows, position == start || number > 0 else { return nil }
      number = sum
      position += 1
    }
    return position == start ? nil : number
  }

  /// Reads an ID: `sha256:` and 64 digits.
  public mutating func objectID() -> ObjectID? {
    guard takes("sha256:"), rest >= 64, let id = ObjectID(hexDigits: bytes.span.extracting(position..<(position + 64))) else { return nil }
    position += 64
    return id
  }

  /// Reads up to the end of a line, and past it.
  public mutating func line() -> String? {
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    defer { position = end + 1 }
    return String(validating: bytes[position..<end], as: UTF8.self)
  }
}
