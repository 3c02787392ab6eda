import DVObject
import DVPipeline
import Testing

/// Values of files of parameters, set in their text.
struct ValueEditTests {
  private func edit(_ text: String, _ name: String, _ value: String, in file: String) throws -> String {
    String(decoding: try ValueEdit.setting(ValueEdit.value(of: value), at: name, in: Array(text.utf8), named: file), as: UTF8.self)
  }

  /// Seeds are whole numbers of any size: they stand in the file as such, with all their digits.
  @Test(arguments: ["7", "9007199254740993", "30000000000000000", "-9223372036854775808", "18446744073709551615"])
  func wholeNumbersStayNumbers(digits: String) throws {
    #expect(try edit("seed: 1  # why\nlr: 0.1\n", "seed", digits, in: "params.yaml") == "seed: \(digits)  # why\nlr: 0.1\n")
    #expect(try edit("{\"seed\": 1, \"lr\": 0.1}\n", "seed", digits, in: "params.json") == "{\"seed\": \(digits), \"lr\": 0.1}\n")
    if digits != "18446744073709551615" { #expect(try edit("seed = 1\n", "seed", digits, in: "params.toml") == "seed = \(digits)\n") }
    #expect(try edit("seed = 1\n", "seed", digits, in: "params.py") == "seed = \(digits)\n")
  }

  /// Assignments of Python are edited, also inside what is assigned, with Python's words.
  @Test func pythonIsEdited() throws {
    let text = "lr = 0.1  # rate\nmodel = {'depth': 3}\nuse = True\n"
    #expect(try edit(text, "lr", "0.5", in: "params.py") == text.replacing("0.1", with: "0.5"))
    #expect(try edit(text, "use", "false", in: "params.py") == text.replacing("True", with: "False"))
    #expect(try edit(text, "model.depth", "4", in: "params.py") == text.replacing("3", with: "4"))
    #expect(try edit("layers = [1]\n", "layers", "[2, 3]", in: "params.py") == "layers = [2, 3]\n")
  }

  /// What stood there as text stays text.
  @Test func digitsInQuotesStayText() throws {
    #expect(try edit("id: 'x'\n", "id", "18446744073709551615", in: "params.yaml") == "id: \"18446744073709551615\"\n")
  }

  /// Two seeds that no number of 64 bits can tell apart are two values.
  @Test func largeSeedsDiffer() throws {
    for file in ["params.yaml", "params.json"] {
      let read = { (digits: String) throws -> [UInt8] in
        try ValueFile.read(Array((file.hasSuffix("json") ? "{\"seed\":\(digits)}" : "seed: \(digits)\n").utf8), named: file).canonical()
      }
      #expect(try read("9223372036854775808") != read("9223372036854775809"))
    }
  }
}
