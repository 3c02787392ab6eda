import DVFile
import DVLineage
import DVObject
import DVStore
import DVWorkspace
import SystemPackage

/// Runs that are under way, so that one whose dv was killed leaves a record all the same.
///
/// Each has a file in the git directory's `dv/running`, with its record as far as it is known, locked for as long as its
/// dv lives. A file that is not locked belongs to nobody any more. What is printed and logged meanwhile lies under the same name in
/// `dv/tmp`, and is kept with the record.
struct RunJournal {
  let directory: FilePath
  private let logs: FilePath

  init(_ repository: Repository) {
    directory = repository.dataDirectory.appending("running")
    logs = repository.dataDirectory.appending("tmp")
  }

  /// Where what a run prints is gathered.
  func log(of name: String) -> FilePath { logs.appending("log-\(name)") }

  /// Where a run's commands may log parameters and metrics.
  func series(of name: String) -> FilePath { logs.lexicallyNormalized().appending("series-\(name)") }

  /// An entry that is held.
  struct Entry: ~Copyable {
    fileprivate let file: FilePath
    private let lock: FileLock

    fileprivate init(file: FilePath, lock: consuming FileLock) {
      self.file = file
      self.lock = lock
    }

    /// Ends the entry: the run is recorded.
    consuming func remove() throws { try file.removeFile() }
  }

  /// Notes a run that begins.
  ///
  /// - Parameter name: a random one.
  func begin(_ run: RunRecord, as name: String) throws -> Entry {
    try directory.createDirectories()
    let temporary = directory.appending(name + ".new")
    try temporary.replaceContent(with: JSONValue.object(run.json).canonical().span)
    // Locked before it has the name by which others find it.
    guard let lock = try FileLock.attempt(temporary, .exclusive) else {
      throw RepositoryError(.busy, "'\(temporary)' was taken by another process.", remedy: "Run the command again.")
    }
    let file = directory.appending(name + ".json")
    try temporary.rename(to: file)
    return Entry(file: file, lock: lock)
  }

  /// Records the runs whose dv was killed.
  ///
  /// - Returns: the new records.
  func adopt(_ book: RecordBook, in repository: Repository) async throws -> [ObjectID] {
    guard try directory.fileStat() != nil else { return [] }
    var adopted: [ObjectID] = []
    let listing = try directory.listDirectory()
    for index in listing.indices {
      let file = directory.appending(name: listing.name(at: index))
      guard file.string.hasSuffix(".json"), let lock = try FileLock.attempt(file, .exclusive),
        // Without locks a run of another machine may be under way.
        lock.isRespectedEverywhere
      else { continue }
      // Whoever held it may have ended it just before.
      guard let bytes = try directory.contentIfThere(TreePath(listing.name(at: index)) ?? .root, limit: 64 << 20),
        let json = try? JSONValue(parsing: bytes, named: "a run's journal").object
      else { continue }
      if var run = try? RunRecord(journal: json) {
        run.status = .abandoned
        run.end = max(run.start, Moment.milliseconds)
        let name = String(decoding: listing.name(at: index).dropLast(".json".utf8.count), as: UTF8.self)
        let store = try await repository.localStore(for: .write)
        let writer = ObjectWriter(addingTo: store.store)
        run.logged = try? LoggedSeries(reading: series(of: name)).json
        run.log = try await RunSession.keepLog(log(of: name), writer)
        run.series = try await RunSession.keepLog(series(of: name), writer)
        adopted.append(try await book.append(run, writer))
      }
      try file.removeFile()
      _ = consume lock
    }
    return adopted
  }
}
