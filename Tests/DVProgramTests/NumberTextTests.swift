import Testing

@testable import dv

@Test(arguments: [
  (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1049, "1.0 kB"), (1050, "1.1 kB"), (99_949, "99.9 kB"),
  (99_950, "100 kB"), (999_499, "999 kB"), (999_950, "1.0 MB"), (2_100_000_000, "2.1 GB"), (UInt64.max, "18.4 EB"),
])
func byteCountsHaveThreeDigitsAtMost(bytes: UInt64, text: String) {
  #expect(ByteCount(bytes).description == text)
}

@Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (100_000, "100,000"), (1_234_567, "1,234,567")])
func countsHaveTheirDigitsInGroups(number: UInt64, text: String) {
  #expect(Count(number).description == text)
}

@Test func aCountAgreesWithItsNoun() {
  #expect(Count(1).of("file") == "1 file")
  #expect(Count(0).of("file") == "0 files")
  #expect(Count(2).of("entry", plural: "entries") == "2 entries")
}

@Test(arguments: [
  (0, "0 s"), (59, "59 s"), (125, "2 min 05 s"), (12_000, "3 h 20 min"), (93_600, "1 d 02 h"),
])
func timeSpansShowTwoUnits(seconds: UInt64, text: String) {
  #expect(TimeSpan(seconds: seconds).description == text)
}

@Test func durationsAreRoundedAndNeverNegative() {
  #expect(TimeSpan(.milliseconds(1499)).seconds == 1)
  #expect(TimeSpan(.milliseconds(1500)).seconds == 2)
  #expect(TimeSpan(.seconds(-3)).seconds == 0)
}
