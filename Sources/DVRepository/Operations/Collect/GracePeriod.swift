/// How long garbage collection waits before it deletes what nothing needs.
///
/// Written as a number of days, or with a unit: `7`, `12h`, `30m`, `90s`, `2w`.
public struct GracePeriod: Hashable, Sendable {
  public let seconds: UInt64

  public static let standard = GracePeriod(seconds: 7 * 86_400)

  public init(seconds: UInt64) { self.seconds = seconds }

  /// Reads the text of `gc.grace`.
  ///
  /// - Returns: `nil` if it is anything else, or more than 100 years.
  public init?(_ text: String) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, digits.utf8.count <= 10, let number = UInt64(digits) else { return nil }
    let unit: UInt64
    switch text.dropFirst(digits.count) {
    case "", "d": unit = 86_400
    case "w": unit = 7 * 86_400
    case "h": unit = 3600
    case "m": unit = 60
    case "s": unit = 1
    default: return nil
    }
    let (seconds, overflow) = number.multipliedReportingOverflow(by: unit)
    guard !overflow, seconds <= 100 * 366 * 86_400 else { return nil }
    self.seconds = seconds
  }
}
