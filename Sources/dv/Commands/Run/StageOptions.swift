import ArgumentParser
import DVPipeline
import DVWorkspace

/// What a command line says of a stage.
struct StageOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "Name the stage, and write it to dv.yaml.")
  var name: String?

  @Option(name: [.customShort("d"), .long], parsing: .singleValue, help: "A file or directory the command reads; can be repeated.")
  var deps: [String] = []

  @Option(name: [.customShort("o"), .long], parsing: .singleValue, help: "An output that dv tracks; can be repeated.")
  var outs: [String] = []

  @Option(
    name: [.customShort("O"), .customLong("outs-no-cache")], parsing: .singleValue,
    help: "A small output that git tracks; can be repeated.")
  var uncached: [String] = []

  @Option(
    name: .customLong("outs-persist"), parsing: .singleValue,
    help: "An output that stays in place when the command runs again; can be repeated.")
  var persistent: [String] = []

  @Option(
    name: [.customShort("p"), .long], parsing: .singleValue,
    help: ArgumentHelp("Parameters the command reads, of params.yaml or of FILE; can be repeated.", valueName: "[file:]names"))
  var params: [String] = []

  @Option(name: [.customShort("m"), .long], parsing: .singleValue, help: "A file of metrics that dv tracks; can be repeated.")
  var metrics: [String] = []

  @Option(
    name: [.customShort("M"), .customLong("metrics-no-cache")], parsing: .singleValue,
    help: "A file of metrics that git tracks; can be repeated.")
  var uncachedMetrics: [String] = []

  @Option(name: .long, parsing: .singleValue, help: "A file to plot that dv tracks; can be repeated.")
  var plots: [String] = []

  @Option(name: .customLong("plots-no-cache"), parsing: .singleValue, help: "A file to plot that git tracks; can be repeated.")
  var uncachedPlots: [String] = []

  @Option(name: [.customShort("w"), .customLong("wdir")], help: "Where the command runs; paths are relative to it.")
  var workingDirectory: String?

  @Option(name: .long, help: "What the stage is for.")
  var desc: String?

  @Flag(name: .long, help: "Run it every time.")
  var alwaysChanged = false
}

extension StageOptions {
  /// Makes the stage.
  ///
  /// - Parameters:
  ///   - command: one shell command line.
  ///   - directory: the current directory, whose `dv.yaml` the stage belongs to.
  func stage(command: String, in directory: TreePath) throws -> Stage {
    let here = directory.isRoot ? StagePath.root : try StagePath(String(decoding: directory.bytes, as: UTF8.self))
    let place = try workingDirectory.map { $0 == "." ? here : try StagePath($0, in: here) } ?? here
    var stage = Stage(
      name: name ?? "run", file: try StagePath(PipelineFile.name, in: here), commands: [command], workingDirectory: place)
    if let name {
      guard name.allSatisfy({ $0.isLetter || $0.isNumber || "_-.".contains($0) }), name.first != "-", name.first != "." else {
        throw ValidationError("'\(name)' is no name of a stage. Use letters, digits, '_', '-' and '.'.")
      }
    }
    stage.inputs = try deps.map { try StagePath($0, in: place) }
    for text in params { add(try Self.selection(text, in: place), to: &stage) }
    let kinds: [(paths: [String], role: Output.Role, isCached: Bool)] = [
      (outs, .data, true), (uncached, .data, false), (metrics, .metric, true), (uncachedMetrics, .metric, false),
      (plots, .plot, true), (uncachedPlots, .plot, false),
    ]
    for kind in kinds {
      for path in kind.paths { stage.outputs.append(Output(try StagePath(output: path, in: place), role: kind.role, isCached: kind.isCached)) }
    }
    for path in persistent { stage.outputs.append(Output(try StagePath(output: path, in: place), isPersistent: true)) }
    guard Set(stage.outputs.map(\.path)).count == stage.outputs.count else {
      throw ValidationError("An output is named twice.")
    }
    stage.isAlwaysChanged = alwaysChanged
    stage.description = desc
    return stage
  }

  /// Reads `lr,epochs`, `conf.yaml:lr,epochs` or `conf.yaml:` for all of it.
  private static func selection(_ text: String, in place: StagePath) throws -> ParameterSelection {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let (file, names) = parts.count == 2 ? (String(parts[0]), parts[1]) : (ParameterSelection.defaultFile, parts[0])
    return ParameterSelection(
      file: try StagePath(file, in: place), names: names.split(separator: ",").map { String($0) })
  }

  private func add(_ selection: ParameterSelection, to stage: inout Stage) {
    guard let index = stage.parameters.firstIndex(where: { $0.file == selection.file }) else {
      return stage.parameters.append(selection)
    }
    stage.parameters[index].names += selection.names.filter { !stage.parameters[index].names.contains($0) }
  }
}
