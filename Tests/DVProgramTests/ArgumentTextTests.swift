import Testing

@testable import dv

@Suite struct ArgumentTextTests {
  /// Whatever bytes an argument has, they come back from its text, and no two arguments share one.
  @Test(arguments: [
    [], Array("plain".utf8), Array("ümläut 日本語".utf8), [0xff], [0xff, 0xfe, 0x80], [0x61, 0xc3], [0xc3, 0x28],
    Array("\u{10ff80}\u{10ffff}".utf8), Array("\u{10ff7f}".utf8), [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80],
  ])
  func losesNoByte(bytes: [UInt8]) {
    #expect(ArgumentText.bytes(of: ArgumentText.text(of: bytes)) == bytes)
  }

  @Test func ordinaryTextStaysAsItIs() {
    #expect(ArgumentText.text(of: Array("--json ümläut".utf8)) == "--json ümläut")
    #expect(ArgumentText.text(of: [0xff]) != ArgumentText.text(of: Array(ArgumentText.text(of: [0xff]).utf8)))
  }
}
