extension DateText {
  /// Reads `2026-11-25`, which means its end, or `2026-11-25T10:00:00Z` (also with a blank, and without seconds or `Z`), in UTC.
  ///
  /// - Returns: `nil` if it is no date.
  init?(parsing text: String) {
    let characters = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int64? {
      guard range.upperBound <= characters.count else { return nil }
      var value: Int64 = 0
      for byte in characters[range] {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        value = value * 10 + Int64(byte - UInt8(ascii: "0"))
      }
      return value
    }
    func has(_ byte: UInt8, at index: Int) -> Bool { index < characters.count && characters[index] == byte }
    guard let year = number(0..<4), has(UInt8(ascii: "-"), at: 4), let month = number(5..<7), has(UInt8(ascii: "-"), at: 7),
      let day = number(8..<10), (1...12).contains(month), (1...31).contains(day), (1970...9999).contains(year)
    else { return nil }
    // Days from the civil date: the inverse of what the description computes, with years that begin in March.
    let shiftedYear = year - (month <= 2 ? 1 : 0)
    let era = shiftedYear / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    guard characters.count > 10 else {
      self.init(milliseconds: (days + 1) * 86_400_000 - 1)
      return
    }
    guard has(UInt8(ascii: "T"), at: 10) || has(UInt8(ascii: " "), at: 10), let hour = number(11..<13), hour < 24,
      has(UInt8(ascii: ":"), at: 13), let minute = number(14..<16), minute < 60
    else { return nil }
    var second: Int64 = 0
    var end = 16
    if has(UInt8(ascii: ":"), at: 16) {
      guard let seconds = number(17..<19), seconds < 61 else { return nil }
      second = seconds
      end = 19
    }
    guard characters.count == end || (characters.count == end + 1 && has(UInt8(ascii: "Z"), at: end)) else { return nil }
    self.init(milliseconds: days * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1000)
  }
}
