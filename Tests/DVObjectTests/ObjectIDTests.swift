import DVObject
import DVTesting
import Testing

/// Test vectors: `docs/format/object-id.md`.
@Suite struct ObjectIDTests {
  static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  @Test func vectors() throws {
    #expect(ObjectID(hashing: Array("abc".utf8).span).hex == Self.abc)
    #expect(ObjectID(hashing: [UInt8]().span).hex == Self.empty)
    #expect(ObjectID(hashing: Array("abc".utf8).span).text == "sha256:" + Self.abc)
    #expect(try ObjectID(hex: Self.abc).shortHex == "ba7816bf8f01")
    #expect(try ObjectID(hex: Self.abc).prefix64 == 0xba78_16bf_8f01_cfea)
    #expect(try ObjectID(text: "sha256:" + Self.empty) == ObjectID(hex: Self.empty))
  }

  @Test(arguments: 0..<64)
  func textAndBytesComeBack(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let bytes = [UInt8](randomCount: 32, using: &random)
    let id = try ObjectID(bytes: bytes.span)
    var back: [UInt8] = [7]
    id.append(to: &back)
    #expect(back == [7] + bytes)
    #expect(try ObjectID(hex: id.hex) == id)
    #expect(try ObjectID(text: id.description) == id)
    #expect(id.hex == bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    #expect(id.shortHex == id.hex.prefix(12))
  }

  @Test func orderIsThatOfBytes() throws {
    var random = SeededGenerator(seed: 1)
    let rows = try (0..<500).map { index in
      var bytes = [UInt8](randomCount: 32, using: &random)
      // Equal beginnings of every length, so that every word decides at some time.
      for place in 0..<(index % 32) { bytes[place] = 5 }
      return (bytes, try ObjectID(bytes: bytes.span))
    }
    let byBytes = rows.sorted { $0.0.lexicographicallyPrecedes($1.0) }.map(\.1)
    #expect(rows.map(\.1).sorted() == byBytes)
  }

  @Test(arguments: 0...256)
  func leadingZeroBits(count: Int) throws {
    var bytes = [UInt8](repeating: 0xFF, count: 32)
    for bit in 0..<count { bytes[bit / 8] &= ~(0x80 >> UInt8(bit % 8)) }
    #expect(try ObjectID(bytes: bytes.span).leadingZeroBits == count)
  }

  @Test(arguments: [
    "", "abc", abc.uppercased(), "sha256:" + abc, abc + "0", String(abc.dropLast()), " " + abc.dropFirst(), "0x" + abc.dropFirst(2),
    "é" + abc.dropFirst(2), String(repeating: "g", count: 64), String(repeating: "0", count: 100_000),
  ])
  func otherHexIsRefused(text: String) {
    #expect(throws: ObjectFormatError.self) { try ObjectID(hex: text) }
  }

  @Test(arguments: [abc, "SHA256:" + abc, "sha256: " + abc, "sha512:" + abc, "sha256:", "sha256:\u{301}" + abc, "sha256:" + abc + "\n"])
  func otherTextIsRefused(text: String) {
    #expect(throws: ObjectFormatError.self) { try ObjectID(text: text) }
  }

  @Test(arguments: [0, 31, 33])
  func otherLengthsAreRefused(count: Int) {
    #expect(throws: ObjectFormatError.self) { try ObjectID(bytes: [UInt8](repeating: 1, count: count).span) }
  }

  /// Pieces give what the whole gives, `current` changes nothing, and `finish` begins anew.
  @Test(arguments: 0..<20)
  func digestOfPieces(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let bytes = [UInt8](randomCount: Int.random(in: 0...5000, using: &random), using: &random)
    var digest = Digest()
    for _ in 0..<2 {
      var start = 0
      while start < bytes.count {
        let end = min(bytes.count, start + Int.random(in: 0...300, using: &random))
        digest.update(bytes.span.extracting(start..<end))
        #expect(digest.current() == ObjectID(hashing: bytes.span.extracting(0..<end)))
        start = end
      }
      #expect(digest.finish() == ObjectID(hashing: bytes.span))
    }
  }

  /// Every byte at every place: sixteen are digits, all others are refused.
  @Test func everyByteIsReadAsADigitOrRefused() throws {
    let digits = Array("0123456789abcdef".utf8)
    let id = ObjectID(hashing: [1, 2, 3].span)
    let text = Array(id.hex.utf8)
    for place in text.indices {
      for byte in UInt8.min ... .max {
        var other = text
        other[place] = byte
        let read = ObjectID(hexDigits: other.span)
        #expect((read != nil) == digits.contains(byte))
        if let read { #expect(Array(read.hex.utf8) == other) }
      }
    }
  }
}
