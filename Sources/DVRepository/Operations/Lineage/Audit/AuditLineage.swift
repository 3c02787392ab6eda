import DVGit
import DVLineage
import DVObject
import DVStore
public import SystemPackage

/// Checks that records, pointers, tags and objects agree, and tells what is not known: the operation behind `dv audit`.
///
/// It trusts nothing that was kept: all is read again from git and from this clone's records, into an index in memory.
public struct AuditLineage: Sendable {
  private let target: [UInt8]?
  private let isFull: Bool
  private let remote: String?
  private let directory: FilePath
  private let environment: [[UInt8]]

  /// - Parameters:
  ///   - target: only what this came from; `nil` for everything.
  ///   - isFull: whether all bytes in the local store, and on `remote`, are read and verified.
  ///   - remote: a remote that is asked for its witness and its objects; `nil` for no network but where objects are absent here:
  ///     then what was last seen of the remotes' witness counts.
  ///   - environment: all variables of the process, for git.
  public init(_ target: [UInt8]?, isFull: Bool, remote: String? = nil, from directory: FilePath, environment: [[UInt8]]) {
    self.target = target
    self.isFull = isFull
    self.remote = remote
    self.directory = directory
    self.environment = environment
  }

  /// Carries it out. What is wrong is in the report and no error.
  ///
  /// - Throws: ``RepositoryError`` if the target names nothing, or the remote that was named cannot be reached.
  public func run(in repository: Repository, progress: ProgressSink) async throws -> AuditReport {
    progress.begin("Reading history")
    let index = try LineageIndex()
    var report = AuditReport()
    report.target = target.map { String(decoding: $0, as: UTF8.self) }
    do { try await index.update(from: repository) } catch let error as GitError where error.code != .busy {
      // What git itself cannot read cannot be asked any further.
      report.findings.append(
        .init(severity: .tampering, kind: "damaged-history", subject: "git", message: "\(error.message) 'git fsck' tells more."))
      return report
    }
    let trace = LineageTrace(index, of: repository)
    var scope: Set<LineageKey>?
    // A part of a tracked directory comes from where the directory does.
    _ = try await index.updateContents(repository.dataReader(allowingRemote: false).nodes)
    if let target {
      let keys = try await LineageTarget(trace: trace, repository: repository, directory: directory).keys(target, hashingFiles: true)
      scope = try Self.causes(of: keys, trace)
    }
    var audit = Audit(repository: repository, index: index, trace: trace, scope: scope, environment: environment, report: report)
    try audit.records()
    try audit.pointers()
    try audit.workingTree()
    try audit.tags()
    try audit.registry()
    try await audit.policy()
    try audit.chains()
    try await audit.runs()
    progress.begin("Looking for objects")
    try await audit.openRemote(remote)
    try await audit.objects()
    if isFull {
      audit.report.isFull = true
      try await audit.bytes(progress)
    }
    try audit.anchor()
    try await audit.witness()
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
