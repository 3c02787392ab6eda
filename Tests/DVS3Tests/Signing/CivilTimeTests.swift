import DVS3
import DVTesting
import Foundation
import Testing

@Suite struct CivilTimeTests {
  /// Foundation has a calendar of its own to compare with.
  @Test(arguments: 0..<8)
  func agreesWithACalendar(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
    for _ in 0..<500 {
      // From 1600, when all calendars are Gregorian, to 9999.
      let seconds = Int64.random(in: -11_676_096_000...253_402_300_799, using: &random)
      let time = CivilTime(secondsSince1970: seconds)
      let parts = calendar.dateComponents(
        [.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: Double(seconds)))
      #expect(
        [time.year, time.month, time.day, time.hour, time.minute, time.second]
          == [parts.year, parts.month, parts.day, parts.hour, parts.minute, parts.second].map { $0 ?? -1 })
      #expect(time.secondsSince1970 == seconds)
    }
  }

  @Test func writesWhatSignaturesNeed() {
    #expect(CivilTime(secondsSince1970: 1_369_353_600).basic == "20130524T000000Z")
    #expect(CivilTime(secondsSince1970: 0).basic == "19700101T000000Z")
    #expect(CivilTime(secondsSince1970: -1).readable == "1969-12-31 23:59:59 UTC")
    #expect(CivilTime(secondsSince1970: .max).basic == "99991231T235959Z")
    #expect(CivilTime(secondsSince1970: .min).year == 0)
  }

  @Test(arguments: [
    "2013-05-24T00:00:00Z", "2013-05-24T00:00:00.000Z", "2013-05-24T00:00:00UTC", "2013-05-24T00:00:00",
    "2013-05-24 00:00:00+00:00", "2013-05-24T02:30:00.123456789+02:30", "2013-05-23T20:00:00-0400",
  ])
  func readsWhatServersWrite(text: String) {
    #expect(CivilTime(iso8601: text)?.secondsSince1970 == 1_369_353_600)
  }

  @Test(arguments: [
    "", "2013-05-24", "2013-5-24T00:00:00Z", "2013-13-24T00:00:00Z", "2013-02-29T00:00:00Z", "2013-05-24T24:00:00Z",
    "2013-05-24T00:00:00.Z", "2013-05-24T00:00:00ZZ", "2013-05-24T00:00:00+2", "2013-05-24T00:00:00+99:00",
    "2013-05-24T00:00:00+", "0000-05-24T00:00:00Z", "٢٠١٣-05-24T00:00:00Z", "+013-05-24T00:00:00Z", "1369353600",
  ])
  func refusesWhatIsNoTime(text: String) {
    #expect(CivilTime(iso8601: text) == nil)
  }

  @Test func readsTheDateOfHTTP() {
    #expect(CivilTime(httpDate: "Fri, 24 May 2013 00:00:00 GMT")?.secondsSince1970 == 1_369_353_600)
    #expect(CivilTime(httpDate: "Thu, 29 Feb 2024 23:59:60 GMT")?.readable == "2024-02-29 23:59:59 UTC")
    for text in ["", "Fri, 24 May 2013 00:00:00", "Fri, 31 Jun 2013 00:00:00 GMT", "24 May 2013 00:00:00 GMT", "Fri, 24 Mai 2013 00:00:00 GMT", "Fri, 24 May 2013 00:00 GMT"] {
      #expect(CivilTime(httpDate: text) == nil, "\(text)")
    }
  }
}
