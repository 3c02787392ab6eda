import DVFile
import DVGit
import DVObject
import DVStore
import DVWorkspace

/// A checkout of several targets under way.
struct CheckOutSession {
  let repository: Repository
  let isForced: Bool
  let store: LazyStore
  let progress: ProgressSink
  /// Contents that a pull has written and proved, by target.
  private let prepared: [TreePath: PreparedFiles]
  var report = CheckOutReport()
  private var work: [(item: Selection.Item, look: TargetLook, plan: CheckoutPlan)] = []

  init(repository: Repository, isForced: Bool, store: LazyStore, prepared: [TreePath: PreparedFiles] = [:], progress: ProgressSink) {
    self.repository = repository
    self.isForced = isForced
    self.store = store
    self.progress = progress
    self.prepared = prepared
  }

  // MARK: - Planning

  /// Plans one target, or notes why it cannot be planned.
  mutating func plan(_ item: Selection.Item) async throws {
    let target = item.data.target
    if item.data.pointer.kind == .file, !item.inside.isRoot {
      throw RepositoryError(.usage, "'\(target)' is tracked as a file, so there is nothing inside it.")
    }
    let look = try await repository.look(at: target)
    if look.isKnown(as: item.data.pointer) {
      report.unchanged += 1
      return
    }
    do throws(WorkspaceError) {
      work.append((item, look, try await plan(item, look)))
    } catch {
      guard error.code == .missing || error.code == .corrupt else { throw error }
      report.failures.append(CheckoutFailure(path: target, error: undelivered(target, because: error)))
    }
  }

  private func undelivered(_ target: TreePath, because error: WorkspaceError) -> WorkspaceError {
    WorkspaceError(error.code, "'\(target)' could not be checked out: \(error.message)", paths: [target], cause: error)
  }

  private func plan(_ item: Selection.Item, _ look: TargetLook) async throws(WorkspaceError) -> CheckoutPlan {
    do {
      let disk = try await look.hashed(progress: progress)
      let store = store
      let planner = CheckoutPlanner(
        target: item.data.target, isForced: isForced, read: store.nodes, isStored: { try await store.holdsFile($0) })
      return try await planner.plan(
        item.data.pointer, only: item.inside, disk: disk, cache: look.cache, leftovers: look.found?.leftovers ?? [])
    } catch {
      throw WorkspaceError(wrapping: error)
    }
  }

  /// Throws if work would be lost in any target.
  func requireNoConflicts() throws(WorkspaceError) {
    let conflicts = isForced ? [] : work.flatMap(\.plan.conflicts)
    guard !conflicts.isEmpty else { return }
    let shown = conflicts.prefix(20).map { conflict in
      "  \(conflict.path) (\(conflict.reason == .modified ? "modified" : "not tracked"))"
    }
    let more = conflicts.count > 20 ? "\n  … and \(conflicts.count - 20) more" : ""
    throw WorkspaceError(
      .conflict,
      """
      A checkout would lose work, and nothing was changed:
      \(shown.joined(separator: "\n"))\(more)
      Add it ('dv add'), move it away, or overwrite it with 'dv checkout --force'.
      """, paths: conflicts.map(\.path))
  }

  mutating func fail(_ pointer: UnreadablePointer) {
    report.failures.append(
      CheckoutFailure(
        path: pointer.target,
        error: WorkspaceError(
          pointer.isConflicted ? .conflicted : .pointer, pointer.message, paths: [PointerFile.path(for: pointer.target)])))
  }

  // MARK: - Carrying out

  mutating func carryOut() async throws {
    progress.begin(
      "Checking out", totalBytes: work.clampedSum(\.plan.writeBytes),
      totalItems: work.reduce(0) { $0 + UInt64($1.plan.writeCount) })
    var done: Set<TreePath> = []
    for (item, look, plan) in work {
      try Task.checkCancellation()
      if done.insert(item.data.target).inserted {
        try await carryOut(plan, item, look)
      } else {
        // Another part of the same target was delivered meanwhile: what was planned is of before that.
        let look = try await repository.look(at: item.data.target)
        let plan = try await self.plan(item, look)
        try await carryOut(plan, item, look)
      }
    }
  }

  private mutating func carryOut(_ plan: CheckoutPlan, _ item: Selection.Item, _ look: TargetLook) async throws {
    let target = item.data.target
    let progress = progress
    let result: CheckoutReport
    do throws(WorkspaceError) {
      try makeDirectories(above: target)
      let opened: ObjectStore
      do { opened = try await store.open() } catch { throw WorkspaceError(wrapping: error) }
      result = try await Checkout(of: look.scan, from: opened, isForced: isForced, prepared: prepared[target]) { files, bytes in
        progress.advance(bytes: bytes, items: UInt64(files))
      }.run(plan)
    } catch {
      // What is about this target alone does not keep the others from theirs.
      guard [.missing, .corrupt, .collision, .conflict, .changed].contains(error.code) else { throw error }
      report.failures.append(
        CheckoutFailure(path: target, error: error.paths.isEmpty ? undelivered(target, because: error) : error))
      return
    }
    try repository.statCaches.save(result.cache, of: target)
    report.failures += result.failures
    let hasChanges = plan.keptCount > 0 || plan.untrackedCount > 0
    if hasChanges { report.changed.append(target) }
    if result.filesWritten == 0, result.filesRemoved == 0, plan.isEmpty {
      if !hasChanges { report.unchanged += 1 }
    } else {
      report.items.append(
        CheckOutReport.Item(
          path: target, filesWritten: result.filesWritten, bytesWritten: result.bytesWritten,
          filesRemoved: result.filesRemoved))
    }
  }

  private func makeDirectories(above target: TreePath) throws(WorkspaceError) {
    guard !target.parent.isRoot else { return }
    do {
      try repository.requireWorkDirectory().appending(target.parent).createDirectories()
    } catch {
      throw WorkspaceError(wrapping: error)
    }
  }
}
