import DVGit
public import DVLineage
import DVObject
public import DVWorkspace

/// Registers data of the commit that is checked out as a version of a model: the operation behind `dv model register`.
public struct RegisterModel: Sendable {
  /// Which version it becomes.
  public enum Choice: Sendable {
    case exactly(ModelVersion)
    /// The last one counted up; `v0.1.0` for the first.
    case next(ModelVersion.Part)
  }

  private let model: ModelName
  private let path: TreePath
  private let choice: Choice
  private let description: String?
  private let isSigned: Bool
  private let environment: [[UInt8]]

  /// - Parameters:
  ///   - path: a target, relative to the working tree's root.
  ///   - description: what people should know of it.
  ///   - isSigned: whether git must sign the tag.
  ///   - environment: all variables of the process, for git.
  public init(
    _ model: ModelName, _ path: TreePath, _ choice: Choice, description: String? = nil, isSigned: Bool = false,
    environment: [[UInt8]]
  ) {
    (self.model, self.path, self.choice, self.description) = (model, path, choice, description)
    (self.isSigned, self.environment) = (isSigned, environment)
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` unless the commit that is checked out holds the pointer as it is now, and the record of
  ///   the run that it names; or if the version, or a version of this model at this commit, is there already.
  public func run(in repository: Repository) async throws -> TagReport {
    let (commit, data) = try committed(in: repository)
    let known = try repository.modelRegistry().models[model] ?? ModelRegistry.Model(name: model)
    let release: ModelVersion
    switch choice {
    case .exactly(let version): release = version
    case .next(let part): release = known.versions.last?.release.bumped(part) ?? ModelVersion(0, 1, 0)
    }
    guard !known.events.contains(where: { $0.parsed.action == .register(release) }) else {
      throw RepositoryError(
        .usage, "Version \(release) of '\(model)' is registered already, and a version is never given to anything else.",
        remedy: "Register it as another version, or with --bump.")
    }
    if let other = known.versions.first(where: { $0.event.tag.commit == commit.hex }) {
      throw RepositoryError(
        .usage, "Commit \(commit.shortHex) is \(model)@\(other.release) already, and GTO's tools cannot read two versions of one commit.",
        remedy: "Commit the change that makes it another version first.")
    }
    if known.isDeprecated {
      throw RepositoryError(.usage, "The model '\(model)' is deprecated.", remedy: "Register it under another name.")
    }
    let pointer = data.pointer
    let record = try ModelRecord(
      model: model, release: release, path: data.target.description, oid: pointer.oid, isTree: pointer.kind == .tree,
      size: pointer.size, files: pointer.files, run: pointer.run, commit: commit.hex, time: Moment.milliseconds,
      user: repository.person()
    ).encoded()
    let tag = RegistryTag(model, .register(release))
    try await TagWriting(repository: repository, environment: environment, isSigned: isSigned).write(
      tag, at: commit.hex, message: TagMessage.text(title: "Register \(model) \(release)", description: description, record: record))
    return TagReport(
      tag: tag.name, model: model, release: release, alias: nil, commit: commit.hex, previous: known.versions.last?.release,
      record: record.id)
  }

  /// Finds the commit that is checked out, and in it the pointer as it is in the working tree.
  private func committed(in repository: Repository) throws -> (GitObjectID, TrackedData) {
    guard let commit = try repository.git.head().commit else {
      throw RepositoryError(.usage, "There is no commit yet.", remedy: "'git commit' the pointer first.")
    }
    let data: TrackedData
    if repository.workDirectory != nil {
      guard let item = try repository.select([path]).items.first, item.inside.isRoot,
        item.data.target == path || item.data.pointerPath == path
      else {
        throw RepositoryError(.usage, "'\(path)' is not one target of dv's.", remedy: "Name a file or directory that has a pointer of its own.")
      }
      data = item.data
    } else {
      guard let found = try repository.resolve(path, in: commit), found.inside.isRoot else {
        throw RepositoryError(.usage, "'\(path)' is not tracked by dv at \(commit.shortHex).")
      }
      data = found.data
    }
    guard let there = try repository.resolve(data.target, in: commit), there.inside.isRoot, there.data.pointer == data.pointer else {
      throw RepositoryError(
        .usage, "Commit \(commit.shortHex) does not hold '\(data.pointerPath)' as it is now.",
        remedy: "'git add \(data.pointerPath)' and 'git commit', then register the model.")
    }
    if let run = data.pointer.run, try repository.git.entry(at: GitPath(RecordBook.path(of: run).bytes), in: commit) == nil {
      throw RepositoryError(
        .usage, "Commit \(commit.shortHex) holds the pointer but not the record of the run that made it ('\(RecordBook.path(of: run))').",
        remedy: "'git add .dv/records' and 'git commit', then register the model.")
    }
    return (commit, there.data)
  }
}
