import DVGit
import DVLineage
import DVObject
import DVSQLite
import DVStore
import DVWorkspace
import SystemPackage

/// An audit under way: what it reads, and what it found so far. Its steps stand in files of their own.
struct Audit {
  let repository: Repository
  let index: LineageIndex
  let trace: LineageTrace
  /// What the target came from; `nil` for everything.
  let scope: Set<LineageKey>?
  /// All variables of the process, for git.
  let environment: [[UInt8]]
  var report: AuditReport
  /// The remote that is asked, and its store.
  var remote: (remote: Remote, store: ObjectStore)?

  init(
    repository: Repository, index: LineageIndex, trace: LineageTrace, scope: Set<LineageKey>?, environment: [[UInt8]], report: AuditReport
  ) {
    (self.repository, self.index, self.trace, self.scope) = (repository, index, trace, scope)
    (self.environment, self.report) = (environment, report)
  }

  /// What git's server has now; asked once, and only if a remote was named: without one an audit uses no network.
  private(set) lazy var server: GitServer? = remote == nil ? nil : GitServer(of: repository)

  /// Whether git still has an object, be it that nothing leads to it any more.
  func gitHas(_ object: String) -> Bool { (try? repository.git.rawObject(GitObjectID(hex: object))) != nil }

  var database: SQLiteDatabase { index.database }

  private var known: Set<AuditReport.Finding> = []

  mutating func find(_ severity: AuditReport.Severity, _ kind: String, _ subject: String, _ message: String) {
    let finding = AuditReport.Finding(severity: severity, kind: kind, subject: subject, message: message)
    if known.insert(finding).inserted { report.findings.append(finding) }
  }

  func isAsked(_ key: LineageKey) -> Bool { scope?.contains(key) ?? true }

  func count(_ sql: String) throws -> Int { try database.first(sql) { Int($0.integer(0)) } ?? 0 }

  /// Opens the remote that was asked for.
  ///
  /// - Throws: ``RepositoryError`` if it cannot be reached: whoever names it wants to know.
  mutating func openRemote(_ name: String?) async throws {
    guard let name else { return }
    let remote = try repository.remote(name)
    self.remote = (remote, try await repository.remoteStore(remote, create: false))
  }

  // MARK: - Records

  /// What did not have the bytes its name says, or no form that is known.
  mutating func records() throws {
    let problems = try database.all("SELECT subject, text FROM problems ORDER BY subject, text") { ($0.text(0), $0.text(1)) }
    for (subject, text) in problems {
      find(.tampering, subject.hasPrefix("pointer") ? "altered-pointer" : "altered-record", subject, text)
    }
    report.commits = try count("SELECT count(*) FROM commits")
    report.records = try count("SELECT count(*) FROM records")
    report.versions = try count("SELECT count(*) FROM versions")
    report.tags = try count("SELECT count(*) FROM tags")
    let partial = try index.partialRuns()
    if partial > 0 {
      find(.gap, "partial-record", "records", "Of \(partial) runs not all is here, as it did not fit their records.")
    }
    for link in try database.all(
      "SELECT r.id, r.type, l.role, l.target FROM links l JOIN records r ON r.n = l.record",
      body: { (try ObjectID(bytes: $0.blob(0).span), $0.text(1), $0.text(2), try ObjectID(bytes: $0.blob(3).span)) })
    where isAsked(.record(link.0)) {
      if try trace.type(of: link.3).isEmpty {
        find(.gap, "missing-record", "record \(link.0.hex)", "The \(link.1) names the \(link.2) \(link.3.shortHex), which is not in this clone.")
      }
    }
  }

  // MARK: - Pointers

  /// A pointer that names a run must be what that run made, and what is said of one content must be the same everywhere.
  mutating func pointers() throws {
    let named = try database.all(
      """
      SELECT DISTINCT v.path, v.oid, h.run FROM changes h JOIN versions v ON v.n = h.version WHERE h.run IS NOT NULL
      """
    ) { (path: $0.text(0), oid: try ObjectID(bytes: $0.blob(1).span), run: try ObjectID(bytes: $0.blob(2).span)) }
    for (path, oid, run) in named where isAsked(.data(path: path, oid: oid)) {
      let subject = "\(path) @ \(oid.text)"
      guard try trace.type(of: run) == "run" else {
        find(.gap, "missing-record", subject, "Its pointer names the run \(run.shortHex), whose record is not in this clone.")
        continue
      }
      let made = try database.first(
        "SELECT 1 FROM uses u JOIN records r ON r.n = u.record WHERE r.id = ? AND u.role = 1 AND u.oid = ?", .blob(run.bytes),
        .blob(oid.bytes)
      ) { _ in true }
      let isPartial = try database.first("SELECT partial FROM records WHERE id = ?", .blob(run.bytes)) { $0.integer(0) == 1 } ?? false
      if made == nil, !isPartial {
        find(.tampering, "not-made-by-run", subject, "Its pointer names the run \(run.shortHex), which did not make this content.")
      }
    }
    // A content has one size, and is a file or a directory.
    let differing = try database.all(
      """
      SELECT v.path, v.oid, v.kind, v.size, u.mode, u.size, r.id FROM versions v JOIN uses u ON u.oid = v.oid AND u.role IN (0, 1)
      JOIN records r ON r.n = u.record WHERE u.mode != 'directory' AND (v.size != u.size OR (v.kind = 'tree') != (u.mode = 'tree'))
      """
    ) { row in
      (
        path: row.text(0), oid: try ObjectID(bytes: row.blob(1).span), own: "\(row.text(2)) of \(row.integer(3)) bytes",
        other: "\(row.text(4)) of \(row.integer(5)) bytes", run: try ObjectID(bytes: row.blob(6).span)
      )
    }
    for item in differing where isAsked(.data(path: item.path, oid: item.oid)) {
      find(
        .tampering, "pointer-differs", "\(item.path) @ \(item.oid.text)",
        "Its pointer says that it is a \(item.own), the run \(item.run.shortHex) a \(item.other).")
    }
  }

  /// What the next commit would take: records and pointers as they lie in the working tree.
  mutating func workingTree() throws {
    guard let work = repository.workDirectory else { return }
    let directory = RecordDirectory(work.appending(".dv").appending("records"))
    for id in try directory.names() {
      do throws(RecordError) { _ = try directory.read(id) } catch {
        find(.tampering, "altered-record", "record \(id.hex)", "In the working tree: \(error.message)")
      }
    }
    let selection = try repository.select([])
    for pointer in selection.unreadable where !pointer.isConflicted {
      find(.tampering, "altered-pointer", "pointer \(PointerFile.path(for: pointer.target))", "In the working tree: \(pointer.message)")
    }
    guard scope == nil, let head = try repository.git.head().commit else { return }
    for item in selection.items {
      let committed = try? repository.resolve(item.data.target, in: head)
      if committed?.inside.isRoot != true || committed?.data.pointer != item.data.pointer {
        find(
          .gap, "uncommitted", "pointer \(item.data.pointerPath)",
          "It is in the working tree as no commit that is checked out has it: what it says is not part of history.")
      }
    }
  }
}
