import DVPipeline

/// A `dv.yaml` and the files beside it, as texts.
struct PipelineText {
  var files: [String: String]

  init(_ text: String, files: [String: String] = [:]) {
    self.files = files
    self.files["dv.yaml"] = text
  }

  func load(settings: ParsingSettings = ParsingSettings()) throws -> PipelineFile {
    try PipelineFile(
      parsing: Array((files["dv.yaml"] ?? "").utf8), at: try StagePath("dv.yaml"), settings: settings
    ) { path in
      files[path.text].map { Array($0.utf8) }
    }
  }

  func graph() throws -> StageGraph { try StageGraph(try load().stages) }
}

extension PipelineFile {
  /// The commands of all stages, by name.
  var commands: [String: [String]] { Dictionary(stages.map { ($0.name, $0.commands) }) { first, _ in first } }
}
