import DVBackend
import DVFile
import DVGit
public import DVLineage
public import DVObject
import DVPipeline
import DVStore
public import DVWorkspace
public import SystemPackage

/// Takes a run that was made away from home into this clone: proves all of it, puts what it made into place with pointers that name
/// it, and stages these and the record.
///
/// What a bundle holds is proved by digests; that it is true nobody can prove. Nothing of it is run, no file that git versions is
/// replaced unless a stage here makes it, and nothing of the user's is lost.
public struct AdoptRun: Sendable {
  /// Where the run is.
  public enum Source: Hashable, Sendable {
    case bundle(FilePath)
    /// On a remote, the default one if none is named: the start of its record's name.
    case remote(String?, run: String)
  }

  /// How the code that ran compares with the commit that it says it was made from.
  public struct CodeCheck: Hashable, Sendable {
    public let commit: String
    /// Whether the commit is in this clone; if not, nothing is compared.
    public internal(set) var isKnown = false
    /// Files of which the run had others than the commit, or that the commit does not have.
    public internal(set) var differing: [TreePath] = []
    /// Files that the commit has and the run had not.
    public internal(set) var absent: [TreePath] = []
  }

  /// What was done.
  public struct Report: Sendable {
    public let id: ObjectID
    public let run: RunRecord
    /// Whether this clone had the record already.
    public internal(set) var wasKnown = false
    /// Outputs that were put into place.
    public internal(set) var outputs: [TreePath] = []
    /// Outputs of which only the digest is recorded.
    public internal(set) var withoutContent: [TreePath] = []
    /// Objects and bytes that were proved.
    public internal(set) var objects = 0
    public internal(set) var bytes: UInt64 = 0
    /// `nil` if the run does not say what it was made from.
    public internal(set) var code: CodeCheck?
  }

  private let source: Source
  private let isForced: Bool
  private let environment: [[UInt8]]

  /// - Parameters:
  ///   - isForced: whether outputs may replace files of the user's, which are kept in the store, and be of any size.
  ///   - environment: the variables of the process, `NAME=value`.
  public init(_ source: Source, isForced: Bool = false, environment: [[UInt8]]) {
    self.source = source
    self.isForced = isForced
    self.environment = environment
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/corrupt`` if anything is not what its name says; ``RepositoryError/Code/conflict`` if work
  ///   would be lost; ``RepositoryError/Code/usage`` for paths and sizes that cannot be taken. Nothing was changed then.
  public func run(in repository: Repository, output: RunOutput, progress: ProgressSink) async throws -> Report {
    let session = try RunSession(repository, environment: environment, output: output, progress: progress)
    progress.begin("Looking")
    let found = try await find(in: repository, output)
    let (record, details, run) = try await read(found, repository)
    var report = Report(id: record.id, run: run)
    report.wasKnown = try session.book.own.read(record.id) != nil
    let contents = RunContents(record, run)
    let placement = AdoptedOutputs(run, of: session, isForced: isForced)
    try await placement.check()
    try check(contents, found.archiveSize, session.root)

    let local = try await repository.localStore(for: .write)
    progress.begin("Fetching", totalBytes: 0, totalItems: 0)
    let transfer = try await Transfer(.fetch, from: found.store, to: local.store) { progress.count($0) }.run(contents.roots)
    if let failure = transfer.failed.first {
      throw RepositoryError(
        failure.isCorrupt ? .corrupt : .missing,
        "\(failure.affects.first ?? "The run") cannot be taken from \(found.store.name): \(failure.message)", remedy: found.remedy)
    }
    try await session.store.refresh()
    var proof = ContentProof(local.store, entryLimit: isForced ? .max : ContentProof.standardEntryLimit)
    for root in contents.roots { try await proof.prove(root) }
    (report.objects, report.bytes) = (proof.objects, proof.bytes)

    // What the record names is here and proved.
    if let details { try session.book.own.write(details, of: record.id) }
    try session.book.own.write(record)
    if run.status == .complete { report.outputs = try await placement.place(record.id) }
    report.withoutContent = placement.withoutContent
    if let base = run.base { report.code = try await compare(run, base, session) }
    return report
  }

  // MARK: - Finding

  private struct Found {
    let store: ObjectStore
    let record: Record
    /// Of a bundle, in bytes.
    let archiveSize: UInt64?
    let remedy: String
  }

  private func find(in repository: Repository, _ output: RunOutput) async throws -> Found {
    switch source {
    case .bundle(let file):
      let bundle = try await RunBundle(file)
      try requireEnded(bundle.record, file)
      let scratch = try repository.storeDirectory().appending("tmp")
      try scratch.createDirectories()
      return Found(
        store: try await bundle.store(scratch: scratch), record: bundle.record, archiveSize: bundle.backend.archiveSize,
        remedy: "Copy the bundle again from where it was made.")
    case .remote(let name, let run):
      let digits = (run.hasPrefix("sha256:") ? String(run.dropFirst("sha256:".count)) : run).lowercased()
      guard digits.count >= 4, digits.allSatisfy(\.isHexDigit) else {
        throw RepositoryError(
          .usage, "'\(run)' is no file, and no name of a run: at least 4 hex digits.", remedy: "Name the bundle, or the run that was printed.")
      }
      let remote = try repository.remote(name)
      let store = try await repository.remoteStore(remote, create: false)
      let records = try await RemoteRecords(of: store, remote, in: repository)
      // What only serves files cannot say what is there.
      let runs = StartedRuns(of: store)
      let started = (try? await runs.ids()) ?? []
      let ended = (try? await runs.endedIDs()) ?? []
      let matching = records.ids.union(started).union(ended).filter { $0.hex.hasPrefix(digits) }
      guard var only = matching.first, matching.count == 1 else {
        let some = started.prefix(5).map(\.shortHex).joined(separator: ", ")
        throw RepositoryError(
          .usage, matching.isEmpty
            ? "Remote '\(remote.name)' has no record that begins with '\(digits)'."
              + (some.isEmpty ? "" : " It has runs that started and did not end there: \(some)\(started.count > 5 ? " …" : "").")
            : "\(matching.count) records on remote '\(remote.name)' begin with '\(digits)'.",
          remedy: "Give the run as it was printed where it was made.")
      }
      if ended.contains(only), let end = try await runs.end(of: only) { only = end }
      let remedy = "'dv fsck --remote \(remote.name)' says what is wrong there."
      for (_, segment) in records.segments {
        if let record = try segment.record(only) { return Found(store: store, record: record, archiveSize: nil, remedy: remedy) }
      }
      if let record = try await runs.record(only) {
        output.note(.warning("All that is known of this run is that it started. If its dv was not killed it may go on still."))
        return Found(store: store, record: record, archiveSize: nil, remedy: remedy)
      }
      throw RepositoryError(.missing, "The record \(only.shortHex) is on remote '\(remote.name)' no more.")
    }
  }

  /// Refuses the bundle of a run that is still under way on this machine.
  private func requireEnded(_ record: Record, _ file: FilePath) throws {
    guard record.json["status"]?.string == RunRecord.Status.abandoned.rawValue else { return }
    let isHeld: Bool
    do { isHeld = try FileLock.attempt(file, .exclusive) == nil } catch {
      // What cannot be written to nobody locks.
      isHeld = false
    }
    guard isHeld else { return }
    throw RepositoryError(.busy, "The run of '\(file.printable)' is still under way.", remedy: "Wait until it has ended.")
  }

  /// Reads the whole record of the run.
  private func read(_ found: Found, _ repository: Repository) async throws -> (Record, RecordDetails?, RunRecord) {
    guard found.record.type == RunRecord.type else {
      throw RepositoryError(.usage, "The record \(found.record.id.shortHex) is a \(found.record.type) and no run.")
    }
    guard let (id, size) = RunRecord.details(of: found.record) else { return (found.record, nil, try RunRecord(found.record)) }
    var bytes: [UInt8] = []
    try await found.store.readFile(id, size: size) { piece in
      for index in 0..<piece.count { bytes.append(piece[index]) }
    }
    return (found.record, RecordDetails(id: id, bytes: bytes), try RunRecord(found.record, details: bytes))
  }

  // MARK: - Sizes

  /// A bundle may claim so many times its own size without being asked about; and so much in any case, in bytes.
  private static let expansionLimit: UInt64 = 100
  private static let expansionFloor: UInt64 = 1 << 30

  /// Refuses what does not fit here, or claims to be far more than its bundle.
  private func check(_ contents: RunContents, _ archiveSize: UInt64?, _ root: FilePath) throws {
    var (all, made): (UInt64, UInt64) = (0, 0)
    for root in contents.roots { all = Self.sum(all, root.size) }
    for root in contents.outputs { made = Self.sum(made, root.size) }
    let free = try FileSystem(of: root).freeBytes
    guard made <= free else {
      throw RepositoryError(
        .usage, "What the run made has \(made) bytes, and only \(free) are free here. Nothing was done.", remedy: "Make room first.")
    }
    guard let archiveSize, !isForced, all > Self.expansionFloor, all / Self.expansionLimit > archiveSize else { return }
    throw RepositoryError(
      .usage, "The bundle has \(archiveSize) bytes and claims to hold \(all). Nothing was done.",
      remedy: "If you trust whoever made it, take it with --force.")
  }

  private static func sum(_ one: UInt64, _ other: UInt64) -> UInt64 {
    let (sum, isTooLarge) = one.addingReportingOverflow(other)
    return isTooLarge ? .max : sum
  }

  // MARK: - Code

  /// The most bytes of a file of the commit that is compared.
  private static let comparedLimit = 64 << 20

  private func compare(_ run: RunRecord, _ base: String, _ session: RunSession) async throws -> CodeCheck {
    var check = CodeCheck(commit: base)
    let git = session.repository.git
    guard let code = run.code, let commit = try? GitObjectID(hex: base), (try? git.commit(commit)) != nil else { return check }
    check.isKnown = true
    var files: [TreePath: TreeEntry] = [:]
    try await TreeBrowser(read: session.store.nodes).forEachEntry(of: code.id, entering: { _, _ in true }) { path, entry in
      // What an earlier run left in the place of an output is no code.
      let isOutput = run.outputs.contains { path.relative(to: TreePath($0.path)) != nil }
      if entry.mode != .directory, !isOutput { files[path] = entry }
    }
    for file in try git.files(in: commit) where file.kind != .submodule {
      guard let path = TreePath(file.path.bytes), !path.names.starts(with: [Array(".dv".utf8), Array("records".utf8)]) else { continue }
      guard let entry = files.removeValue(forKey: path) else {
        if run.outputs.contains(where: { path.relative(to: TreePath($0.path)) != nil }) { continue }
        if !SecretName.isFile(path.lastName) { check.absent.append(path) }
        continue
      }
      guard let bytes = try? git.readBlob(file.id, limit: Self.comparedLimit) else { continue }
      if ObjectID(hashing: bytes.span) != entry.oid { check.differing.append(path) }
    }
    check.differing = (check.differing + files.keys).sorted()
    return check
  }
}

/// Proves contents by reading all of them.
struct ContentProof {
  /// So many files and directories a tree may have, unless its maker is trusted: one node that is named twice in each of thirty others
  /// stands for a billion.
  static let standardEntryLimit = 4_000_000

  private let store: ObjectStore
  private let entryLimit: Int
  private var met: Set<ObjectID> = []
  private(set) var objects = 0
  private(set) var bytes: UInt64 = 0

  init(_ store: ObjectStore, entryLimit: Int) {
    self.store = store
    self.entryLimit = entryLimit
  }

  /// Reads a file, or a tree with all its files.
  ///
  /// - Throws: ``StoreError`` for one that is not what its name and size say.
  mutating func prove(_ root: TransferRoot) async throws {
    guard root.kind == .tree else { return try await prove(root.oid, root.size) }
    let store = store
    func refusal(_ reason: String) -> StoreError {
      StoreError(.corrupt, "\(root.label): \(reason).", key: ObjectKey(kind: .treeNode, id: root.oid))
    }
    let read: NodeReader = { try await store.read(ObjectKey(kind: .treeNode, id: $0)) }
    let totals = try TreeNode(decoding: try await read(root.oid), isRoot: true).totals
    guard totals.bytes == root.size else {
      throw refusal("the tree has \(totals.bytes) bytes, and the record says \(root.size)")
    }
    var files: [ObjectID: UInt64] = [:]
    var (sum, count): (UInt64, UInt64) = (0, 0)
    var entries = 0
    let limit = entryLimit
    try await TreeBrowser(read: read).forEachEntry(of: root.oid, entering: { _, _ in true }) { path, entry in
      entries += 1
      guard entries <= limit else { throw refusal("it has more than \(limit) files and directories; --force takes them all the same") }
      guard entry.mode != .directory else { return }
      let (next, isTooLarge) = sum.addingReportingOverflow(entry.size)
      guard !isTooLarge, next <= totals.bytes, files[entry.oid] ?? entry.size == entry.size else {
        throw refusal("its files have other sizes than it says, such as '\(path)'")
      }
      (sum, count) = (next, count + 1)
      files[entry.oid] = entry.size
    }
    guard sum == totals.bytes, count == totals.files else { throw refusal("it has other files than it says") }
    for (oid, size) in files { try await prove(oid, size) }
  }

  private mutating func prove(_ oid: ObjectID, _ size: UInt64) async throws {
    guard met.insert(oid).inserted else { return }
    try await store.readFile(oid, size: size) { _ in }
    objects += 1
    bytes += size
  }
}
