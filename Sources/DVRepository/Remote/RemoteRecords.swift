import DVBackend
import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVStore
import SystemPackage

/// The records that a remote keeps for all who use it: segments under `records/<level>-<sha256>`.
///
/// Copies of the segments lie in the git directory's `dv/remotes/<name>/records/`, so that each is read once. A segment that
/// is damaged is passed over and named: whoever has its records writes them again with the next push, which takes its place.
struct RemoteRecords {
  private(set) var segments: [(level: Int, segment: RecordSegment)] = []
  /// What could not be read, in words.
  private(set) var problems: [String] = []
  /// Segments that are no use to anybody.
  private var damaged: [(key: BackendKey, id: ObjectID)] = []
  private let backend: any Backend
  private let copies: FilePath

  private static let prefix = "records/"
  /// Segments of one level that may gather, and the most records of one that is merged.
  private static let gathered = 64
  private static let mergeLimit = 8192

  /// Where copies of a remote's segments lie.
  static func copies(of remote: String, in repository: Repository) -> FilePath {
    repository.dataDirectory.appending("remotes").appending(remote).appending("records")
  }

  /// Lists the segments and reads those of which there is no copy.
  ///
  /// - Throws: ``BackendError`` if the remote cannot be listed.
  init(of store: ObjectStore, _ remote: Remote, in repository: Repository) async throws {
    backend = store.backend
    copies = Self.copies(of: remote.name, in: repository)
    var found: [(level: Int, segment: RecordSegment)] = []
    var listed: Set<String> = []
    var unread: [(id: ObjectID, problem: String)] = []
    for entry in try await backend.list(Self.prefix) {
      guard let (level, id) = Self.segment(from: entry.key) else { continue }
      listed.insert(id.hex)
      do throws(RecordError) {
        if let segment = try Self.copy(id, in: copies) {
          found.append((level, segment))
          continue
        }
        guard entry.size <= UInt64(RecordSegment.maximumByteCount) else {
          throw RecordError(.tooLarge, "It has \(entry.size) bytes.")
        }
        let bytes: [UInt8]?
        do throws(BackendError) { bytes = try await backend.get(entry.key) } catch {
          throw RecordError(.file, error.message, cause: error)
        }
        // Another push has merged it meanwhile.
        guard let bytes else { continue }
        let segment = try RecordSegment(decoding: bytes, named: id)
        found.append((level, segment))
        try? copies.createDirectories()
        try? copies.appending(id.hex).replaceContent(with: bytes.span, durable: false)
      } catch {
        unread.append((id, "'\(entry.key)' on remote '\(remote.name)' cannot be read: \(error.message)"))
        if error.code != .file { damaged.append((entry.key, id)) }
      }
    }
    let superseded = Set(found.flatMap(\.segment.superseded))
    segments = found.filter { !superseded.contains($0.segment.id) }
    problems = unread.filter { !superseded.contains($0.id) }.map(\.problem)
    // What is not there any more is in its successor.
    if let listing = try? copies.listDirectory() {
      for index in listing.indices where !listed.contains(String(decoding: listing.name(at: index), as: UTF8.self)) {
        try? copies.appending(name: listing.name(at: index)).removeFile()
      }
    }
  }

  private static func copy(_ id: ObjectID, in folder: FilePath) throws(RecordError) -> RecordSegment? {
    guard let bytes = try? folder.appending(id.hex).readAll(limit: RecordSegment.maximumByteCount) else { return nil }
    // A damaged copy is as good as none.
    return try? RecordSegment(decoding: bytes, named: id)
  }

  /// Finds a record in the copies of all remotes' segments, without asking any remote.
  static func copied(_ id: ObjectID, in repository: Repository) throws -> Record? {
    let remotes = repository.dataDirectory.appending("remotes")
    guard let names = try? remotes.listDirectory() else { return nil }
    for index in names.indices {
      let folder = remotes.appending(name: names.name(at: index)).appending("records")
      guard let listing = try? folder.listDirectory() else { continue }
      for inner in listing.indices {
        guard let name = try? ObjectID(hex: String(decoding: listing.name(at: inner), as: UTF8.self)),
          let record = try copy(name, in: folder)?.record(id)
        else { continue }
        return record
      }
    }
    return nil
  }

  /// Reads the level and name of a segment from its key.
  private static func segment(from key: BackendKey) -> (level: Int, id: ObjectID)? {
    let parts = key.text.dropFirst(prefix.count).split(separator: "-", omittingEmptySubsequences: false)
    guard key.text.hasPrefix(prefix), parts.count == 2, let level = Int(parts[0]), (0...62).contains(level),
      let id = try? ObjectID(hex: parts[1]), key.text == "\(prefix)\(level)-\(id.hex)"
    else { return nil }
    return (level, id)
  }

  /// The names of all records.
  var ids: Set<ObjectID> { segments.reduce(into: []) { $0.formUnion($1.segment.ids) } }

  /// Returns the records of runs with a key. One that is damaged is passed over.
  func records(key: ObjectID) -> [Record] { segments.flatMap { (try? $0.segment.records(key: key)) ?? [] } }

  // MARK: - Writing

  /// Adds records, whose objects must be there already, and merges segments when many have gathered.
  mutating func add(_ records: [Record]) async throws {
    for begin in stride(from: 0, to: records.count, by: Self.mergeLimit) {
      // Damaged bytes keep their name, so the same records get another one; it says that nobody need read those any more.
      let names = begin == 0 ? damaged.map(\.id) : []
      try await put(
        RecordSegment(records[begin..<min(begin + Self.mergeLimit, records.count)], superseding: names), level: 0)
    }
    if !records.isEmpty { try? await backend.delete(damaged.map(\.key)) }
    var level = 0
    while level < 62 {
      let small = segments.filter { $0.level == level && $0.segment.ids.count < Self.mergeLimit }.map(\.segment)
      guard small.count > (level == 0 ? Self.gathered : 16) else { return }
      var merged: [Record] = []
      for segment in small {
        for id in segment.ids { if let record = try segment.record(id) { merged.append(record) } }
      }
      // The last one names what all supersede: until it is there, everything is there twice.
      var begin = 0
      while begin < merged.count {
        let end = min(begin + Self.mergeLimit, merged.count)
        let names = end == merged.count ? small.map(\.id) + small.flatMap(\.superseded).prefix(1024) : []
        try await put(RecordSegment(merged[begin..<end], superseding: names), level: level + 1)
        begin = end
      }
      // That they may not be deleted costs space only.
      let keys = small.compactMap { try? BackendKey("\(Self.prefix)\(level)-\($0.id.hex)") }
      try? await backend.delete(keys)
      let gone = Set(small.map(\.id))
      segments.removeAll { gone.contains($0.segment.id) }
      level += 1
    }
  }

  private mutating func put(_ segment: RecordSegment, level: Int) async throws {
    try await backend.put(segment.bytes, at: try BackendKey("\(Self.prefix)\(level)-\(segment.id.hex)"))
    segments.append((level, segment))
    try? copies.createDirectories()
    try? copies.appending(segment.id.hex).replaceContent(with: segment.bytes.span, durable: false)
  }
}

/// Which runs' outputs may be taken for what a stage would make: `run.trust`.
enum RunTrust: String {
  /// Those of this git history, and one's own.
  case git
  /// Also those that are on a remote, whoever put them there.
  case remote

  init(of repository: Repository) throws {
    let text = try repository.configuration.string("run.trust") ?? RunTrust.git.rawValue
    guard let trust = RunTrust(rawValue: text) else {
      throw RepositoryError(.usage, "run.trust is '\(text)'.", remedy: "Use 'git' or 'remote'.")
    }
    self = trust
  }
}

/// The runs of a remote that may stand in for running a stage: looked for only where nothing nearer has the stage's key.
final class SharedRuns {
  private let repository: Repository
  private let trust: RunTrust
  private var opened: (store: ObjectStore, records: RemoteRecords, complete: CompleteRoots)?
  private var isAsked = false
  /// Why the remote could not be asked, or what of it could not be read.
  private(set) var problems: [String] = []
  private var foreign: [ObjectID: RunRecord] = [:]

  init(_ repository: Repository) throws {
    self.repository = repository
    trust = try RunTrust(of: repository)
  }

  /// Returns the successful runs with a key whose outputs the default remote has whole.
  func runs(key: ObjectID) async throws -> [PastRun] {
    guard trust == .remote, let (_, records, complete) = try await open() else { return [] }
    var found: [PastRun] = []
    for record in records.records(key: key) {
      guard record.type == RunRecord.type, let run = try? RunRecord(record), var past = run.pastRun(record.id),
        run.outputs.allSatisfy({ Self.has($0, complete) })
      else { continue }
      past.canBeRestored = true
      foreign[record.id] = run
      found.append(past)
    }
    return found
  }

  /// The record, if it is known from the remote alone.
  func foreign(_ id: ObjectID) -> RunRecord? { foreign[id] }

  private static func has(_ output: PathState, _ complete: CompleteRoots) -> Bool {
    switch output.content.mode {
    case .file, .exec: complete.contains(.file, oid: output.content.oid, size: output.content.size)
    case .tree: complete.contains(.tree, oid: output.content.oid, size: output.content.size)
    case .directory: false
    }
  }

  /// Brings the outputs of a run of the remote's into the local store.
  ///
  /// - Returns: whether all of them came.
  func fetch(_ run: PastRun) async throws -> Bool {
    guard let (store, _, _) = try await open() else { return false }
    let local = try await repository.localStore(for: .write)
    let roots = run.outputs.map { output in
      TransferRoot(
        kind: output.content.mode == .tree ? .tree : .file, oid: output.content.oid, size: output.content.size,
        label: output.path.text)
    }
    let report = try await Transfer(.fetch, from: store, to: local.store) { _ in }.run(roots)
    return report.failed.isEmpty
  }

  /// Brings an object that a record names into the local store, whoever is trusted: its name proves it.
  ///
  /// - Returns: whether it came.
  func fetch(_ object: RunRecord.StoredObject) async throws -> Bool {
    guard let (store, _, _) = try await open() else { return false }
    let local = try await repository.localStore(for: .write)
    let root = TransferRoot(kind: .file, oid: object.id, size: object.size, label: "the environment of a run")
    return try await Transfer(.fetch, from: store, to: local.store) { _ in }.run([root]).failed.isEmpty
  }

  /// A remote that cannot be asked is no reason not to run.
  private func open() async throws -> (store: ObjectStore, records: RemoteRecords, complete: CompleteRoots)? {
    if isAsked { return opened }
    isAsked = true
    guard let remote = try? repository.remote(nil) else { return nil }
    do {
      let store = try await repository.remoteStore(remote, create: false)
      let records = try await RemoteRecords(of: store, remote, in: repository)
      problems += records.problems
      opened = (store, records, try await CompleteRoots(of: store))
    } catch let error as RepositoryError {
      if error.code != .missing { problems.append("Runs of others were not looked for: \(error.message)") }
    } catch let error as StoreError {
      problems.append("Runs of others were not looked for: \(error.message)")
    } catch let error as BackendError {
      problems.append("Runs of others were not looked for: \(error.message)")
    }
    return opened
  }
}
