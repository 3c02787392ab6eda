import DVFile
import DVGit
import DVObject
import DVStore
import DVWorkspace
import SystemPackage

/// Data whose pointer is gone, as after `git checkout` of a branch that does not have it.
///
/// git removes files that the other branch lacks, and so does dv, if all of this holds; otherwise the data stays:
///
/// - a stat cache says that dv added it or put it there
/// - neither the working tree nor git's index has the pointer, and git itself has nothing at its place
/// - nothing in it was changed since, and the local store has the version, so that nothing is lost
///
/// Files in it that were never added stay.
extension CheckOutSession {
  mutating func removeVanished() async throws {
    let caches = repository.statCaches
    let targets = try caches.targets()
    guard !targets.isEmpty else { return }
    let root = try repository.requireWorkDirectory()
    let index = try repository.git.index()
    for target in targets {
      let pointer = PointerFile.path(for: target)
      if try root.appending(pointer).fileStat() != nil { continue }
      let pointerPath = try GitPath(pointer.bytes)
      // A pointer that was deleted on disk alone is restored by git, not a wish to be rid of the data.
      if index.entry(at: pointerPath) != nil { continue }
      if try index.conflict(at: pointerPath) != nil { continue }
      if try root.appending(target).fileStat() == nil {
        try caches.remove(target)
        continue
      }
      let isGits = !index.entries(under: try GitPath(target.bytes)).isEmpty
      if try isGits || isTrackedOtherwise(target) {
        // Its place belongs to git, or to another target, now.
        try caches.remove(target)
        continue
      }
      try await removeVanished(target, root: root)
    }
  }

  /// Whether the place lies in another target, such as a directory that is now tracked as a whole.
  private func isTrackedOtherwise(_ target: TreePath) throws -> Bool {
    try repository.pointerSearch().resolve(target) != nil
  }

  private mutating func removeVanished(_ target: TreePath, root: FilePath) async throws {
    let look: TargetLook
    do {
      look = try await repository.look(at: target)
    } catch let error as WorkspaceError where error.code == .unsupported {
      return keep(target, "it is no longer what dv put there")
    }
    guard let cache = look.cache, let saved = cache.saved, let disk = try await look.hashed(progress: progress) else {
      return keep(target, "dv does not know what it put there")
    }
    let isTree = cache.state.isDirectory
    let empty = try EmptyTree()
    let pointer = isTree ? Pointer(tree: empty.oid, totals: TreeTotals()) : nil
    guard let pointer else {
      guard disk.pointer?.oid == saved else { return keep(target, "it was modified") }
      guard try await store.holdsFile(saved) else { return keep(target, "the local store does not have it") }
      try root.appending(target).removeFile()
      return try finishRemoval(of: target, root: root)
    }
    let planner = CheckoutPlanner(target: target, read: empty.reader, isStored: { _ in false })
    let plan = try await planner.plan(pointer, disk: disk, cache: cache, leftovers: look.found?.leftovers ?? [])
    let modified = plan.conflicts
    if let first = modified.first {
      return keep(
        target, modified.count == 1 ? "'\(first.path)' was modified" : "\(modified.count) files in it were modified")
    }
    guard try await isWhole(saved) else { return keep(target, "the local store does not have it") }
    _ = try await Checkout(of: look.scan, from: try await store.open()).run(plan)
    do throws(FileError) {
      try root.appending(target).removeDirectory()
    } catch {
      guard error.code == .notEmpty || error.code == .exists else { throw error }
      try repository.statCaches.remove(target)
      report.removed.append(target)
      let count = plan.untrackedCount
      return keep(
        target, count == 1 ? "a file in it was never added" : "\(count) files in it were never added")
    }
    try finishRemoval(of: target, root: root)
  }

  /// Whether the local store has a tree.
  private func isWhole(_ tree: ObjectID) async throws -> Bool {
    try await store.holds(Pointer(tree: tree, totals: TreeTotals()))
  }

  private mutating func keep(_ target: TreePath, _ reason: String) {
    report.kept.append(CheckOutReport.Kept(path: target, reason: reason))
  }

  /// Forgets a target that was removed, and removes the directories above it that are empty now, as git does.
  private mutating func finishRemoval(of target: TreePath, root: FilePath) throws {
    try repository.statCaches.remove(target)
    report.removed.append(target)
    var above = target.parent
    while !above.isRoot {
      do throws(FileError) { try root.appending(above).removeDirectory() } catch { break }
      above = above.parent
    }
  }
}

/// The tree without entries, which no store needs to have.
private struct EmptyTree {
  let oid: ObjectID
  private let bytes: [UInt8]

  init() throws {
    var node: [UInt8] = []
    let root = try TreeBuilder().finish { _, bytes in node = bytes }
    oid = root.oid
    bytes = node
  }

  var reader: NodeReader {
    { [bytes] _ in bytes }
  }
}
