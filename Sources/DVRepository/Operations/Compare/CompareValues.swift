public import DVPipeline
public import DVWorkspace

/// Compares the values in files of metrics or parameters between two revisions, or of one with what is on disk.
public struct CompareValues: Sendable {
  /// What differs in one file.
  public struct File: Sendable {
    public let path: StagePath
    public let differences: [ValueDifference]
  }

  public struct Report: Sendable {
    public internal(set) var files: [File] = []
    /// What could not be read, in words.
    public internal(set) var problems: [String] = []
  }

  private let kind: ReadValues.Kind
  private let old: String
  private let new: String?
  private let directory: TreePath
  private let showsAll: Bool

  /// - Parameters:
  ///   - old: a revision.
  ///   - new: a revision; `nil` for what is on disk.
  ///   - showsAll: whether to return equal values too.
  public init(
    _ kind: ReadValues.Kind, from old: String = "HEAD", to new: String? = nil, directory: TreePath = .root,
    showsAll: Bool = false
  ) {
    self.kind = kind
    self.old = old
    self.new = new
    self.directory = directory
    self.showsAll = showsAll
  }

  /// Carries it out.
  public func run(in repository: Repository) async throws -> Report {
    let before = try await ReadValues(kind, at: old, directory: directory).run(in: repository)
    let after = try await ReadValues(kind, at: new, directory: directory).run(in: repository)
    var report = Report()
    report.problems = before.problems + after.problems.filter { !before.problems.contains($0) }
    var paths = after.files.map(\.path)
    paths += before.files.map(\.path).filter { !paths.contains($0) }
    for path in paths {
      let differences = ValueDifference.between(
        before.files.first { $0.path == path }?.values, after.files.first { $0.path == path }?.values, all: showsAll)
      if !differences.isEmpty { report.files.append(File(path: path, differences: differences)) }
    }
    return report
  }
}
