/// Which stage makes which file.
struct OutputMakers {
  private var makers: [StagePath: Int] = [:]
  /// Of each directory above an output, the stages with outputs below it.
  private var below: [StagePath: [Int]] = [:]

  /// - Throws: ``PipelineError/Code/graph`` if two stages make one file, or one makes a file in what another makes.
  init(_ stages: [Stage]) throws(PipelineError) {
    for (index, stage) in stages.enumerated() {
      for output in stage.outputs {
        if let other = makers[output.path] {
          throw PipelineError(
            .graph,
            "Two stages make '\(output.path)': '\(stages[other].address)' (\(StageGraph.place(stages[other]))) and "
              + "'\(stage.address)' (\(StageGraph.place(stage))).",
            remedy: "Give one of them another output.")
        }
        makers[output.path] = index
        var directory = output.path
        while !directory.isRoot {
          directory = directory.parent
          if below[directory]?.last != index { below[directory, default: []].append(index) }
        }
      }
    }
    for (index, stage) in stages.enumerated() {
      for output in stage.outputs {
        guard let inside = below[output.path]?.first else { continue }
        let inner = stages[inside].outputs.first { $0.path.isInside(output.path) && $0.path != output.path }
        throw PipelineError(
          .graph,
          "'\(inner?.path ?? output.path)', which the stage '\(stages[inside].address)' makes, lies in '\(output.path)', which "
            + "the stage '\(stage.address)' makes (\(StageGraph.place(stages[inside])), \(StageGraph.place(stages[index]))).",
          remedy: "Let neither lie in the other.")
      }
    }
  }

  /// The stages that make `path`, something it lies in, or something in it.
  func makers(of path: StagePath) -> [Int] {
    var found = below[path] ?? []
    var place = path
    while true {
      if let maker = makers[place] { found.append(maker) }
      guard !place.isRoot else { return found }
      place = place.parent
    }
  }
}
