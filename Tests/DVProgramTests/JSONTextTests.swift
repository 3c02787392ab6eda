import Testing

@testable import dv

@Test func membersStayInTheirOrder() {
  var json = JSONText()
  json.object { json in
    json.member("schema", "dv.add/1")
    json.array("added") { json in
      json.object { json in
        json.member("size", UInt64.max)
        json.member("clean", true)
      }
      json.object { _ in }
      json.value("x")
      json.null()
    }
    json.member("run", nil as String?)
    json.member("files", nil as UInt64?)
    json.member("ratio", 0.5)
  }
  #expect(
    json.text
      == #"{"schema":"dv.add/1","added":[{"size":18446744073709551615,"clean":true},{},"x",null],"run":null,"files":null,"ratio":0.5}"#)
}

@Test func stringsAreEscaped() {
  var json = JSONText()
  json.value("\"\\\n\t\u{1}\u{1f}é🙂/")
  #expect(json.text == #""\"\\\n\t\u0001\u001fé🙂/""#)
}

/// A terminal that shows it obeys none of it.
@Test func whatMisleadsIsEscaped() {
  var json = JSONText()
  json.value("\u{7f}\u{9b}31m\u{202e}a\"\u{61c}\u{feff}é\u{2028}…ﾯ")
  #expect(json.text == #""\u007f\u009b31m\u202ea\"\u061c\ufeffé\u2028…ﾯ""#)
}

@Test func whatJSONHasNoNumberForIsAString() {
  var json = JSONText()
  json.array { json in
    json.value(Double.nan)
    json.value(-Double.infinity)
    json.value(1e21)
  }
  #expect(json.text == #"["NaN","-Infinity",1e+21]"#)
}

@Test func aPathThatIsNotUTF8CarriesItsBytes() {
  var json = JSONText()
  json.object { json in
    json.path("path", Array("é".utf8))
    json.path("other", [0x61, 0xff, 0x0a])
  }
  #expect(json.text == #"{"path":"é","other":"a�\n","otherBytes":"61ff0a"}"#)
}
