import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// The records that a clone knows: its own in the git directory, and those that git carries in the working tree.
///
///     <git directory>/dv/records/<aa>/<hash>.json   all that was recorded here
///     <git directory>/dv/records/<aa>/<hash>.details   what did not fit one of them
///     <git directory>/dv/records/chain              the last link of this clone's chain
///     <git directory>/dv/records/summaries          what look-ups need of all of them, a cache
///     .dv/records/<aa>/<hash>.json                  those that outputs name, for git
struct RecordBook {
  let repository: Repository
  let own: RecordDirectory
  private let store: LazyStore

  init(_ repository: Repository, store: LazyStore) {
    self.repository = repository
    self.store = store
    own = RecordDirectory(repository.dataDirectory.appending("records"))
  }

  /// Where records lie for git; `nil` without a working tree.
  var committed: RecordDirectory? { repository.workDirectory.map { RecordDirectory($0.appending(".dv").appending("records")) } }

  /// Where records lie that are only read: those of the user's tree beside an isolated one.
  private var beside: RecordDirectory? { repository.recordsBeside.map { RecordDirectory($0.appending(".dv").appending("records")) } }

  /// The path of a record in the working tree.
  static func path(of id: ObjectID) -> TreePath {
    TreePath(".dv/records/" + Record.fileName(of: id)) ?? .root
  }

  // MARK: - Reading

  /// Returns a run that is recorded; `nil` if no record of that name is known.
  func run(_ id: ObjectID) async throws -> RunRecord? {
    guard let record = try record(id), record.type == RunRecord.type else { return nil }
    return try await run(record)
  }

  /// Finds a record: in the git directory, the working tree, then HEAD's tree, which a sparse checkout may not
  /// show, and at last among the copies of what remotes keep.
  func record(_ id: ObjectID) throws -> Record? {
    if let record = try own.read(id) ?? committed?.read(id) ?? beside?.read(id) { return record }
    if let head = try repository.git.head().commit,
      let bytes = try repository.git.readBlob(
        at: try GitPath(Self.path(of: id).bytes), in: head, limit: Record.maximumByteCount)
    {
      return try Record(decoding: bytes, named: id)
    }
    return try RemoteRecords.copied(id, in: repository)
  }

  /// Reads a run with what did not fit its record, as far as that is here.
  func run(_ record: Record) async throws -> RunRecord {
    try RunRecord(record, details: try await details(of: record))
  }

  /// What did not fit a record; `nil` if all did, or the rest is not here.
  private func details(of record: Record) async throws -> [UInt8]? {
    guard let (id, size) = RunRecord.details(of: record) else { return nil }
    if let bytes = try own.readDetails(of: record.id) { return bytes }
    var bytes: [UInt8] = []
    do {
      try await store.open().readFile(id, size: size) { piece in
        for index in 0..<piece.count { bytes.append(piece[index]) }
      }
    } catch let error as StoreError where error.code == .missing {
      return nil
    }
    return bytes
  }

  /// Returns all runs that are recorded, the newest last.
  ///
  /// - Returns: also what could not be read, in words: one bad file does not hide the others.
  func runs() async throws -> (runs: [(id: ObjectID, run: RunRecord)], problems: [String]) {
    var found: [(id: ObjectID, run: RunRecord)] = []
    var problems: [String] = []
    let (here, there, aside) = (Set(try own.names()), Set(try committed?.names() ?? []), Set(try beside?.names() ?? []))
    for id in here.union(there).union(aside).sorted() {
      do {
        guard let record = try here.contains(id) ? own.read(id) : there.contains(id) ? committed?.read(id) : beside?.read(id),
          record.type == RunRecord.type else {
          continue
        }
        let decoded = try await run(record)
        found.append((id, decoded))
      } catch let error as RecordError {
        problems.append(error.message)
      }
    }
    found.sort { ($0.run.end, $0.id) < ($1.run.end, $1.id) }
    return (found, problems)
  }

  /// Returns what lists and look-ups need of all runs that are recorded, the newest last.
  ///
  /// - Returns: also what could not be read, in words.
  /// - Complexity: O(*n*) in records; only those that were not read before are read.
  func summaries() async throws -> (runs: [RunSummary], problems: [String]) {
    let file = own.path.appending("summaries")
    var known = RunSummaries(reading: file)
    let (here, there, aside) = (Set(try own.names()), Set(try committed?.names() ?? []), Set(try beside?.names() ?? []))
    let all = here.union(there).union(aside)
    var problems: [String] = []
    var passing: [RunSummary] = []
    // Other working trees of the clone have others, which are not to be read again and again.
    var isNew = known.byID.count > 2 * all.count + 1000
    if isNew { known.keep(all) }
    let unread = all.filter { known.byID[$0] == nil }.compactMap { id in
      (here.contains(id) ? own : there.contains(id) ? committed : beside).map { UnreadRecord(id: id, directory: $0) }
    }
    for found in try await unread.read() {
      switch found {
      case .gone: break
      case .problem(let text): problems.append(text)
      case .known(let id, let summary):
        known.add(id, summary)
        isNew = true
      case .long(let record):
        do {
          let run = try await run(record)
          // What lacks a part now may have it next time.
          if run.isPartial {
            passing.append(RunSummary(record.id, run))
          } else {
            known.add(record.id, RunSummary(record.id, run))
            isNew = true
          }
        } catch let error as RecordError {
          problems.append(error.message)
        }
      }
    }
    if isNew, try own.path.fileStat() != nil { known.write(to: file) }
    var runs = all.compactMap { known.byID[$0] ?? nil } + passing
    runs.sort { $0.end != $1.end ? $0.end < $1.end : $0.id < $1.id }
    return (runs, problems)
  }

  /// Returns what is recorded of reproductions, the newest last.
  ///
  /// - Parameter run: only those of this run.
  /// - Returns: also what could not be read, in words.
  /// - Complexity: O(*n*) in names of records; only those that are no runs are read.
  func reproductions(
    of run: ObjectID? = nil
  ) async throws -> (items: [(id: ObjectID, reproduction: ReproductionRecord)], problems: [String]) {
    // Brings the list of what is a run up to date.
    _ = try await summaries()
    let known = RunSummaries(reading: own.path.appending("summaries"))
    var found: [(id: ObjectID, reproduction: ReproductionRecord)] = []
    var problems: [String] = []
    for id in try names(beginningWith: "") {
      if let summary = known.byID[id], summary != nil { continue }
      do {
        guard let record = try record(id), record.type == ReproductionRecord.type else { continue }
        let reproduction = try await reproduction(record)
        if run == nil || reproduction.run == run { found.append((id, reproduction)) }
      } catch let error as RecordError {
        problems.append(error.message)
      }
    }
    found.sort { ($0.reproduction.end, $0.id) < ($1.reproduction.end, $1.id) }
    return (found, problems)
  }

  /// Reads a reproduction with what did not fit its record, as far as that is here.
  func reproduction(_ record: Record) async throws -> ReproductionRecord {
    try ReproductionRecord(record, details: try await details(of: record))
  }

  /// Whether git carries the record here: in the working tree, or in the commit that is checked out.
  func isCarried(_ id: ObjectID) throws -> Bool { try committed?.read(id) != nil || isInHead(id) }

  /// Returns the names of all records whose names begin with these hex digits.
  func names(beginningWith digits: String) throws -> [ObjectID] {
    let all = Set(try own.names()).union(try committed?.names() ?? []).union(try beside?.names() ?? [])
    return all.filter { $0.hex.hasPrefix(digits) }.sorted()
  }

  /// Returns the records in the working tree of runs of a stage that the commit checked out does not have.
  func uncommitted(of stage: String) throws -> [ObjectID] {
    guard let committed else { return [] }
    var known: Set<[UInt8]> = []
    if let head = try repository.git.head().commit {
      for file in try repository.git.files(in: head, under: try GitPath(".dv/records")) { known.insert(file.path.bytes) }
    }
    return try committed.names().filter { id in
      guard !known.contains(Self.path(of: id).bytes), let record = try? committed.read(id) else { return false }
      return record.type == RunRecord.type && record.json["stage"]?.string == stage
    }
  }

  /// Whether the commit that is checked out has the record.
  func isInHead(_ id: ObjectID) throws -> Bool {
    guard let head = try repository.git.head().commit else { return false }
    return try repository.git.entry(at: try GitPath(Self.path(of: id).bytes), in: head) != nil
  }
}
