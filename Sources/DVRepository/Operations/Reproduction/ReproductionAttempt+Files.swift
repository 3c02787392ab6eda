import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// The code and the inputs of the run, in the working tree of the attempt.
extension ReproductionAttempt {
  /// Writes the code.
  ///
  /// - Returns: its files.
  func placeCode(in isolated: Repository, _ root: FilePath) async throws -> Set<TreePath> {
    if request.isAsCommitted, let commit { return try placeCommit(commit, root) }
    guard let code = step.run.code else {
      throw RepositoryError(.missing, "The record has no snapshot of the code.")
    }
    return Set(try await TreePlacement(root: root, reader: reader).place(tree: code.id).keys)
  }

  private func placeCommit(_ commit: GitObjectID, _ root: FilePath) throws -> Set<TreePath> {
    var placed: Set<TreePath> = []
    for file in try repository.git.files(in: commit) where file.kind != .submodule {
      guard let path = TreePath(file.path.bytes), !path.names.starts(with: [Array(".dv".utf8), Array("records".utf8)]) else {
        continue
      }
      let bytes = try repository.git.readBlob(file.id, limit: 1 << 30)
      let place = root.appending(path)
      try place.containingDirectory.createDirectories()
      if file.kind == .symlink {
        try place.createSymlink(to: bytes)
      } else {
        try place.createContent(bytes.span, durable: false)
        if file.kind == .executable { try place.setExecutable(true) }
      }
      placed.insert(path)
    }
    return placed
  }

  func placeInputs(in isolated: Repository, _ root: FilePath, _ code: Set<TreePath>) async throws {
    let placement = TreePlacement(root: root, reader: reader)
    var targets: [TreePath] = []
    var chained: [StagePath] = []
    for state in made where step.inputs.contains(where: { $0.path.overlaps(state.path) }) {
      guard state.content.mode != .directory else {
        throw RepositoryError(.missing, "'\(state.path)' is a directory that dv does not track, so it cannot be handed on.")
      }
      chained.append(state.path)
      try await place(state.path, state.content, isolated, placement, &targets)
    }
    for input in step.inputs where input.content.mode != .directory && !code.contains(TreePath(input.path)) {
      guard !chained.contains(where: { $0.overlaps(input.path) }) else { continue }
      try await place(input.path, input.content, isolated, placement, &targets)
    }
    if !targets.isEmpty {
      let report = try await CheckOutData(targets, isForced: true).run(in: isolated, progress: progress)
      if let failure = report.failures.first { throw failure.error }
    }
    let survey = try ContentSurvey(isolated, store: LazyStore(try isolated.storePlace()), progress: progress)
    for input in step.run.inputs where !chained.contains(where: { $0.overlaps(input.path) }) {
      if request.isAsCommitted, code.contains(TreePath(input.path)) || input.content.mode == .directory { continue }
      guard let there = try await survey.state(of: input.path), there.isSame(as: input.content) else {
        throw RepositoryError(
          .missing, input.content.mode == .directory
            ? "'\(input.path)' had files that neither git nor dv tracked, so it cannot be made as it was."
            : "'\(input.path)' cannot be made as it was recorded.")
      }
    }
  }

  /// Puts one input into its place, or notes that its pointer is to be checked out.
  private func place(
    _ path: StagePath, _ content: ContentState, _ isolated: Repository, _ placement: TreePlacement, _ targets: inout [TreePath]
  ) async throws {
    let place = TreePath(path)
    let resolved = try isolated.pointerSearch().resolve(place)
    if resolved?.inside.isRoot ?? (content.mode == .tree) {
      let pointer: Pointer
      if content.mode == .tree {
        pointer = Pointer(tree: content.oid, totals: try TreeNode(decoding: try await reader.node(content.oid), isRoot: true).totals)
      } else {
        pointer = Pointer(file: content.oid, size: content.size, executable: content.mode == .exec)
      }
      try placement.root.appending(place).containingDirectory.createDirectories()
      try PointerFile(path: PointerFile.path(for: place), pointer: pointer).write(in: placement.root)
      targets.append(place)
    } else if content.mode == .tree {
      try placement.root.appending(place).removeTree()
      try await placement.place(tree: content.oid, at: place)
    } else {
      try await placement.place(content.oid, size: content.size, isExecutable: content.mode == .exec, at: place)
    }
  }
}
