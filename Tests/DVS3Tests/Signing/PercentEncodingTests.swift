import DVS3
import Testing

@Suite struct PercentEncodingTests {
  @Test(arguments: [
    ("packs/aa/0f", "packs/aa/0f", "packs%2Faa%2F0f"),
    ("a b+c*~", "a%20b%2Bc%2A~", "a%20b%2Bc%2A~"),
    ("//a/./../b", "//a/./../b", "%2F%2Fa%2F.%2F..%2Fb"),
    ("ü€", "%C3%BC%E2%82%AC", "%C3%BC%E2%82%AC"),
    ("%2F=&?", "%252F%3D%26%3F", "%252F%3D%26%3F"),
    ("", "", ""),
  ])
  func encodes(text: String, path: String, component: String) {
    #expect(PercentEncoding.path(text) == path)
    #expect(PercentEncoding.component(text) == component)
    #expect(PercentEncoding.decode(path, plusIsSpace: false) == text)
    #expect(PercentEncoding.decode(component, plusIsSpace: true) == text)
  }

  @Test func sortsQueriesByWhatIsSent() {
    let items = [("prefix", "a/b c"), ("list-type", "2"), ("uploads", ""), ("a", "2"), ("a", "1"), ("A", "3"), ("ä", "")]
    #expect(PercentEncoding.query(items) == "%C3%A4=&A=3&a=1&a=2&list-type=2&prefix=a%2Fb%20c&uploads=")
    #expect(PercentEncoding.query([]) == "")
  }

  @Test func decodesFormsAndRefusesWhatIsNone() {
    #expect(PercentEncoding.decode("a+b%2B%c3%bc", plusIsSpace: true) == "a b+ü")
    #expect(PercentEncoding.decode("a+b", plusIsSpace: false) == "a+b")
    for text in ["%", "%1", "%zz", "a%2", "%ff", "%C3x"] {
      #expect(PercentEncoding.decode(text, plusIsSpace: true) == nil, "\(text)")
    }
  }
}
