import DVTesting
import Testing

@testable import DVS3

@Suite struct XMLReaderTests {
  /// The local names and texts of a document, in order.
  private func events(_ bytes: [UInt8]) throws(XMLError) -> [String] {
    var reader = try XMLReader(bytes, limit: 1 << 20)
    var events = [try reader.root()]
    var depth = 1
    while depth > 0 {
      if let name = try reader.child() {
        if name == "t" {
          events.append("'\(try reader.text())'")
        } else {
          events.append(name)
          depth += 1
        }
      } else {
        events.append("/")
        depth -= 1
      }
    }
    try reader.finish()
    return events
  }

  private func events(_ text: String) throws(XMLError) -> [String] { try events(Array(text.utf8)) }

  @Test func readsWhatServersWrite() throws {
    let document = """
      \u{FEFF}<?xml version="1.0" encoding="UTF-8"?>
      <!-- made by hand --><?note for nobody?>
      <s3:r xmlns:s3='http://s3.amazonaws.com/doc/2006-03-01/' b = "&lt;&quot;x" >
        <a><b/><t>x &amp; &#65;&#x1F600;&apos;</t></a >
        <!-- inside --><t/><t><![CDATA[<&]]>]]&gt;</t>
      </s3:r>
      <!-- after -->

      """
    #expect(try events(document) == ["r", "a", "b", "/", "'x & A😀''", "/", "''", "'<&]]>'", "/"])
    // Line ends count as one, as the standard says.
    #expect(try events("<r><t>1\r\n2\r3\n\r\n</t></r>") == ["r", "'1\n2\n3\n\n'", "/"])
    #expect(try events("<r/>") == ["r", "/"])
    #expect(try events("<?xml version='1.0' encoding='utf-8' standalone=\"yes\"?><r></r>") == ["r", "/"])
  }

  @Test func skipsWhatIsNotAskedFor() throws {
    var reader = try XMLReader(Array("<r><a><b>x<c/></b>y</a><d/><t>z</t></r>".utf8), limit: 100)
    _ = try reader.root()
    var seen: [String] = []
    while let name = try reader.child() {
      seen.append(name)
      try reader.skip()
    }
    try reader.finish()
    #expect(seen == ["a", "d", "t"])
  }

  @Test(arguments: [
    "", " ", "text", "<", "<r", "<r>", "<r></r", "<r></s>", "<r/><r/>", "<r/>x", "</r>", "<r><a></r></a>", "<1/>", "<:r/>",
    "<r:/>", "< r/>", "<r a/>", "<r a=/>", "<r a=1/>", "<r a='1/>", "<r a='<'/>", "<r a='1'b='2'/>", "<r a='1' a='2'/>",
    "<r a='&x;'/>", "<r>&</r>", "<r>&amp</r>", "<r>&nbsp;</r>", "<r>&#0;</r>", "<r>&#x110000;</r>", "<r>&#xD800;</r>",
    "<r>&#+65;</r>", "<r>&#;</r>", "<r>&#x;</r>", "<r>&#11;</r>", "<r>]]></r>", "<r>x</r>", "<r><t><u/></t></r>",
    "<r><![CDATA[x</r>", "<r><!-- x</r>", "<r><?x</r>", "<r>\u{1}</r>", "<r><t>\u{FFFF}</t></r>", "<?xml?", "<!DOCTYPE r><r/>",
    "<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><r>&x;</r>", "<r><!DOCTYPE r></r>", "<r/><!DOCTYPE r>",
    "<?xml version='1.0' encoding='ISO-8859-1'?><r/>", "<?xml version='1.0' encoding='UTF-16'?><r/>", "<html><br></html>",
  ])
  func refusesWhatIsMalformed(text: String) {
    #expect(throws: XMLError.self) { _ = try events(text) }
  }

  @Test func refusesBytesThatAreNoText() {
    for bytes: [UInt8] in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0x00]] {
      #expect(throws: XMLError.self) { _ = try events(Array("<r><t>".utf8) + bytes + Array("</t></r>".utf8)) }
      #expect(throws: XMLError.self) { _ = try events(Array("<r".utf8) + bytes + Array("/>".utf8)) }
      #expect(throws: XMLError.self) { _ = try events(Array("<r><!--".utf8) + bytes + Array("--></r>".utf8)) }
    }
  }

  @Test func isBounded() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)
    }
    #expect(try events(nested(32)).count == 64)
    #expect(throws: XMLError.self) { _ = try events(nested(33)) }
    let attributes = (0..<33).map { " a\($0)=''" }
    #expect(try events("<r\(attributes.dropLast().joined())/>") == ["r", "/"])
    #expect(throws: XMLError.self) { _ = try events("<r\(attributes.joined())/>") }
    #expect(throws: XMLError.self) { _ = try XMLReader([UInt8](repeating: 0x20, count: 101), limit: 100) }
    // Nothing that could grow when it is replaced: a reference is one character.
    #expect(throws: XMLError.self) { _ = try events("<r>&\(String(repeating: "x", count: 100_000));</r>") }
  }

  /// Whatever is done to a document, reading it ends with a result or an error.
  @Test(arguments: 0..<40)
  func survivesMutations(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let pieces = ["<", ">", "</", "/>", "&", ";", "&#x", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "'", "\"", "=", "<!", "\0", "\u{FEFF}"]
    var read = 0
    for _ in 0..<200 {
      var bytes = Array(try #require(AnswerSamples.all.randomElement(using: &random)).utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: if place < bytes.count { bytes[place] = UInt8.random(in: .min ... .max, using: &random) }
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...20, using: &random)))
        case 2: bytes.insert(contentsOf: try #require(pieces.randomElement(using: &random)).utf8, at: place)
        case 3:
          let end = min(bytes.count, place + Int.random(in: 1...40, using: &random))
          bytes.insert(contentsOf: Array(bytes[place..<end]), at: Int.random(in: 0...bytes.count, using: &random))
        default: bytes.removeSubrange(place...)
        }
      }
      for decode in AnswerSamples.decoders where (try? decode(bytes)) != nil { read += 1 }
    }
    // Mutations that hit a text or a space leave a valid document: not all may be refused.
    #expect(read > 0)
  }
}
