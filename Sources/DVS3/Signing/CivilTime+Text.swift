extension CivilTime {
  /// Reads `2013-05-24T00:00:00Z` in the forms that AWS and its clones write: with a fraction of a second, which is dropped, and
  /// with `Z`, `UTC` (old caches of single sign-on), an offset such as `+02:00`, or nothing, which means UTC.
  ///
  /// Returns `nil` for anything else.
  public init?(iso8601 text: some StringProtocol) {
    var fields = Fields(text)
    guard let year = fields.number(4), fields.skip("-"), let month = fields.number(2), fields.skip("-"),
      let day = fields.number(2), fields.skip("T") || fields.skip(" "), let hour = fields.number(2), fields.skip(":"),
      let minute = fields.number(2), fields.skip(":"), let second = fields.number(2),
      let time = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    else { return nil }
    if fields.skip(".") {
      guard fields.number(1) != nil else { return nil }
      while fields.number(1) != nil {}
    }
    if fields.skip("Z") || fields.skip("UTC") || fields.isAtEnd {
      guard fields.isAtEnd else { return nil }
      self = time
      return
    }
    let isWest = fields.skip("-")
    guard isWest || fields.skip("+"), let hours = fields.number(2), hours <= 23, fields.skip(":") || !fields.isAtEnd,
      let minutes = fields.number(2), minutes <= 59, fields.isAtEnd
    else { return nil }
    let offset = Int64(hours * 3_600 + minutes * 60)
    self.init(secondsSince1970: time.secondsSince1970 + (isWest ? offset : -offset))
  }

  /// Reads HTTP's `Date`, as `Fri, 24 May 2013 00:00:00 GMT`, or returns `nil` for anything else. The name of the day is not compared.
  public init?(httpDate text: some StringProtocol) {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT", let month = Self.months.firstIndex(of: String(parts[2]))
    else { return nil }
    var (day, year, clock) = (Fields(parts[1]), Fields(parts[3]), Fields(parts[4]))
    guard let day = day.number(2), let year = year.number(4), let hour = clock.number(2), clock.skip(":"),
      let minute = clock.number(2), clock.skip(":"), let second = clock.number(2), clock.isAtEnd
    else { return nil }
    self.init(year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// What is left to read of a text.
  private struct Fields {
    private var rest: [UInt8].SubSequence

    init(_ text: some StringProtocol) { rest = Array(text.utf8)[...] }

    var isAtEnd: Bool { rest.isEmpty }

    /// Reads a number of exactly `count` digits.
    mutating func number(_ count: Int) -> Int? {
      let digits = rest.prefix(count)
      guard digits.count == count, digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
      rest = rest.dropFirst(count)
      return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    mutating func skip(_ text: String) -> Bool {
      guard rest.starts(with: text.utf8) else { return false }
      rest = rest.dropFirst(text.utf8.count)
      return true
    }
  }
}
