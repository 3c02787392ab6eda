import DVObject
import DVPipeline
import Testing

/// YAML as `dv.yaml` and files of parameters have it.
struct YAMLTests {
  private func value(_ text: String) throws -> JSONValue { try ValueFile.read(Array(text.utf8), named: "params.yaml") }

  /// The kinds of YAML 1.2, as DVC reads them: `yes` is text.
  @Test(arguments: [
    ("1", .integer(1)), ("-17", .integer(-17)), ("0x1f", .integer(31)), ("0o17", .integer(15)), ("017", .integer(17)),
    ("1.5", .number(1.5)), ("1e3", .number(1000)), ("-1.5e-3", .number(-0.0015)), (".5", .number(0.5)), ("1.", .number(1)),
    ("-.5", .number(-0.5)), (".inf", .number(.infinity)), ("true", .bool(true)), ("False", .bool(false)), ("yes", "yes"),
    ("on", "on"), ("~", .null), ("null", .null), ("\"1\"", "1"), ("'true'", "true"), ("1_000", "1_000"), ("1.2.3", "1.2.3"),
    ("2024-01-01", "2024-01-01"), ("!!str 1", "1"), ("e3", "e3"), ("+", "+"), ("0x", "0x"), ("0x-1", "0x-1"),
  ] as [(String, JSONValue)])
  func scalarsAreThoseOfYAML12(text: String, expected: JSONValue) throws {
    #expect(try value("v: \(text)")["v"] == expected)
  }

  @Test func anchorsAndMergeKeysAreFollowed() throws {
    let read = try value("base: &b {a: 1, b: 2}\nuse:\n  <<: *b\n  b: 3\nlist: [*b, *b]\n")
    #expect(read["use"] == ["a": 1, "b": 3])
    #expect(read["list"] == [["a": 1, "b": 2], ["a": 1, "b": 2]])
  }

  /// Ten lines that stand for a thousand million values are refused before they are taken apart.
  @Test func aliasBombsAreRefused() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<10 {
      let names = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(names)]\n"
    }
    let error = #expect(throws: PipelineError.self) { try value(text) }
    #expect(error?.code == .limit)
  }

  @Test(arguments: [
    String(repeating: "[", count: 50_000), String(repeating: "- ", count: 50_000) + "x",
    String(repeating: "{a: ", count: 20_000), "a:\n" + String(repeating: " ", count: 3000) + "- b",
  ])
  func deepNestingIsRefused(text: String) {
    let error = #expect(throws: PipelineError.self) { try value(text) }
    #expect(error?.code == .limit || error?.code == .syntax)
  }

  @Test(arguments: ["a: 1\na: 2", "a: [1", "a: *nothing", "a: {b: 1, b: 2}", "? [a]\n: 1", "a: !!python/none x"])
  func errorsNameTheLine(text: String) {
    let error = #expect(throws: PipelineError.self) { try value(text) }
    #expect(error?.message.contains("line") == true)
  }
}
