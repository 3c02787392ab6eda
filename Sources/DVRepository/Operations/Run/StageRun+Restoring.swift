import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

extension RunSession {
  /// Puts the outputs of an earlier run into their places, with pointers that name it.
  ///
  /// What is in their way is kept in the store first.
  ///
  /// - Returns: whether all could be delivered. If not, what could be stays: it is what a run makes, too.
  func restore(_ run: PastRun, as stage: Stage) async throws -> Bool {
    let local = try await repository.localStore(for: .write)
    var targets: [TreePath] = []
    var staged: [GitPath] = []
    var previous: [StagePath: Pointer] = [:]
    for output in stage.outputs {
      let path = TreePath(output.path)
      guard let made = run.outputs.first(where: { $0.path == output.path }) else { return false }
      if let there = try await survey.state(of: output.path), there.isSame(as: made.content),
        try root.appending(path).fileStat() != nil
      {
        continue
      }
      if try root.appending(path).fileStat() != nil { try await preserve(path, local.store) }
      if output.isCached {
        let pointerPath = PointerFile.path(for: path)
        let old = try PointerFile.read(pointerPath, in: root)?.pointer
        previous[output.path] = old
        guard let pointer = try await pointer(for: made.content, local.store) else { return false }
        try root.appending(path).containingDirectory.createDirectories()
        try PointerFile(path: pointerPath, pointer: pointer).write(in: root)
        let lock = try repository.lockWorkingTree()
        if let ignore = try GitIgnoreFile.add(path, in: root) { staged.append(try GitPath(ignore.bytes)) }
        withExtendedLifetime(lock) {}
        targets.append(path)
      } else {
        try await place(made.content, at: path, local.store)
        let git = try GitPath(path.bytes)
        if try !repository.git.isIgnored(git) { staged.append(git) }
      }
    }
    if !targets.isEmpty {
      let report = try await CheckOutData(targets, isForced: true).run(in: repository, progress: progress)
      guard report.failures.isEmpty else { return false }
    }
    if !staged.isEmpty {
      let lock = try repository.lockWorkingTree()
      try repository.git.stage(adding: staged)
      withExtendedLifetime(lock) {}
    }
    try name(run.record, as: stage, previous)
    return true
  }

  /// Has the pointers of outputs that are there name the run that made them, if none does.
  func adopt(_ record: ObjectID, _ runs: [PastRun], by stage: Stage) throws {
    var isNamed = true
    for output in stage.outputs where output.isCached {
      let path = PointerFile.path(for: TreePath(output.path))
      guard let file = try PointerFile.read(path, in: root) else { return }
      // Another run that made the same bytes may be named: then its line stays.
      if file.pointer.run == nil { isNamed = false }
    }
    if !isNamed { try name(record, as: stage, [:]) }
  }

  /// The pointer of a version that the store holds.
  private func pointer(for content: ContentState, _ store: ObjectStore) async throws -> Pointer? {
    switch content.mode {
    case .file, .exec: return Pointer(file: content.oid, size: content.size, executable: content.mode == .exec)
    case .tree:
      guard let bytes = try? await self.store.nodes(content.oid), let node = try? TreeNode(decoding: bytes, isRoot: true) else {
        return nil
      }
      return Pointer(tree: content.oid, totals: node.totals)
    case .directory: return nil
    }
  }

  /// Writes a file that git tracks from the store.
  private func place(_ content: ContentState, at path: TreePath, _ store: ObjectStore) async throws {
    var bytes: [UInt8] = []
    try await store.readFile(content.oid, size: content.size) { piece in
      for index in 0..<piece.count { bytes.append(piece[index]) }
    }
    let file = root.appending(path)
    try file.containingDirectory.createDirectories()
    try file.replaceContent(with: bytes.span, durable: false)
    if content.mode == .exec { try file.setExecutable(true) }
  }
}
