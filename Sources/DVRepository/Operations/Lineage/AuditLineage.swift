import DVFile
import DVGit
import DVLineage
import DVObject
import DVSQLite
import DVStore
import DVWorkspace
public import SystemPackage

/// Checks that records, pointers, tags and objects agree, and tells what is not known: the operation behind `dv audit`.
///
/// It trusts nothing that was kept: all is read again from git and from this clone's records, into an index in memory.
public struct AuditLineage: Sendable {
  private let target: [UInt8]?
  private let isFull: Bool
  private let directory: FilePath

  /// - Parameters:
  ///   - target: only what this came from; `nil` for everything.
  ///   - isFull: whether all bytes in the local store are read and verified.
  public init(_ target: [UInt8]?, isFull: Bool, from directory: FilePath) {
    self.target = target
    self.isFull = isFull
    self.directory = directory
  }

  /// Carries it out. What is wrong is in the report and no error.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> AuditReport {
    progress.begin("Reading history")
    let index = try LineageIndex()
    try await index.update(from: repository)
    let trace = LineageTrace(index)
    var scope: Set<LineageKey>?
    var report = AuditReport()
    // A part of a tracked directory comes from where the directory does.
    _ = try await index.updateContents(repository.dataReader(allowingRemote: false).nodes)
    if let target {
      report.target = String(decoding: target, as: UTF8.self)
      let keys = try await LineageTarget(trace: trace, repository: repository, directory: directory).keys(target, hashingFiles: true)
      scope = try Self.causes(of: keys, trace)
    }
    var audit = Audit(repository: repository, index: index, trace: trace, scope: scope, report: report)
    try audit.records()
    try audit.pointers()
    try audit.tags()
    try audit.chains()
    try audit.runs()
    progress.begin("Looking for objects")
    try await audit.objects()
    if isFull {
      audit.report.isFull = true
      try await audit.bytes(progress)
    }
    try audit.anchor()
    audit.report.findings.sort { ($0.severity, $0.kind, $0.subject) < ($1.severity, $1.kind, $1.subject) }
    return audit.report
  }

  private static func causes(of keys: [LineageKey], _ trace: LineageTrace) throws -> Set<LineageKey> {
    var seen = Set(keys)
    var waiting = keys
    while let next = waiting.popLast() {
      for step in try trace.causes(of: next) where seen.insert(step.other).inserted { waiting.append(step.other) }
    }
    return seen
  }
}

/// An audit under way.
private struct Audit {
  let repository: Repository
  let index: LineageIndex
  let trace: LineageTrace
  let scope: Set<LineageKey>?
  var report: AuditReport

  private var database: SQLiteDatabase { index.database }

  private mutating func find(_ severity: AuditReport.Severity, _ kind: String, _ subject: String, _ message: String) {
    let finding = AuditReport.Finding(severity: severity, kind: kind, subject: subject, message: message)
    if !report.findings.contains(finding) { report.findings.append(finding) }
  }

  private func isAsked(_ key: LineageKey) -> Bool { scope?.contains(key) ?? true }

  // MARK: - Form

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
    // The working tree's records are what the next commit takes.
    if let work = repository.workDirectory {
      let directory = RecordDirectory(work.appending(".dv").appending("records"))
      for id in try directory.names() {
        do throws(RecordError) { _ = try directory.read(id) } catch {
          find(.tampering, "altered-record", "record \(id.hex)", "In the working tree: \(error.message)")
        }
      }
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

  private func count(_ sql: String) throws -> Int { try database.first(sql) { Int($0.integer(0)) } ?? 0 }

  // MARK: - Links

  /// A pointer that names a run must be what that run made.
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
  }

  /// A tag that registers a version must name what its commit has.
  mutating func tags() throws {
    for tag in try trace.tags("1 = ?", 1) where isAsked(.tag(tag.name)) {
      guard let commit = tag.commit else {
        find(.tampering, "tag-without-commit", tag.name, "The tag names no commit.")
        continue
      }
      if tag.isSigned, !verifies(tag.object) {
        find(.gap, "signature", tag.name, "git does not accept the tag's signature here.")
      }
      if tag.alias != nil {
        if let action = RegistryTag(tag.name)?.action, case .unassign = action { continue }
        if try trace.version(at: tag) == nil { find(.gap, "alias-without-version", tag.name, "No version is registered where the alias points.") }
        continue
      }
      guard let path = tag.path, let oid = tag.oid else {
        find(.gap, "no-record", tag.name, "The tag holds no record of what was registered.")
        continue
      }
      let pointer = try? repository.resolve(TreePath(path) ?? .root, in: commit)
      if let pointer, pointer.inside.isRoot, pointer.data.pointer.oid != oid {
        find(.tampering, "tag-differs", tag.name, "It registers \(oid.shortHex) at '\(path)', where its commit has \(pointer.data.pointer.oid.shortHex).")
      } else if pointer == nil {
        find(.tampering, "tag-differs", tag.name, "It registers '\(path)', which its commit does not have.")
      }
      let makers = try database.all(
        "SELECT r.id FROM uses u JOIN records r ON r.n = u.record WHERE u.oid = ? AND u.role = 1", .blob(oid.bytes)
      ) { try ObjectID(bytes: $0.blob(0).span) }
      if let run = tag.run {
        if try trace.type(of: run).isEmpty {
          find(.gap, "missing-record", tag.name, "The run \(run.shortHex) that it names is not in this clone.")
        } else if !makers.contains(run) {
          find(.tampering, "not-made-by-run", tag.name, "The run \(run.shortHex) that it names did not make \(oid.shortHex).")
        }
      } else if makers.isEmpty {
        find(.gap, "no-run", tag.name, "No recorded run made this model.")
      }
    }
    for model in Set(try trace.tags("alias IS NOT NULL AND 1 = ?", 1).map { [$0.model, $0.alias ?? ""] }) {
      let holders = try trace.holders(model[0], model[1])
      if holders.count > 1 {
        find(.gap, "contested", "\(model[0])@\(model[1])", "\(holders.map(\.name).joined(separator: " and ")) follow the same promotion.")
      }
    }
  }

  /// Records of one clone follow one another: a number that is missing, or a link to another record than the one before.
  mutating func chains() throws {
    var links: [String: [Int64: (id: ObjectID, previous: String?)]] = [:]
    for bytes in try database.all("SELECT id, bytes FROM records", body: { ($0.blob(0), $0.blob(1)) }) {
      guard let record = try? Record(decoding: bytes.1), let chain = record.json["chain"]?.array, chain.count >= 2,
        let clone = chain[0].string, let number = chain[1].integer
      else { continue }
      if let other = links[clone]?[number], other.id != record.id {
        find(.tampering, "chain", "record \(record.id.hex)", "Record \(number) of the clone \(clone.prefix(12)) exists twice: also \(other.id.shortHex).")
      }
      links[clone, default: [:]][number] = (record.id, chain.count > 2 ? chain[2].string : nil)
    }
    for (_, records) in links {
      for (number, link) in records {
        guard let before = records[number - 1] else { continue }
        if link.previous != before.id.hex {
          find(.tampering, "chain", "record \(link.id.hex)", "It does not follow record \(number - 1) of its clone, \(before.id.shortHex).")
        }
      }
    }
    // Of this clone all must be here.
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    guard !(try book.own.names().isEmpty), let records = links[try book.cloneID()], let last = records.keys.max() else { return }
    let missing = (1...max(1, last)).filter { records[$0] == nil }
    if !missing.isEmpty {
      find(.tampering, "chain", "clone", "Of this clone's \(last) records \(missing.count) are gone, the first of them number \(missing[0]).")
    }
  }

  // MARK: - Gaps

  mutating func runs() throws {
    let runs = try database.all("SELECT id FROM records WHERE type = 'run' AND partial = 0") { try ObjectID(bytes: $0.blob(0).span) }
    let walk = CodeCheck(repository.git)
    for id in runs where isAsked(.record(id)) {
      guard let record = try index.record(id), let status = record.json["status"]?.string, status == "complete" || status == "asserted"
      else { continue }
      let subject = "run \(id.hex)"
      let name = try trace.node(.record(id)).label
      let inputs = try database.all(
        "SELECT u.path, u.oid, u.mode FROM uses u JOIN records r ON r.n = u.record WHERE r.id = ? AND u.role = 0 ORDER BY u.rowid",
        .blob(id.bytes)
      ) { (path: $0.text(0), oid: try ObjectID(bytes: $0.blob(1).span), mode: $0.text(2)) }
      if status == "asserted" { find(.gap, "asserted", subject, "Nobody saw '\(name)' run: its outputs were vouched for.") }
      if inputs.isEmpty { find(.gap, "no-inputs", subject, "'\(name)' declares no inputs.") }
      let isTracked = Set(
        try database.all(
          "SELECT DISTINCT u.path FROM uses u JOIN records r ON r.n = u.record JOIN versions v ON v.path = u.path WHERE r.id = ? AND u.role = 0",
          .blob(id.bytes)) { $0.text(0) })
      for (path, oid, mode) in inputs {
        if isTracked.contains(path) || mode == "tree" {
          if try !hasOrigin(.data(path: path, oid: oid)) {
            find(.gap, "unknown-source", "\(path) @ \(oid.text)", "Nothing is recorded of where this data came from.")
          }
        } else if mode != "directory", let commit = try trace.commit(of: id), try walk.differs(path, oid, in: commit) {
          // What another run made and git tracks is no code.
          if try hasOrigin(.data(path: path, oid: oid)) { continue }
          find(.gap, "dirty-code", subject, "'\(path)' is not in commit \(commit.shortHex) as the run read it.")
        }
      }
    }
    let attempts = try database.all(
      "SELECT r.id, r.label, l.target, r.time FROM records r JOIN links l ON l.record = r.n AND l.role = 'run' WHERE r.type = 'reproduction' ORDER BY r.time, r.n"
    ) { (id: try ObjectID(bytes: $0.blob(0).span), verdict: $0.text(1), run: try ObjectID(bytes: $0.blob(2).span)) }
    var last: [ObjectID: (id: ObjectID, verdict: String)] = [:]
    for attempt in attempts { last[attempt.run] = (attempt.id, attempt.verdict) }
    for (run, attempt) in last where isAsked(.record(run)) && !["identical", "equivalent", "within-tolerance"].contains(attempt.verdict) {
      find(.gap, "not-reproduced", "run \(run.hex)", "The last attempt to reproduce it (\(attempt.id.shortHex)) ended as '\(attempt.verdict)'.")
    }
  }

  /// Whether a run or a source is known behind data, by way of directories and equal contents.
  private func hasOrigin(_ key: LineageKey) throws -> Bool {
    var seen: Set<LineageKey> = [key]
    var waiting = [key]
    while let next = waiting.popLast() {
      for step in try trace.causes(of: next) where seen.insert(step.other).inserted {
        guard case .data = step.other else { return true }
        waiting.append(step.other)
      }
    }
    return false
  }

  // MARK: - Objects

  /// Every object that pointers and records name must be here or on the default remote.
  mutating func objects() async throws {
    var wanted: [(ObjectID, isTree: Bool, subject: String)] = []
    var seen: Set<ObjectID> = []
    for version in try database.all("SELECT path, oid, kind FROM versions", body: { ($0.text(0), try ObjectID(bytes: $0.blob(1).span), $0.text(2)) })
    where isAsked(.data(path: version.0, oid: version.1)) && seen.insert(version.1).inserted {
      wanted.append((version.1, version.2 == "tree", "\(version.0) @ \(version.1.text)"))
    }
    for record in try database.all("SELECT id, bytes FROM records WHERE type = 'run'", body: { (try ObjectID(bytes: $0.blob(0).span), $0.blob(1)) })
    where isAsked(.record(record.0)) {
      guard let json = try? Record(decoding: record.1).json else { continue }
      for (key, isTree) in [("code", true), ("environment", false), ("log", false), ("details", false)] {
        guard let hex = json[key]?.array?.first?.string, let oid = try? ObjectID(hex: hex), seen.insert(oid).inserted else { continue }
        wanted.append((oid, isTree, "\(key) of run \(record.0.hex)"))
      }
    }
    report.objects = wanted.count
    let local = LazyStore(try repository.storePlace())
    var remote: ObjectStore?
    var isRemoteAsked = false
    for (oid, isTree, subject) in wanted {
      try Task.checkCancellation()
      let key = ObjectKey(kind: .treeNode, id: oid)
      if isTree ? try await local.holdsNode(oid) : try await local.holdsFile(oid) { continue }
      if !isRemoteAsked {
        isRemoteAsked = true
        if let named = try? repository.remote(nil) { remote = try? await repository.opening(of: named).open(create: false) }
      }
      if let remote, isTree ? try await remote.contains(key) : try await remote.containsFile(oid) { continue }
      find(.gap, "missing-object", subject, "Its bytes are neither here nor on the default remote.")
    }
  }

  /// Reads everything in the local store.
  mutating func bytes(_ progress: ProgressSink) async throws {
    let check = try await CheckData(in: .local, depth: .full).run(in: repository, progress: progress)
    for damage in check.damage where !damage.finding.isMissing {
      find(.tampering, "damaged-object", "\(damage.finding)", "The local store holds other bytes than the name says.")
    }
  }

  // MARK: - Anchor

  private func verifies(_ tag: GitObjectID) -> Bool {
    git(["verify-tag", tag.hex]) != nil
  }

  /// What git prints; `nil` if it does not end with 0.
  private func git(_ arguments: [String]) -> [UInt8]? {
    let script = "directory=$1; shift; exec git --git-dir=\"$directory\" \"$@\" 2>/dev/null"
    return try? ProgramOutput.of(["sh", "-c", script, "sh", repository.git.gitDirectory.string] + arguments, limit: 1 << 20)
  }

  mutating func anchor() throws {
    let head = try repository.git.head().commit
    report.head = head?.hex
    if let head {
      let tags = try repository.git.references().filter { $0.name.hasPrefix("refs/tags/") && $0.commit == head }
      // One that is not annotated can have no signature.
      for tag in tags where tag.target != head && verifies(tag.target) {
        report.anchor = .init(kind: .signedTag, name: String(tag.name.dropFirst("refs/tags/".count)))
        return
      }
      if let answer = git(["log", "-1", "--format=%G?", head.hex]), let letter = answer.first, letter == UInt8(ascii: "G") || letter == UInt8(ascii: "U") {
        report.anchor = .init(kind: .signedCommit, name: head.hex)
      }
    }
  }
}

/// Whether files of commits are what runs read.
private final class CodeCheck {
  private let git: GitRepository
  private var digests: [GitObjectID: ObjectID] = [:]

  init(_ git: GitRepository) { self.git = git }

  func differs(_ path: String, _ oid: ObjectID, in commit: GitObjectID) throws -> Bool {
    guard let place = try? GitPath(path), let entry = try git.entry(at: place, in: commit), entry.kind == .file || entry.kind == .executable
    else { return true }
    if let known = digests[entry.id] { return known != oid }
    // A larger file of git's is no code.
    guard let bytes = try? git.readBlob(entry.id, limit: 64 << 20) else { return false }
    let digest = ObjectID(hashing: bytes.span)
    digests[entry.id] = digest
    return digest != oid
  }
}
