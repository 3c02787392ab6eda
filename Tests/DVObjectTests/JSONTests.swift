import DVObject
import DVTesting
import Testing

/// Canonical JSON, RFC 8785.
struct JSONTests {
  private func text(_ value: JSONValue) -> String { String(decoding: value.canonical(), as: UTF8.self) }

  /// Numbers are written as ECMAScript writes them: the samples of RFC 8785, appendix B.
  @Test(arguments: [
    (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"), (0x0000_0000_0000_0001, "5e-324"),
    (0x8000_0000_0000_0001, "-5e-324"), (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
    (0x4340_0000_0000_0000, "9007199254740992"), (0x4430_0000_0000_0000, "295147905179352830000"),
    (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"), (0x44b5_2d02_c7e1_4af6, "1e+23"),
    (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"), (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
    (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"), (0x444b_1ae4_d6e2_ef50, "1e+21"),
    (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"), (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
    (0x41b3_de43_5555_5553, "333333333.3333332"), (0x41b3_de43_5555_5557, "333333333.33333343"),
    (0xbecb_f647_612f_3696, "-0.0000033333333333333333"), (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
  ] as [(UInt64, String)])
  func numbersAreWrittenAsECMAScriptDoes(bits: UInt64, expected: String) {
    #expect(text(.number(Double(bitPattern: bits))) == expected)
  }

  /// What JSON cannot say as a number is a string.
  @Test func whatIsNoNumberOfJSONIsAString() {
    #expect(text(.number(.nan)) == "\"NaN\"")
    #expect(text(.number(.infinity)) == "\"Infinity\"")
    #expect(text(.number(-.infinity)) == "\"-Infinity\"")
    #expect(text(.integer(1 << 53)) == "9007199254740992")
    #expect(text(.integer((1 << 53) + 1)) == "\"9007199254740993\"")
    #expect(text(.integer(-(1 << 53) - 1)) == "\"-9007199254740993\"")
    #expect(text(.integer(.min)) == "\"-9223372036854775808\"")
  }

  /// A number beyond 2^53 is read back as what it was written as, not as the integer that its digits are: found by a fuzzer with
  /// `[30e15,"aN"]`. A model's count of operations is of that size.
  @Test(arguments: ["30e15", "5.1e+16", "9007199254740994.0", "-1e18", "1e19", "30000000000000000", "30000000000000001"])
  func largeNumbersAreStable(written: String) throws {
    let bytes = try JSONValue(parsing: Array("[\(written)]".utf8), named: "it").canonical()
    let read = try JSONValue(canonical: bytes, limit: .max, named: "it")
    #expect(read.canonical() == bytes)
    #expect(read.array?.first?.double != nil || written.hasSuffix("1"))
  }

  /// Whole numbers of any size keep their digits.
  @Test func wholeNumbersAreNotRounded() throws {
    for digits in ["9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551614", String(repeating: "9", count: 400)] {
      #expect(try JSONValue(parsing: Array(digits.utf8), named: "it") == .string(digits))
    }
    #expect(try JSONValue(parsing: Array("10000000000000000000".utf8), named: "it") == .number(1e19))
    #expect(JSONValue.whole("+5") == .integer(5))
  }

  /// Keys are in the order of UTF-16 code units: the sample of RFC 8785, 3.2.3.
  @Test func keysAreInTheOrderOfTheirCodeUnits() {
    let value: JSONValue = [
      "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small Letter O With Diaeresis",
    ]
    #expect(
      text(value)
        == "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\","
        + "\"\u{f6}\":\"Latin Small Letter O With Diaeresis\",\"\u{20ac}\":\"Euro Sign\","
        + "\"\u{1f600}\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}")
  }

  @Test func textIsEscapedInOneWay() {
    #expect(text("\u{20}\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}é") == "\" \\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}é\"")
  }

  /// What is written is read back, and is the only encoding that is taken for canonical.
  @Test(arguments: 0..<64)
  func whatIsWrittenIsReadBack(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let value = Self.value(depth: 4, using: &random)
    let bytes = value.canonical()
    let read = try JSONValue(canonical: bytes, limit: .max, named: "it")
    #expect(read.canonical() == bytes)
    #expect(throws: ObjectFormatError.self) {
      try JSONValue(canonical: bytes + [0x20], limit: .max, named: "it")
    }
  }

  private static func value(depth: Int, using random: inout SeededGenerator) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
    case 0: return .null
    case 1: return .bool(.random(using: &random))
    case 2: return .integer(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0..<64, using: &random))
    case 3, 4: return .number(Double(bitPattern: UInt64.random(in: .min ... .max, using: &random)))
    case 5:
      let scalars = (0..<Int.random(in: 0..<12, using: &random)).compactMap { _ in
        Unicode.Scalar(UInt32.random(in: 0..<0x11000, using: &random))
      }
      return .string(String(String.UnicodeScalarView(scalars)))
    case 6: return .array((0..<Int.random(in: 0..<5, using: &random)).map { _ in value(depth: depth - 1, using: &random) })
    default:
      var object = JSONObject()
      for number in 0..<Int.random(in: 0..<5, using: &random) {
        object["k\(number * 7 % 5)"] = value(depth: depth - 1, using: &random)
      }
      return .object(object)
    }
  }

  @Test(arguments: [
    "{\"b\":1,\"a\":2}", "{ \"a\":1}", "[1.0]", "[1e2]", "[-0]", "[\"\\u0041\"]", "[\"\\/\"]", "[1,2]\n", "[0.10]",
  ])
  func otherEncodingsAreNotCanonical(text: String) {
    #expect(throws: ObjectFormatError.self) {
      try JSONValue(canonical: Array(text.utf8), limit: 1000, named: "it")
    }
    #expect(throws: Never.self) { try JSONValue(parsing: Array(text.utf8), named: "it") }
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "[01]", "[1.]", "[.5]", "[1e]", "[+1]", "nul", "[\"a]", "[\"\\x\"]",
    "[\"\\ud800\"]", "[\"\\ud800\\u0041\"]", "[\"a\nb\"]", "[1]x", "{a:1}", "[1e999]", "[NaN]",
  ])
  func whatIsNoJSONIsRefused(text: String) {
    #expect(throws: ObjectFormatError.self) { try JSONValue(parsing: Array(text.utf8), named: "it") }
  }

  /// A few kilobytes cannot exhaust the stack.
  @Test func depthIsBounded() throws {
    let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
    let error = #expect(throws: ObjectFormatError.self) { try JSONValue(parsing: deep, named: "it") }
    #expect(error?.code == .tooLarge)
  }

  /// Small and large objects find their members in two ways, and behave alike.
  @Test(arguments: 0..<16)
  func objectsAreListsOfMembers(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var object = JSONObject()
    var model: [(key: String, value: Int64)] = []
    for step in 0..<400 {
      let key = "k\(Int.random(in: 0..<24, using: &random))"
      let place = model.firstIndex { $0.key == key }
      #expect(object[key] == place.map { .integer(model[$0].value) })
      if Int.random(in: 0..<5, using: &random) < (step / 100 % 2 == 0 ? 4 : 1) {
        object[key] = .integer(Int64(step))
        if let place { model[place].value = Int64(step) } else { model.append((key, Int64(step))) }
      } else {
        object[key] = nil
        if let place { model.remove(at: place) }
      }
      #expect(object.keys == model.map(\.key))
    }
  }

  @Test func objectsAreEqualInWhateverOrder() {
    let one: JSONValue = ["a": 1, "b": [true, nil ?? .null]]
    let other: JSONValue = ["b": [true, .null], "a": 1]
    #expect(one == other)
    #expect(one.hashValue == other.hashValue)
    var object = JSONObject()
    for key in ["a", "b", "c"] { object[key] = 1 }
    object["b"] = nil
    object["c"] = 2
    #expect(object.keys == ["a", "c"])
    #expect(object["c"] == 2)
  }
}
