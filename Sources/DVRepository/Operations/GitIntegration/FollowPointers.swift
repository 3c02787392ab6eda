import DVFile
import DVGit
import DVObject
public import DVWorkspace

/// Brings the data behind pointers that git changed: what the hooks do after a checkout, merge or rebase.
///
/// A target whose pointer says what was last checked out there is not looked at, whatever is on disk. Each of the
/// others is checked out if that loses no work and the local store has it; otherwise it stays as it is, and the report
/// says why.
public struct FollowPointers: Sendable {
  /// What was done.
  public struct Report: Sendable {
    /// Targets that changed on disk, or went.
    public internal(set) var changed: [TreePath] = []
    /// Why a target was not brought, or not all of it.
    public internal(set) var problems: [String] = []
    /// Targets that the local store does not have whole.
    public internal(set) var absent: [TreePath] = []
    /// Targets that hold work that would be lost.
    public internal(set) var modified: [TreePath] = []
  }

  public init() {}

  public func run(in repository: Repository, progress: ProgressSink) async throws -> Report {
    var report = Report()
    let store = LazyStore(try repository.storePlace())
    func makeSession() -> CheckOutSession {
      CheckOutSession(repository: repository, isForced: false, store: store, progress: progress)
    }
    let root = try repository.requireWorkDirectory()
    // Conflicted pointers are git's to tell about.
    for item in try repository.select([]).items {
      let target = item.data.target
      var session = makeSession()
      do {
        if try repository.statCaches.load(target)?.saved == item.data.pointer.oid { continue }
        try await session.plan(item)
        try session.requireNoConflicts()
        try await session.carryOut()
      } catch let error as WorkspaceError where error.code == .conflict {
        report.modified.append(target)
        continue
      } catch {
        report.problems.append("\(error)")
        continue
      }
      // Data that never was here is not missed.
      report.note(session.report, mentionsAbsence: try root.appending(target).fileStat() != nil)
    }
    var session = makeSession()
    try await session.removeVanished()
    report.note(session.report)
    return report
  }
}

extension FollowPointers.Report {
  fileprivate mutating func note(_ report: CheckOutReport, mentionsAbsence: Bool = true) {
    changed += report.items.map(\.path) + report.removed
    for failure in report.failures {
      if failure.error.code == .missing {
        if mentionsAbsence, absent.last != failure.path { absent.append(failure.path) }
      } else {
        problems.append(failure.error.message)
      }
    }
    problems += report.kept.map { "'\($0.path)' has no pointer any more and stays: \($0.reason)." }
  }
}
