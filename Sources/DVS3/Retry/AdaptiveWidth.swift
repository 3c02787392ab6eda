/// How many requests to make at a time, learned from what becomes of them.
///
/// Grows by a step as long as more requests carry more, goes back a step when they do not, and is halved when the server
/// says that it has enough: as TCP fills a link (Chiu and Jain, 1989), with requests in place of segments.
///
/// A value without a clock or a lock: whoever uses it says what time it is.
struct AdaptiveWidth: Hashable, Sendable {
  /// Requests at a time.
  private(set) var width: Int

  static let least = 4
  static let most = HTTPConnections.width
  private static let step = 4
  /// Rates are compared between periods of at least this long, with at least ``width`` requests in each.
  private static let period = Duration.milliseconds(500)
  /// How many periods to leave the width alone after a step that did not help.
  private static let rest = 10
  /// What a request counts beside its bytes, so that many small ones are seen to carry more too.
  private static let requestWeight = 64 << 10

  private var start: Duration?
  private var done = 0
  private var work = 0
  /// Whether somebody waited for his turn in this period: else the width is not what limits the rate.
  private var isFull = false
  /// The rate before the last step up.
  private var rateBefore = 0.0
  private var resting = 0
  private var halved: Duration?

  init(width: Int = 16) { self.width = width }

  /// Takes note of a request that ended well.
  ///
  /// - Parameters:
  ///   - bytes: sent and received.
  ///   - others: whether another request is waiting for its turn.
  mutating func succeeded(bytes: Int, othersWait others: Bool, at now: Duration) {
    let start = start ?? now
    self.start = start
    done += 1
    work += bytes + Self.requestWeight
    isFull = isFull || others
    guard now - start >= Self.period, done >= width else { return }
    let rate = Double(work) / ((now - start) / .seconds(1))
    if isFull { adapt(to: rate) }
    (self.start, done, work, isFull) = (now, 0, 0, false)
  }

  private mutating func adapt(to rate: Double) {
    if resting > 0 {
      resting -= 1
      if resting == 0 { rateBefore = 0 }
      return
    }
    if rate > rateBefore * 1.05 {
      rateBefore = rate
      if width < Self.most { width = min(Self.most, width + Self.step) } else { resting = Self.rest }
    } else {
      width = max(Self.least, width - Self.step)
      resting = Self.rest
    }
  }

  /// Takes note of an answer that asks for less. What was sent before the last halving says nothing new.
  ///
  /// - Parameter start: when the request was sent.
  mutating func congested(startedAt start: Duration, at now: Duration) {
    if let halved, start < halved { return }
    width = max(Self.least, width / 2)
    halved = now
    resting = Self.rest
    (self.start, done, work, isFull) = (nil, 0, 0, false)
  }
}
