/// A length of time as people read it: `7 s`, `2 min 05 s`, `3 h 20 min`.
struct TimeSpan: CustomStringConvertible {
  let seconds: UInt64

  init(seconds: UInt64) {
    self.seconds = seconds
  }

  /// Rounds `duration` to whole seconds; a negative one is none.
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let rounded = seconds + (attoseconds >= 500_000_000_000_000_000 ? 1 : 0)
    self.seconds = UInt64(max(0, rounded))
  }

  var description: String {
    let (minutes, second) = seconds.quotientAndRemainder(dividingBy: 60)
    guard minutes > 0 else { return "\(second) s" }
    let (hours, minute) = minutes.quotientAndRemainder(dividingBy: 60)
    guard hours > 0 else { return "\(minute) min \(Self.twoDigits(second)) s" }
    let (days, hour) = hours.quotientAndRemainder(dividingBy: 24)
    guard days > 0 else { return "\(hour) h \(Self.twoDigits(minute)) min" }
    return "\(days) d \(Self.twoDigits(hour)) h"
  }

  private static func twoDigits(_ number: UInt64) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }
}
