/// A name that sorts by the time it was made: 48 bits of milliseconds since 1970, then 80 random bits.
///
/// Written as 26 lowercase digits of Crockford's base 32, as the ULID specification does (which writes capitals; keys of
/// a store are lowercase, so that a file system that folds case cannot confuse them).
public struct ULID: Hashable, Sendable, Comparable, CustomStringConvertible {
  private let high: UInt64
  private let low: UInt64

  private static let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

  /// Makes a new name.
  ///
  /// - Parameter seconds: the time, in seconds since 1970, from the clock of the store it will be kept in.
  public init(seconds: Double) {
    let milliseconds = UInt64(max(0, seconds) * 1000) & 0xffff_ffff_ffff
    high = milliseconds << 16 | UInt64.random(in: 0...0xffff)
    low = UInt64.random(in: .min ... .max)
  }

  /// Reads 26 digits.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 26 else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    for (index, byte) in bytes.enumerated() {
      guard let digit = Self.digits.firstIndex(of: byte), index > 0 || digit < 8 else { return nil }
      high = high << 5 | low >> 59
      low = low << 5 | UInt64(digit)
    }
    self.high = high
    self.low = low
  }

  /// The time it was made, in seconds since 1970.
  public var seconds: Double { Double(high >> 16) / 1000 }

  public var description: String {
    var high = high
    var low = low
    var text: [UInt8] = []
    for _ in 0..<26 {
      text.append(Self.digits[Int(low & 31)])
      low = low >> 5 | high << 59
      high >>= 5
    }
    return String(decoding: text.reversed(), as: UTF8.self)
  }

  public static func < (left: ULID, right: ULID) -> Bool {
    left.high == right.high ? left.low < right.low : left.high < right.high
  }
}
