import Testing

@testable import dv

@Test(arguments: [
  ("plain name.csv", "plain name.csv"),
  ("Grüße 数据 🙂", "Grüße 数据 🙂"),
  ("a\nb\tc\r", "a\\nb\\tc\\r"),
  ("\u{1b}[31mred\u{7}", "\\x1b[31mred\\x07"),
  ("\u{9b}2J", "\\u{9b}2J"),
  ("photo\u{202e}gpj.exe", "photo\\u{202e}gpj.exe"),
  ("zero\u{200b}width", "zero\\u{200b}width"),
  ("back\\slash", "back\\\\slash"),
])
func namesCannotActOnATerminal(name: String, printed: String) {
  #expect(SafeText.name(name) == printed)
}

@Test func bytesThatAreNotUTF8AreShownAsBytes() {
  #expect(SafeText.name([0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82]) == "a\\xff\\xc3(\\xe2\\x82")
  // A surrogate in UTF-8's form, and an overlong slash.
  #expect(SafeText.name([0xed, 0xa0, 0x80]) == "\\xed\\xa0\\x80")
  #expect(SafeText.name([0xc0, 0xaf]) == "\\xc0\\xaf")
}

/// Two names never print alike, whatever their bytes.
@Test func noTwoNamesPrintAlike() {
  var printed: [String: [UInt8]] = [:]
  let alphabet: [UInt8] = [0x00, 0x0a, 0x1b, 0x5c, 0x6e, 0x78, 0x31, 0x62, 0x80, 0xc3, 0xa9, 0xff]
  var names: [[UInt8]] = [[]]
  for _ in 0..<4 {
    names = names.flatMap { name in alphabet.map { name + [$0] } }
    for name in names {
      #expect(printed.updateValue(name, forKey: SafeText.name(name)) == nil)
    }
  }
}

@Test func messagesKeepTheirLinesAndNothingElse() {
  #expect(SafeText.message("one\n'a\\nb' \u{1b}[2J") == "one\n'a\\nb' \\x1b[2J")
}
