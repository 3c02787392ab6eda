import DVBackend
import DVRepository
import Testing

@testable import dv

private let half = Progress(
  verb: "Adding", doneBytes: 2_100_000_000, totalBytes: 4_200_000_000, doneItems: 1200, totalItems: 3000)

@Test func aBarShowsShareAmountsRateAndTimeLeft() {
  var line = ProgressLine(.bar)
  var start = half
  start.doneBytes = 0
  _ = line.update(start, at: .seconds(1), columns: 100)
  let text = line.update(half, at: .seconds(3), columns: 120)
  #expect(
    text == "\r\u{1b}[KAdding  50% [###############...............] "
      + "2.1 GB of 4.2 GB, 1,200 of 3,000 items, 1.1 GB/s, 2 s left")
}

@Test(arguments: [10, 20, 40, 60, 80, 200])
func aBarNeverWraps(columns: Int) {
  var line = ProgressLine(.bar)
  let text = line.update(half, at: .seconds(1), columns: columns) ?? ""
  #expect(text.dropFirst("\r\u{1b}[K".count).count < columns)
}

@Test func aBarIsDrawnTenTimesASecondAtMostAndWipedAtTheEnd() {
  var line = ProgressLine(.bar)
  #expect(line.finish() == nil)
  let drawn = (0..<1000).filter { line.update(half, at: .milliseconds($0 * 2 + 100)) != nil }
  #expect(drawn.count == 20)
  #expect(line.finish() == "\r\u{1b}[K")
  #expect(line.finish() == nil)
}

@Test func aLogGetsAWholeLineEveryFewSeconds() {
  var line = ProgressLine(.lines)
  let texts = (0..<120).compactMap { line.update(half, at: .milliseconds($0 * 100)) }
  #expect(texts.count == 2)
  #expect(texts.first == "Adding 50%: 2.1 GB of 4.2 GB, 1,200 of 3,000 items\n")
  #expect(line.finish() == nil)
}

@Test func quietIsSilent() {
  var line = ProgressLine(.silent)
  #expect(line.update(half, at: .seconds(60)) == nil)
  #expect(line.finish() == nil)
}

@Test func anUnknownTotalShowsWhatIsDone() {
  var line = ProgressLine(.bar)
  let progress = Progress(verb: "Scanning", doneItems: 1, retries: 2)
  #expect(line.update(progress, at: .seconds(1)) == "\r\u{1b}[KScanning 1 item, 2 retries")
}

@Test func theRateFollowsAndStartsAnewWithEachPhase() {
  var rate = RateEstimate()
  rate.add(0, of: "a", at: .zero)
  #expect(rate.bytesPerSecond == nil)
  rate.add(1_000, of: "a", at: .seconds(1))
  #expect(rate.bytesPerSecond == 1_000)
  for second in 2...60 { rate.add(1_000, of: "a", at: .seconds(second)) }
  #expect(rate.bytesPerSecond! < 1)  // a stalled transfer shows within a minute
  rate.add(5, of: "b", at: .seconds(61))
  #expect(rate.bytesPerSecond == nil)
}

@Test func countsFromManyTasksAddUp() async {
  let (sink, tally) = (ProgressSink(), RequestTally())
  tally.retry()
  sink.follow(tally)
  sink.begin("Adding", totalBytes: 10)
  sink.expect(bytes: 5, items: 2)
  await withTaskGroup(of: Void.self) { group in
    for _ in 0..<8 { group.addTask { for _ in 0..<1000 { sink.advance(bytes: 3, items: 1) } } }
  }
  tally.retry()
  let expected = Progress(
    verb: "Adding", doneBytes: 24_000, totalBytes: 15, doneItems: 8_000, totalItems: 2, retries: 1)
  #expect(sink.progress == expected)
  sink.begin("Pushing")
  #expect(sink.progress == Progress(verb: "Pushing"))
}

@Test func requestsAreToldByKind() {
  let tally = RequestTally()
  #expect(RequestText.line(tally.counts) == nil)
  for _ in 0..<1200 { tally.request(.get) }
  tally.request(.put, sending: 4_100_000)
  tally.retry()
  tally.request(.put, sending: 4_100_000)
  tally.answer(3)
  #expect(RequestText.line(tally.counts) == "1,202 requests (GET 1,200, PUT 2; 1 retry), 8.2 MB sent, 3 B received.")
}
