public import DVObject
public import DVPipeline
import DVStore
public import DVWorkspace

/// Reads the values in files of metrics or parameters, of the working tree or of a revision.
public struct ReadValues: Sendable {
  public enum Kind: Hashable, Sendable {
    case metrics
    case parameters
  }

  /// The values of one file.
  public struct File: Sendable {
    public let path: StagePath
    public let values: JSONValue
  }

  /// What was read.
  public struct Report: Sendable {
    public internal(set) var files: [File] = []
    /// What could not be read, in words: one bad file does not hide the others.
    public internal(set) var problems: [String] = []
  }

  private let kind: Kind
  private let revision: String?
  private let directory: TreePath

  /// - Parameters:
  ///   - revision: in git's syntax; `nil` for what is on disk.
  ///   - directory: the current directory, whose `dv.yaml` counts though git does not know it.
  public init(_ kind: Kind, at revision: String? = nil, directory: TreePath = .root) {
    self.kind = kind
    self.revision = revision
    self.directory = directory
  }

  /// Carries it out. Files of which a revision has neither content nor pointer are left out.
  public func run(in repository: Repository) async throws -> Report {
    let source = try RevisionFiles(repository, revision: revision)
    var report = Report()
    for path in try paths(source) {
      do {
        guard let bytes = try await source.content(of: TreePath(path)) else { continue }
        report.files.append(File(path: path, values: try ValueFile.read(bytes, named: path.text)))
      } catch let error as PipelineError {
        report.problems.append(error.message)
      } catch let error as StoreError where error.code == .missing {
        report.problems.append("'\(path)' is not in the local store; 'dv pull --rev \(revision ?? "HEAD")' fetches it.")
      }
    }
    return report
  }

  /// The files that the pipelines of the revision name, each once, in order.
  private func paths(_ source: RevisionFiles) throws -> [StagePath] {
    let files = try source.pipelines(from: directory)
    var found: [StagePath] = []
    switch kind {
    case .metrics:
      found = files.flatMap { file in file.metrics + file.stages.flatMap(\.outputs).filter { $0.role == .metric }.map(\.path) }
    case .parameters:
      // The file that templates read counts though no stage names it.
      let defaults = try files.map { try StagePath(ParameterSelection.defaultFile, in: $0.path.parent) }
      let fallback = files.isEmpty ? [try StagePath(ParameterSelection.defaultFile)] : []
      found = defaults + fallback + files.flatMap { file in file.parameters + file.stages.flatMap(\.parameters).map(\.file) }
    }
    var seen: Set<StagePath> = []
    return found.filter { seen.insert($0).inserted }
  }
}
