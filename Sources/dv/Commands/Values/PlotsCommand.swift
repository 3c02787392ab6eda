import ArgumentParser
import DVFile
import DVObject
import DVPipeline
import DVRepository
import DVWorkspace
import SystemPackage

struct PlotsCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "plots", abstract: "Draw series of values and images, of one revision or several, on one page.",
    discussion: """
      Draws what dv.yaml declares in 'plots', at its top and as outputs of stages: CSV, TSV, JSON, YAML and images. The page \
      is one file that needs no network; a name that ends in .svg makes a picture instead.

        dv plots                            what is on disk
        dv plots v1.0 HEAD                  two revisions, in one picture each
        dv plots v1.0 workspace             a revision and what is on disk
        dv plots --plot loss.csv -x step -y train -y val    a file that dv.yaml does not name
      """)

  @OptionGroup var options: GlobalOptions

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("Where to write the page; - for standard output. 'dv-plots.html' if not given.", valueName: "file"))
  var output: PathArgument?

  @Option(
    name: .customLong("plot"), parsing: .singleValue,
    help: ArgumentHelp("Only this: a plot's name, or a path of a file or directory; can be repeated.", valueName: "name"))
  var targets: [String] = []

  @Option(name: .short, help: ArgumentHelp("The column to draw along.", valueName: "column"))
  var x: String?

  @Option(name: .short, parsing: .singleValue, help: ArgumentHelp("A column to draw; can be repeated.", valueName: "column"))
  var y: [String] = []

  @Option(name: .long, help: ArgumentHelp("How to draw it.", valueName: "linear|scatter|bar|confusion|confusion_normalized"))
  var template: String?

  @Option(name: .long, help: "The title.")
  var title: String?

  @Option(name: .customLong("x-label"), help: "The name of the axis across.")
  var xLabel: String?

  @Option(name: .customLong("y-label"), help: "The name of the axis upwards.")
  var yLabel: String?

  @Flag(name: .long, help: "The first line of a CSV or TSV is values: its columns are 0, 1 …")
  var noHeader = false

  @Argument(help: "Revisions in git's syntax, or 'workspace' for what is on disk, which is drawn if none is given.")
  var revisions: [String] = []

  func validate() throws {
    if let template, PlotDefinition.Template(named: template) == nil {
      let known = PlotDefinition.Template.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("There is no template '\(SafeText.name(template))'. There are: \(known).")
    }
    if targets.isEmpty, !properties.isEmpty { throw ValidationError("How it is drawn is said of a plot: name it with --plot.") }
  }

  /// What the command line says of the plots, as `dv.yaml` would.
  private var properties: JSONObject {
    var properties = JSONObject()
    properties["x"] = x.map { .string($0) }
    if !y.isEmpty { properties["y"] = .array(y.map { .string($0) }) }
    properties["template"] = template.map { .string($0) }
    properties["title"] = title.map { .string($0) }
    properties["x_label"] = xLabel.map { .string($0) }
    properties["y_label"] = yLabel.map { .string($0) }
    if noHeader { properties["header"] = false }
    return properties
  }

  func run() async throws {
    let repository = try Here.repository()
    var request = ReadPlots.Request()
    request.revisions = revisions
    request.targets = targets
    request.properties = properties
    request.directory = try repository.workDirectory == nil ? .root : repository.treePath(".", from: try Here.directory())
    let report = try await ReadPlots(request).run(in: repository)
    ValuesRendering.warn(report.problems)
    guard !report.plots.isEmpty else {
      if options.json { try StandardOutput.write(PlotsText.json(report, page: nil)) }
      throw RepositoryError(
        .usage, "There is nothing to draw.", remedy: "Declare 'plots' in dv.yaml, or name a file with --plot.")
    }
    let page = try write(report)
    if options.json {
      try StandardOutput.write(PlotsText.json(report, page: page))
    } else if let page, !options.quiet {
      StandardError.write("Wrote '\(SafeText.name(page.rawBytes))': \(Count(UInt64(report.plots.count)).of("plot")).\n")
    }
  }

  /// Writes the page; with `--json`, only if it is asked for.
  ///
  /// - Returns: its place; `nil` if it went to standard output, or nowhere.
  private func write(_ report: ReadPlots.Report) throws -> FilePath? {
    if options.json, output == nil { return nil }
    let file = output?.path ?? "dv-plots.html"
    let isPicture = file.string.lowercased().hasSuffix(".svg")
    let text = isPicture ? PlotPicture(report: report).text : PlotPage(report: report).text
    if file == "-" {
      guard !options.json else { throw ValidationError("--json and a page cannot both go to standard output.") }
      try StandardOutput.write(text)
      return nil
    }
    try file.replaceContent(with: Array(text.utf8).span, durable: false)
    return file
  }
}

/// Plots as JSON.
enum PlotsText {
  static func json(_ report: ReadPlots.Report, page: FilePath?) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.plots/1")
      json.array("revisions") { json in report.revisions.forEach { json.value($0) } }
      if let page { json.path("page", page.rawBytes) } else { json.member("page", nil as String?) }
      json.array("plots") { json in
        for plot in report.plots { json.object { Self.write(plot, to: &$0) } }
      }
      json.array("warnings") { json in report.problems.forEach { json.value($0) } }
    }
    return json.text + "\n"
  }

  private static func write(_ plot: ReadPlots.Plot, to json: inout JSONText) {
    json.member("name", plot.definition.name)
    json.member("title", plot.definition.title)
    json.member("template", plot.definition.template.rawValue)
    json.array("series") { json in
      for series in plot.series {
        json.object { json in
          json.member("revision", series.revision)
          json.member("path", series.file.text)
          json.member("field", series.field)
          json.member("along", series.xField)
          json.array("x") { Self.write(series.x, to: &$0) }
          json.array("y") { Self.write(series.y, to: &$0) }
        }
      }
    }
    json.array("images") { json in
      for image in plot.images {
        json.object { json in
          json.member("revision", image.revision)
          json.member("path", image.path.text)
          json.member("type", image.format.rawValue)
          json.member("size", image.bytes.count)
          json.member("oid", ObjectID(hashing: image.bytes.span).text)
        }
      }
    }
  }

  private static func write(_ column: PlotColumn, to json: inout JSONText) {
    switch column {
    case .numbers(let values): values.forEach { json.value($0) }
    case .texts(let texts): texts.forEach { json.value($0) }
    }
  }
}
