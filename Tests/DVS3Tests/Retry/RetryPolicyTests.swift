import DVTesting
import Testing

@testable import DVS3

@Suite struct RetryPolicyTests {
  /// The bound of the pause doubles and stops growing, and the pause is any part of it.
  @Test(arguments: [(1, 100), (2, 200), (5, 1600), (8, 12_800), (9, 20_000)])
  func pausesAreAnyPartOfADoublingBound(failures: Int, bound: Int) {
    let policy = RetryPolicy()
    #expect(policy.pause(after: failures, elapsed: .zero, random: 0) == .zero)
    #expect(policy.pause(after: failures, elapsed: .zero, random: 0.5) == .milliseconds(bound / 2))
  }

  @Test func triesEnd() {
    let policy = RetryPolicy(tries: 3)
    #expect(policy.pause(after: 2, elapsed: .zero, random: 0) != nil)
    #expect(policy.pause(after: 3, elapsed: .zero, random: 0) == nil)
  }

  /// No pause leads past the end of the time for the whole call.
  @Test func timeEnds() {
    let policy = RetryPolicy()
    #expect(policy.pause(after: 1, elapsed: .seconds(299), random: 0) == .zero)
    #expect(policy.pause(after: 9, elapsed: .seconds(290), random: 0.9) == nil)
    #expect(policy.pause(after: 1, elapsed: .seconds(10), wish: .seconds(291), random: 0) == nil)
  }

  @Test func theServersWishCounts() {
    #expect(RetryPolicy().pause(after: 1, elapsed: .zero, wish: .seconds(7), random: 0.9) == .seconds(7))
  }
}

@Suite struct AdaptiveWidthTests {
  /// A link that carries `capacity` requests at a time, each of 1 MiB and 100 ms, and queues the rest.
  private func run(_ width: inout AdaptiveWidth, capacity: Int, periods: Int, from start: Duration = .zero) -> Duration {
    var now = start
    for _ in 0..<periods {
      // In 100 ms so many requests end.
      let done = min(width.width, capacity)
      now += .milliseconds(100)
      for _ in 0..<done { width.succeeded(bytes: 1 << 20, othersWait: true, at: now) }
    }
    return now
  }

  @Test func growsAsLongAsMoreCarriesMore() {
    var width = AdaptiveWidth()
    _ = run(&width, capacity: 1000, periods: 200)
    #expect(width.width == 64)
  }

  @Test func staysNearWhatTheLinkCarries() {
    var width = AdaptiveWidth()
    _ = run(&width, capacity: 24, periods: 2000)
    #expect((20...32).contains(width.width))
  }

  @Test func doesNotGrowWhenNobodyWaits() {
    var width = AdaptiveWidth()
    for step in 1...10_000 { width.succeeded(bytes: 1 << 20, othersWait: false, at: .milliseconds(step * 10)) }
    #expect(width.width == 16)
  }

  /// Many refusals of requests that were sent together say one thing.
  @Test func isHalvedOnceForEachBurst() {
    var width = AdaptiveWidth()
    for _ in 0..<16 { width.congested(startedAt: .seconds(1), at: .seconds(2)) }
    #expect(width.width == 8)
    width.congested(startedAt: .seconds(3), at: .seconds(4))
    #expect(width.width == 4)
    width.congested(startedAt: .seconds(5), at: .seconds(6))
    #expect(width.width == 4)
  }

  @Test func comesBackAfterCongestion() {
    var width = AdaptiveWidth()
    width.congested(startedAt: .zero, at: .seconds(1))
    _ = run(&width, capacity: 1000, periods: 500, from: .seconds(1))
    #expect(width.width == 64)
  }
}
