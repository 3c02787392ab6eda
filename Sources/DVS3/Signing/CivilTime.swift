/// A moment as UTC's calendar and clock show it, to the second: what signatures, S3's answers and HTTP's `Date` are written in.
///
/// The conversion between days and dates is the one of Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
public struct CivilTime: Hashable, Sendable {
  public let year: Int
  /// 1 to 12.
  public let month: Int
  /// 1 to 31.
  public let day: Int
  public let hour: Int
  public let minute: Int
  /// 0 to 59.
  public let second: Int

  /// Seconds from which the year has four digits: 0000-03-01 to 9999-12-31.
  private static let representable: ClosedRange<Int64> = -62_162_035_200...253_402_300_799

  /// Makes the time `seconds` after 1970 began. What does not lie in the years 0 to 9999 becomes the nearest moment that does.
  public init(secondsSince1970 seconds: Int64) {
    let seconds = Int(min(max(seconds, Self.representable.lowerBound), Self.representable.upperBound))
    let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
    let rest = seconds - days * 86_400
    // Years begin in March here, so that the leap day is the last of its year.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60)
  }

  /// Makes a time from its parts, or `nil` if there is no such date or time of day. A leap second counts as the one before it.
  public init?(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
    guard 1...9_999 ~= year, 1...12 ~= month, 0...23 ~= hour, 0...59 ~= minute, 0...60 ~= second else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard 1...lengths[month - 1] ~= day else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
    (self.hour, self.minute, self.second) = (hour, minute, min(second, 59))
  }

  /// Seconds since 1970 began.
  public var secondsSince1970: Int64 {
    let yearFromMarch = month <= 2 ? year - 1 : year
    let era = (yearFromMarch >= 0 ? yearFromMarch : yearFromMarch - 399) / 400
    let yearOfEra = yearFromMarch - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return Int64((era * 146_097 + dayOfEra - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second)
  }

  /// As in `X-Amz-Date`: `20130524T000000Z`.
  public var basic: String { "\(date)T\(Self.digits(hour, 2))\(Self.digits(minute, 2))\(Self.digits(second, 2))Z" }

  /// The day, as in the scope of a signature: `20130524`.
  public var date: String { "\(Self.digits(year, 4))\(Self.digits(month, 2))\(Self.digits(day, 2))" }

  /// For messages: `2013-05-24 00:00:00 UTC`.
  public var readable: String {
    "\(Self.digits(year, 4))-\(Self.digits(month, 2))-\(Self.digits(day, 2)) "
      + "\(Self.digits(hour, 2)):\(Self.digits(minute, 2)):\(Self.digits(second, 2)) UTC"
  }

  private static func digits(_ value: Int, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }
}
