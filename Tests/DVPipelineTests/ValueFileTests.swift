import DVObject
import DVPipeline
import Testing

/// Files of parameters and metrics in their other forms.
struct ValueFileTests {
  private func value(_ text: String, _ name: String) throws -> JSONValue {
    try ValueFile.read(Array(text.utf8), named: name)
  }

  @Test func tomlHasAllItsKinds() throws {
    let read = try value(
      """
      # a comment
      title = "TOML \\u00e9\\n"
      raw = 'C:\\x'
      long = \"\"\"
      one\\
         two\"\"\"
      int = 1_000
      hex = 0xff
      bin = 0b101
      neg = -17
      float = 6.26e-3
      inf = -inf
      yes = true
      date = 1979-05-27 07:32:00Z
      "quoted key" = 1
      a.b.c = 2
      list = [ 1, [2.5, "x"], # inside
        {p = 1, q.r = 2}, ]

      [train]
      lr = 0.1
      [train.opt]
      name = "adam"
      [[layer]]
      units = 1
      [[layer]]
      units = 2
      [layer.more]
      x = 3
      """, "p.toml")
    #expect(read["title"] == "TOML é\n")
    #expect(read["raw"] == "C:\\x")
    #expect(read["long"] == "onetwo")
    #expect(read["int"] == 1000 && read["hex"] == 255 && read["bin"] == 5 && read["neg"] == -17)
    #expect(read["float"] == 0.00626 && read["inf"] == .number(-.infinity) && read["yes"] == true)
    #expect(read["date"] == "1979-05-27 07:32:00Z")
    #expect(read["quoted key"] == 1)
    #expect(read["a"] == ["b": ["c": 2]])
    #expect(read["list"] == [1, [2.5, "x"], ["p": 1, "q": ["r": 2]]])
    #expect(read["train"] == ["lr": 0.1, "opt": ["name": "adam"]])
    #expect(read["layer"] == [["units": 1], ["units": 2, "more": ["x": 3]]])
  }

  @Test(arguments: [
    "a = 1\na = 2", "[a]\n[a]", "a = ", "a", "= 1", "a = 01", "a = 1__0", "a = \"x", "a = [1", "a = {b = 1", "[a", "a = 1 b = 2",
    "a = 1\n[a.b]", "a = nope", "a = 1.", "a = _1",
  ])
  func whatIsNoTOMLIsRefused(text: String) {
    let error = #expect(throws: PipelineError.self) { try value(text, "p.toml") }
    #expect(error?.message.contains("'p.toml' line") == true)
  }

  @Test func pythonAssignsConstants() throws {
    let read = try value(
      """
      \"\"\"A module.\"\"\"
      import os
      LR = 1e-3
      EPOCHS: int = 10  # passes
      NAME = 'it''s' if False else "x"
      TITLE = "a # b"
      LAYERS = [64, (32, 16),
                {"act": "relu", 'drop': .5}]
      FLAG = True
      NOTHING = None
      computed = LR * 2
      class Train:
          seed = 42
          def f(self):
              inner = 1
      def g():
          hidden = 3
      if True:
          also_hidden = 4
      """, "params.py")
    #expect(read["LR"] == 0.001 && read["EPOCHS"] == 10 && read["TITLE"] == "a # b" && read["FLAG"] == true)
    #expect(read["LAYERS"] == [64, [32, 16], ["act": "relu", "drop": 0.5]])
    #expect(read["NOTHING"] == .null)
    #expect(read["Train"] == ["seed": 42])
    for name in ["computed", "NAME", "hidden", "also_hidden", "inner", "os"] { #expect(read[name] == nil) }
  }

  @Test func delimitedFilesAreRows() throws {
    let read = try value("step,loss,note\r\n1,0.5,\"a, \"\"b\"\"\"\n2,1e-3,\n", "m.csv")
    #expect(read == [["step": 1, "loss": 0.5, "note": "a, \"b\""], ["step": 2, "loss": 0.001, "note": ""]])
    #expect(try value("a\tb\n1\t2", "m.tsv") == [["a": 1, "b": 2]])
  }

  /// Python writes NaN and Infinity bare, which is no JSON.
  @Test func pythonsJSONIsRead() throws {
    let read = try value("{\"loss\": NaN, \"best\": -Infinity, \"name\": \"NaN \\\" NaN\"}", "m.json")
    #expect(read == ["loss": "NaN", "best": "-Infinity", "name": "NaN \" NaN"])
  }

  @Test func namesReachInside() throws {
    let read = try value("train:\n  layers: [{units: 3}, {units: 4}]\n  lr: 0.1\n", "p.yaml")
    #expect(read.value(at: try #require(ValuePath("train.layers[1].units"))) == 4)
    #expect(read.value(at: try #require(ValuePath("train.layers.0.units"))) == 3)
    #expect(read.value(at: try #require(ValuePath("train.nope"))) == nil)
    for text in ["", "a..b", "a[", "a]", "a[]", "[0]", "a[0]b"] { #expect(ValuePath(text) == nil) }
    #expect(read.flattened().map(\.name) == ["train.layers[0].units", "train.layers[1].units", "train.lr"])
    let changed = read.setting(0.2, at: try #require(ValuePath("train.lr")))
    #expect(changed?.value(at: try #require(ValuePath("train.lr"))) == 0.2)
  }

  @Test func differencesAreByName() {
    let found = ValueDifference.between(["a": 1, "b": ["c": 2.5], "gone": 1], ["b": ["c": 3], "a": 1, "new": "x"])
    #expect(found.map(\.name) == ["b.c", "new", "gone"])
    #expect(found[0].change == 0.5)
    #expect(found[1].old == nil && found[2].new == nil)
  }
}
