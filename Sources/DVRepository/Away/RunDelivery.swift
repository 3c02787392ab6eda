import DVBackend
import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVStore
import SystemPackage

/// Brings the record of a run away from home, and all that it names, to where it is to go: first what is known when its command starts, so that
/// a run whose dv is killed leaves a record too, and in the end all of it.
///
///     of a bundle FILE   FILE.started-<12 digits of the record>   a bundle too, locked for as long as its dv lives
///     of a remote        started/<64 digits of the record>        the record alone; what it names is pushed
///
/// Both go away when the whole record is there. If it is of a run whose dv was killed, it can be found by the digits of the first one too:
///
///     of a bundle FILE   FILE.killed-<12 digits of the first record>
///     of a remote        ended/<64 digits of the first record>    the digits of the whole record
struct RunDelivery {
  enum Place: Hashable {
    case bundle(FilePath)
    /// A remote by its name; `nil` for the default one.
    case remote(String?)
  }

  /// A run of which is delivered that it started.
  struct Start {
    let id: ObjectID
    /// Of a bundle, where it is.
    let file: FilePath?
    private let lock: HeldLock?

    init(_ id: ObjectID, file: FilePath?, lock: HeldLock? = nil) {
      self.id = id
      self.file = file
      self.lock = lock
    }
  }

  let place: Place
  let repository: Repository
  let progress: ProgressSink

  // MARK: - The start

  /// Delivers what is known of a run whose command is about to start.
  ///
  /// - Parameter run: `abandoned` so far; whoever ends it delivers another record.
  func begin(_ run: RunRecord) async throws -> Start {
    var run = run
    run.end = run.start
    let (record, details) = try run.encoded()
    let local = try await repository.localStore(for: .write)
    if let details {
      let writer = ObjectWriter(addingTo: local.store)
      var memory = CodecMemory()
      _ = try await ContentIngest(writer: writer).ingest(details.bytes, memory: &memory)
      _ = try await writer.finish()
    }
    switch place {
    case .bundle(let bundle):
      let file = Self.file(of: record.id, "started", beside: bundle)
      _ = try await RunBundle.write(record, of: local.backend, to: file)
      guard let lock = try FileLock.attempt(file, .shared) else { return Start(record.id, file: file) }
      return Start(record.id, file: file, lock: HeldLock(lock))
    case .remote(let name):
      let store = try await push(record, run, name)
      try await StartedRuns(of: store).add(record)
      return Start(record.id, file: nil)
    }
  }

  private static func file(of id: ObjectID, _ mark: String, beside bundle: FilePath) -> FilePath {
    FilePath(rawBytes: bundle.rawBytes + Array(".\(mark)-\(id.shortHex)".utf8))
  }

  // MARK: - The end

  /// Delivers the whole record.
  ///
  /// - Returns: the bytes of the bundle; `nil` for a remote.
  func end(_ start: Start, _ record: Record, _ run: RunRecord) async throws -> UInt64? {
    switch place {
    case .bundle(let file):
      let size = try await write(record, to: file)
      forget(start)
      return size
    case .remote(let name):
      try await deliver(record, run, name, instead: start)
      return nil
    }
  }

  /// Delivers the record of a run whose dv was killed, with what it had printed and logged.
  ///
  /// - Returns: by what name it can be adopted.
  func end(killed start: Start, _ record: Record, _ run: RunRecord) async throws -> String {
    switch place {
    case .bundle(let bundle):
      let file = Self.file(of: start.id, "killed", beside: bundle)
      _ = try await write(record, to: file)
      forget(start)
      return file.printable
    case .remote(let name):
      try await deliver(record, run, name, instead: start, isKilled: true)
      return record.id.shortHex
    }
  }

  /// Removes what says that the run started. Somebody may have taken it away, and what stays says what was so.
  private func forget(_ start: Start) { if let file = start.file { try? file.removeFile() } }

  private func write(_ record: Record, to file: FilePath) async throws -> UInt64 {
    let local = try await repository.localStore(for: .read)
    return try await RunBundle.write(record, of: local.backend, to: file)
  }

  private func deliver(_ record: Record, _ run: RunRecord, _ name: String?, instead start: Start, isKilled: Bool = false) async throws {
    let store = try await push(record, run, name)
    var records = try await RemoteRecords(of: store, try repository.remote(name), in: repository)
    try await records.add([record])
    let started = StartedRuns(of: store)
    // The name that was printed when it started is all that somebody may have.
    if isKilled { try await started.note(start.id, endedAs: record.id) }
    // What stays costs 2 KiB, and says what was so.
    try? await started.remove(start.id)
  }

  /// Makes all that a record names complete on a remote.
  private func push(_ record: Record, _ run: RunRecord, _ name: String?) async throws -> ObjectStore {
    let store = try await repository.remoteStore(try repository.remote(name), create: true)
    let local = try await repository.localStore(for: .read)
    let progress = progress
    let push = RemotePush(from: local.store, to: store) { progress.count($0) }
    progress.begin("Pushing", totalBytes: 0, totalItems: 0)
    let done = try await push.run(try await push.plan(RunContents(record, run).roots))
    if let failure = done.transfer.failed.first {
      throw RepositoryError(.unreachable, "The run could not be pushed whole: \(failure.message)", remedy: "Run it with --bundle.")
    }
    return store
  }
}

/// The records on a remote of runs that started and of which nobody has said yet how they ended: `started/<64 digits>`. And by which record
/// that was said of those whose dv was killed: `ended/<64 digits>`.
struct StartedRuns {
  private let backend: any Backend
  private static let prefix = "started/"
  private static let endedPrefix = "ended/"

  init(of store: ObjectStore) { backend = store.backend }

  /// Their names.
  func ids() async throws -> [ObjectID] {
    try await backend.list(Self.prefix).compactMap { try? ObjectID(hex: String($0.key.text.dropFirst(Self.prefix.count))) }
  }

  /// Returns a record; `nil` if it is there no more.
  ///
  /// - Throws: ``RecordError`` if it is another than its name says.
  func record(_ id: ObjectID) async throws -> Record? {
    let key = try Self.key(id)
    guard let size = try await backend.size(of: key), size <= UInt64(Record.maximumByteCount) else { return nil }
    return try await backend.get(key).map { try Record(decoding: $0, named: id) }
  }

  func add(_ record: Record) async throws { try await backend.put(record.bytes, at: try Self.key(record.id)) }

  /// The names of those whose dv was killed and of which more is known.
  func endedIDs() async throws -> [ObjectID] {
    try await backend.list(Self.endedPrefix).compactMap { try? ObjectID(hex: String($0.key.text.dropFirst(Self.endedPrefix.count))) }
  }

  /// The record that says how a run ended; `nil` if nobody has said so.
  func end(of id: ObjectID) async throws -> ObjectID? {
    let key = try BackendKey(Self.endedPrefix + id.hex)
    guard let size = try await backend.size(of: key), size == 64 else { return nil }
    return try await backend.get(key).flatMap { try? ObjectID(hex: String(decoding: $0, as: UTF8.self)) }
  }

  func note(_ id: ObjectID, endedAs record: ObjectID) async throws {
    try await backend.put(Array(record.hex.utf8), at: try BackendKey(Self.endedPrefix + id.hex))
  }

  func remove(_ id: ObjectID) async throws { try await backend.delete([try Self.key(id)]) }

  private static func key(_ id: ObjectID) throws -> BackendKey { try BackendKey(prefix + id.hex) }
}

/// All objects that a run's record names.
struct RunContents {
  /// What the run made.
  let outputs: [TransferRoot]
  /// Its code, environment, log, series and details.
  let others: [TransferRoot]

  var roots: [TransferRoot] { others + outputs }

  init(_ record: Record, _ run: RunRecord) {
    var others = run.objects(record.id)
    if let (details, size) = RunRecord.details(of: record) {
      others.append(TransferRoot(kind: .file, oid: details, size: size, label: "the details of run \(record.id.shortHex)"))
    }
    self.others = others
    outputs = run.outputs.compactMap { output in
      switch output.content.mode {
      case .directory: nil
      case .tree: TransferRoot(kind: .tree, oid: output.content.oid, size: output.content.size, label: output.path.text)
      // Of a large file that git tracks only the digest is kept.
      case .file, .exec:
        run.uncached.contains(output.path) && output.content.size > RunSession.uncachedLimit
          ? nil : TransferRoot(kind: .file, oid: output.content.oid, size: output.content.size, label: output.path.text)
      }
    }
  }
}
