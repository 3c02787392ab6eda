public import DVPipeline
public import DVWorkspace
import SystemPackage

/// Which command a run away from home carries out.
public enum RunWork: Sendable {
  /// What a command line says; with arguments a program that is run without a shell.
  case stage(Stage, arguments: [[UInt8]], isNamed: Bool)
  /// A stage of the `dv.yaml` here, by its name or address.
  case declared(String, in: TreePath)

  /// Finds the stage.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` unless the name means one stage; ``PipelineError`` for a `dv.yaml` that makes no sense.
  func stage(in repository: Repository) throws -> (stage: Stage, arguments: [[UInt8]], isNamed: Bool) {
    switch self {
    case .stage(let stage, let arguments, let isNamed): return (stage, arguments, isNamed)
    case .declared(let name, let directory):
      let graph = try repository.pipeline(from: directory).graph
      let positions = try graph.positions(named: name, from: try StagePath(directory))
      guard let only = positions.first, positions.count == 1 else {
        throw RepositoryError(.usage, "'\(name)' names \(positions.count) stages; away from home one is run at a time.")
      }
      return (graph.stages[only], [], true)
    }
  }

  /// Finds the stage without recording anything.
  ///
  /// - Parameters:
  ///   - root: the top of the project.
  ///   - lookUp: looks up variables of the process.
  func stage(root: FilePath, _ lookUp: @escaping @Sendable (String) -> String?) throws -> (stage: Stage, arguments: [[UInt8]]) {
    if case .stage(let stage, let arguments, _) = self { return (stage, arguments) }
    let detached = try DetachedRepository(for: root, in: RunAway.temporaryDirectory(lookUp), lookUp)
    defer { withExtendedLifetime(detached) {} }
    let repository = try detached.open(.inputs)
    _ = try detached.fillIndex(of: repository, excluding: [])
    let found = try stage(in: repository)
    return (found.stage, found.arguments)
  }
}
