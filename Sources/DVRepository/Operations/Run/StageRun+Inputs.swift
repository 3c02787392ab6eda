import DVFile
import DVGit
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

extension RunSession {
  /// Checks out what a stage reads and is not there but known by a pointer, and warns of inputs that no other clone has.
  ///
  /// - Parameter fetching: whether what the local store lacks is fetched from the default remote.
  /// - Throws: ``RepositoryError/Code/missing`` naming what neither has.
  func bringIn(_ stage: Stage, fetching: Bool) async throws {
    var absent: [TreePath] = []
    for input in stage.reads {
      let path = TreePath(input)
      if !path.isRoot, let resolved = try repository.pointerSearch().resolve(path) {
        if try isAbsent(path, resolved) { absent.append(path) }
      } else if try root.kindIfThere(path) == .directory {
        // Data whose pointers lie inside.
        for item in try repository.selectBelow(path) where try root.appending(item.target).fileStat() == nil {
          absent.append(item.target)
        }
      }
    }
    if !absent.isEmpty { try await bringIn(absent, for: stage, fetching: fetching) }
    try warnOfPrivateInputs(of: stage)
  }

  private func isAbsent(_ path: TreePath, _ resolved: PointerSearch.Resolution) throws -> Bool {
    guard try PointerFile.read(resolved.pointer, in: root) != nil else { return false }
    return try root.appending(path).fileStat() == nil
  }

  private func bringIn(_ paths: [TreePath], for stage: Stage, fetching: Bool) async throws {
    if fetching {
      let report = try await FetchData(paths).run(in: repository, progress: progress)
      try await store.refresh()
      if let failure = report.failures.first {
        throw RepositoryError(
          failure.kind == .missing ? .missing : .corrupt,
          "'\(failure.path)', which the stage '\(stage.address)' reads, cannot be fetched: \(failure.message)",
          remedy: "Whoever added it can 'dv push' it.")
      }
    }
    let report = try await CheckOutData(paths).run(in: repository, progress: progress)
    if let failure = report.failures.first {
      throw RepositoryError(
        .missing, "'\(failure.path)', which the stage '\(stage.address)' reads, is neither checked out nor in the local store.",
        remedy: "'dv repro --pull' fetches what stages need, 'dv pull \(paths[0])' this data.")
    }
    output.note(.broughtIn(stage: stage.address, paths))
  }

  /// Fetches from the default remote what an earlier run made.
  ///
  /// - Returns: whether all of it is in the local store now.
  func fetchOutputs(of run: PastRun) async throws -> Bool {
    guard let remote = try? repository.remote(nil) else { return false }
    var roots: [TransferRoot] = []
    for output in run.outputs {
      guard output.content.mode != .directory else { return false }
      roots.append(
        TransferRoot(
          kind: output.content.mode == .tree ? .tree : .file, oid: output.content.oid, size: output.content.size,
          label: output.path.text))
    }
    let local = try await repository.localStore(for: .write)
    let source: ObjectStore
    do { source = try await repository.remoteStore(remote, create: false) } catch let error as RepositoryError where error.code == .missing {
      return false
    }
    let sink = progress
    let transfer = try await Transfer(.fetch, from: source, to: local.store) { sink.count($0) }.run(roots)
    try await store.refresh()
    return transfer.incompleteRoots.isEmpty
  }

  /// Warns of inputs that neither git nor dv tracks, nor the code's snapshot holds: elsewhere the stage cannot run.
  private func warnOfPrivateInputs(of stage: Stage) throws {
    let index = try repository.git.index()
    for input in stage.inputs {
      let path = TreePath(input)
      guard !path.isRoot, try repository.pointerSearch().resolve(path) == nil else { continue }
      switch try root.kindIfThere(path) {
      case .regular?:
        guard index.entry(at: try GitPath(path.bytes)) == nil,
          let stat = try root.appending(path).fileStatFollowingLinks(), stat.size > CodeSnapshot.untrackedLimit
        else { continue }
      case .directory?:
        guard index.entries(under: try GitPath(path.bytes)).isEmpty, try repository.selectBelow(path).isEmpty else { continue }
      default: continue
      }
      output.note(
        .warning(
          "'\(input)', which the stage '\(stage.address)' reads, is tracked neither by git nor by dv, so nobody else can run it. "
            + "'dv add \(input)' tracks it."))
    }
  }
}

extension Repository {
  /// The data whose pointers lie below a directory.
  fileprivate func selectBelow(_ path: TreePath) throws -> [TrackedData] {
    do { return try select([path]).items.map(\.data) } catch let error as RepositoryError where error.code == .usage {
      return []
    }
  }
}
