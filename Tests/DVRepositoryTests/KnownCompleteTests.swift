import DVObject
import Testing

@testable import DVRepository

@Suite struct KnownCompleteTests {
  private let oids = (0..<5).map { ObjectID(hashing: [UInt8($0)].span) }.sorted()

  @Test func comesBack() {
    #expect(KnownComplete.decode(KnownComplete.encode(oids, url: "/share"), url: "/share") == oids)
    #expect(KnownComplete.decode(KnownComplete.encode([], url: "/share"), url: "/share") == [])
  }

  /// What was learned of one place says nothing of another that took its name.
  @Test func belongsToOneURL() {
    #expect(KnownComplete.decode(KnownComplete.encode(oids, url: "/share"), url: "/other") == nil)
  }

  /// Whichever byte is damaged, or however much is lost, nothing is believed.
  @Test func damageIsNoticed() {
    let bytes = KnownComplete.encode(oids, url: "/share")
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1
      #expect(KnownComplete.decode(damaged, url: "/share") == nil, "byte \(index)")
      #expect(KnownComplete.decode(Array(bytes[..<index]), url: "/share") == nil, "\(index) bytes")
    }
  }
}
