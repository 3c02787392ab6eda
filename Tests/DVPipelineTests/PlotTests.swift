import DVObject
import DVPipeline
import Testing

/// Plots as `dv.yaml` declares them, and what is drawn of which file.
struct PlotTests {
  private func definitions(_ text: String) throws -> (plots: [PlotDefinition], warnings: [String]) {
    let file = try PipelineText(text).load()
    var warnings: [String] = []
    return (file.plotDefinitions { warnings.append($0) }, warnings)
  }

  @Test func allFormsOfTheSchemaAreRead() throws {
    let (plots, warnings) = try definitions(
      """
      stages:
        train:
          cmd: x
          plots:
          - log.csv: {x: step, y: loss, template: scatter, cache: false}
          - two.json:
            - {x: a, y: b}
            - {x: a, y: c, title: Other}
          - img
      plots:
      - eval/importance.png
      - ROC:
          template: simple
          x: fpr
          y: {eval/train.json: tpr, eval/test.json: [tpr, other]}
          title: Receiver
      - own.csv: {y: [p, q], x_label: X, template: unheard_of}
      - Cross: {x: {a.csv: step}, y: {b.csv: loss}}
      """)
    #expect(plots.map(\.name) == ["eval/importance.png", "ROC", "own.csv", "Cross", "log.csv", "two.json", "two.json", "img"])
    #expect(plots[1].sources.map(\.file.text) == ["eval/train.json", "eval/test.json"])
    #expect(plots[1].sources[1].fields == ["tpr", "other"])
    #expect(plots[1].x == .field("fpr") && plots[1].title == "Receiver" && plots[1].template == .linear)
    #expect(plots[2].sources[0].fields == ["p", "q"] && plots[2].xLabel == "X")
    #expect(plots[4].template == .scatter)
    #expect(plots[5].sources[0].fields == ["b"] && plots[6].sources[0].fields == ["c"] && plots[6].title == "Other")
    #expect(warnings.count == 1 && warnings[0].contains("unheard_of"))
  }

  @Test func seriesComeFromTheRightColumns() throws {
    let (plots, _) = try definitions("plots:\n- Cross: {x: {a.csv: step}, y: {b.csv: loss}}\n- c.json: {x: e}\n- d.tsv\n")
    let files = [
      "a.csv": "step,other\n10,1\n20,2\n", "b.csv": "loss\n0.5\nnan\n", "c.json": #"{"deep": [{"e": 1, "f": "x"}, {"e": 2, "f": "y"}]}"#,
      "d.tsv": "one\ttwo\n1\t2\n3\t4\n",
    ]
    func series(_ plot: PlotDefinition) -> [PlotSeries] {
      plot.series(of: "now") { Issue.record("\($0)") } table: { file, fields in
        files[file.text].flatMap { try? PlotTable(parsing: Array($0.utf8), named: file.text, fields: fields) }
      }
    }
    let cross = try #require(series(plots[0]).first)
    #expect(cross.x == .numbers([10, 20]))
    guard case .numbers(let losses) = cross.y else { throw CancellationError() }
    #expect(losses[0] == 0.5 && losses[1].isNaN)
    #expect(series(plots[1]).first?.y == .texts(["x", "y"]))
    // Without anything said: the last column, by row.
    #expect(series(plots[2]).first?.field == "two" && series(plots[2]).first?.x == .numbers([0, 1]))
  }

  @Test func aMissingColumnNamesThoseThatAreThere() throws {
    let (plots, _) = try definitions("plots:\n- a.csv: {y: gone}\n")
    var warnings: [String] = []
    let found = plots[0].series(of: "v1") { warnings.append($0) } table: { file, _ in
      try? PlotTable(parsing: Array("x,y\n1,2\n".utf8), named: file.text, fields: [])
    }
    #expect(found.isEmpty && warnings == ["'a.csv' at 'v1' has no column 'gone', which the plot 'a.csv' draws. It has: x, y."])
  }

  @Test func withoutAHeaderColumnsHaveNumbers() throws {
    let table = try PlotTable(parsing: Array("1,2\n3,4\n".utf8), named: "a.csv", hasHeader: false, fields: [])
    #expect(table.names == ["0", "1"] && table.column("1") == .numbers([2, 4]))
  }
}
