import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVWorkspace
import SystemPackage

/// The outputs of a run that was made elsewhere, and their places here.
///
/// Paths come from whoever made the run: what would change how git, dv or the user's tools behave is refused.
struct AdoptedOutputs {
  private let run: RunRecord
  private let session: RunSession
  private let isForced: Bool

  init(_ run: RunRecord, of session: RunSession, isForced: Bool) {
    self.run = run
    self.session = session
    self.isForced = isForced
  }

  /// Outputs of which only the digest is recorded.
  var withoutContent: [TreePath] {
    run.outputs.filter { output in
      output.content.mode == .directory || run.uncached.contains(output.path) && output.content.size > RunSession.uncachedLimit
    }.map { TreePath($0.path) }
  }

  // MARK: - Checking

  /// Checks all places.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for a path that no output may have, ``RepositoryError/Code/conflict`` if something of
  ///   the user's is there.
  func check() async throws {
    let paths = run.outputs.map(\.path)
    for (index, path) in paths.enumerated() {
      if let other = paths[..<index].first(where: { $0.overlaps(path) }) {
        throw RepositoryError(.usage, "The run says that it made '\(other)' and '\(path)', of which one lies in the other.")
      }
    }
    let declared = Set((try? session.repository.pipeline())?.graph.stages.flatMap { $0.outputs.map(\.path) } ?? [])
    let index = try session.repository.git.index()
    for output in run.outputs {
      let path = TreePath(output.path)
      try requireName(path)
      try AddRequest.requirePlace(path, in: session.root)
      guard run.status == .complete else { continue }
      if run.uncached.contains(output.path) {
        try await requireReplaceable(output, path, isTracked: index.entry(at: try GitPath(path.bytes)) != nil, isDeclared: declared.contains(output.path))
      } else {
        try await requireTrackable(output, path, index)
      }
    }
  }

  private static let refusedNames: Set<String> = ["dv.yaml", "dvc.yaml", ".dvignore", ".dvcignore", ".envrc"]

  private func requireName(_ path: TreePath) throws {
    for name in path.names.map({ String(decoding: $0, as: UTF8.self).lowercased() }) where name.hasPrefix(".git") || Self.refusedNames.contains(name) {
      throw RepositoryError(
        .usage, "The run says that it made '\(path)', which would change what git or dv does here. Nothing was done.",
        remedy: "Ask whoever sent it what it is.")
    }
    if PointerFile.isPointerName(path) || path.isRoot || GitIgnoreFile.line(for: path.lastName) == nil {
      throw RepositoryError(.usage, "The run says that it made '\(path)', which no output can be called. Nothing was done.")
    }
  }

  /// Of what git tracks: a file that is there is as it was recorded, or a stage here makes it and git has its bytes.
  private func requireReplaceable(_ output: PathState, _ path: TreePath, isTracked: Bool, isDeclared: Bool) async throws {
    let resolved = try session.repository.pointerSearch().resolve(path)
    guard resolved == nil else { throw conflict(path, "belongs to data that dv tracks") }
    guard try session.root.kindIfThere(path) != nil else { return }
    if let there = try await session.survey.state(of: output.path), there.isSame(as: output.content) { return }
    if isForced { return }
    guard isTracked, isDeclared else {
      throw conflict(path, isTracked ? "is versioned by git, and no stage here says that it makes it" : "is there, and is another file")
    }
  }

  /// Of what dv tracks: what is there is a version that is kept, and git has nothing in its place.
  private func requireTrackable(_ output: PathState, _ path: TreePath, _ index: GitIndex) async throws {
    if let entry = index.entries(under: try GitPath(path.bytes)).first {
      throw conflict(path, "is tracked by git ('\(entry.path)')")
    }
    if let resolved = try session.repository.pointerSearch().resolve(path), !resolved.inside.isRoot {
      throw conflict(path, "belongs to data that dv tracks, '\(PointerFile.target(of: resolved.pointer))'")
    }
    guard try session.root.appending(path).fileStat() != nil, !isForced else { return }
    if let there = try await session.survey.state(of: output.path), there.isSame(as: output.content) { return }
    let look = try await session.repository.look(at: path)
    if let pointer = try PointerFile.read(PointerFile.path(for: path), in: session.root)?.pointer {
      if look.isKnown(as: pointer) { return }
      if try await look.hashed(progress: session.progress)?.pointer?.oid == pointer.oid { return }
    }
    throw conflict(path, "is there, and its bytes are in no version")
  }

  private func conflict(_ path: TreePath, _ reason: String) -> RepositoryError {
    RepositoryError(
      .conflict, "The run made '\(path)', which \(reason). Nothing was done.",
      remedy: "Commit or move what is there; --force replaces a file, whose bytes are kept in the store.")
  }

  // MARK: - Placing

  /// Puts the outputs into place and stages pointers and record.
  ///
  /// - Returns: what was put there.
  func place(_ id: ObjectID) async throws -> [TreePath] {
    let without = Set(withoutContent)
    let name = run.stage?.split(separator: ":").last.map(String.init) ?? "run"
    var stage = Stage(
      name: name, file: StagePath.pipeline(of: run.stage) ?? .root, commands: run.commands, workingDirectory: run.workingDirectory)
    stage.outputs = run.outputs.filter { !without.contains(TreePath($0.path)) }.map { output in
      Output(output.path, isCached: !run.uncached.contains(output.path))
    }
    let past = PastRun(
      record: id, key: run.key ?? id, commands: run.commands, workingDirectory: run.workingDirectory, inputs: run.inputs,
      parameters: run.parameters, outputs: run.outputs, environment: run.declared, end: run.end)
    guard try await session.restore(past, as: stage) else {
      throw RepositoryError(
        .missing, "What the run made could not be put into place whole; its record is in this clone.",
        remedy: "'dv status' says what is there; run the command again.")
    }
    return stage.outputs.map { TreePath($0.path) }
  }
}
