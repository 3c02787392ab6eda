/// A moment as people read it anywhere: `2026-11-25 03:19:59 UTC`.
struct DateText: CustomStringConvertible {
  let milliseconds: Int64

  var description: String {
    let seconds = milliseconds.quotientAndRemainder(dividingBy: 1000)
    let whole = seconds.quotient - (seconds.remainder < 0 ? 1 : 0)
    let day = Int64((Double(whole) / 86400).rounded(.down))
    let rest = whole - day * 86400
    let (year, month, date) = Self.civil(day)
    let time = [rest / 3600, rest / 60 % 60, rest % 60].map(Self.twoDigits).joined(separator: ":")
    return "\(year)-\(Self.twoDigits(month))-\(Self.twoDigits(date)) \(time) UTC"
  }

  /// The day of a moment in seconds since 1970: `2026-11-25`.
  static func day(_ seconds: UInt64) -> String {
    String(DateText(milliseconds: Int64(clamping: min(seconds, 1 << 40)) * 1000).description.prefix { $0 != " " })
  }

  private static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// The date of a day counted from 1970-01-01, in the Gregorian calendar: years of 400-year eras that begin in March.
  private static func civil(_ day: Int64) -> (year: Int64, month: Int64, date: Int64) {
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }
}
