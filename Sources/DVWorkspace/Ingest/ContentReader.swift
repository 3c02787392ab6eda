import DVFile
import DVObject
import DVStore

/// Reads files for an ingest, one after the other, and notices when one changes meanwhile.
struct ContentReader {
  private let scan: TreeScan
  private let state: TreeState
  private let root: OpenDirectory?
  private let content: ContentIngest
  private let trust: TrustRule
  private var cursor: DirectoryCursor?
  private var current: (number: Int, directory: OpenDirectory)?
  private var buffer: [UInt8] = []
  private var memory = CodecMemory()

  init(scan: TreeScan, state: TreeState, root: OpenDirectory?, content: ContentIngest, trust: TrustRule) {
    self.scan = scan
    self.state = state
    self.root = root
    self.content = content
    self.trust = trust
    cursor = root.map { DirectoryCursor(root: $0) }
  }

  /// Reads, hashes and stores a small file or a link.
  mutating func read(_ item: IngestWork.Item) async throws -> HashedEntry {
    let before = state.entries[item.entry]
    for _ in 0..<TreeIngest.attempts {
      if before.mode == EntryMode.symlink.rawValue {
        if let entry = try await readLink(item) { return HashedEntry(index: item.entry, entry: entry) }
      } else if let entry = try await readSmall(item) {
        return HashedEntry(index: item.entry, entry: entry)
      }
    }
    throw changed(item)
  }

  /// Reads, hashes and stores a large file.
  mutating func readLarge(_ item: IngestWork.Item, progress: @Sendable (Int) -> Void) async throws -> HashedEntry {
    for _ in 0..<TreeIngest.attempts {
      let file = try open(item)
      let stat = try file.stat()
      file.expectSequentialReading()
      let (oid, size) = try await content.ingestLarge(file, progress: progress)
      if size == stat.size, try file.stat().identity == stat.identity {
        return HashedEntry(index: item.entry, entry: entry(stat, oid))
      }
    }
    throw changed(item)
  }

  /// - Returns: `nil` if the file changed while it was read.
  private mutating func readSmall(_ item: IngestWork.Item) async throws -> StatEntry? {
    let file = try open(item)
    let stat = try file.stat()
    // It may have grown since the scan; then it is read in pieces like any large file.
    guard stat.size <= UInt64(ContentIngest.smallLimit) else {
      return try await readLarge(item, progress: { _ in }).entry
    }
    do throws(FileError) {
      try file.readAll(into: &buffer, limit: ContentIngest.smallLimit)
    } catch {
      if error.code == .changed { return nil }
      throw error
    }
    let oid = try await content.ingest(buffer, memory: &memory)
    guard try file.stat().identity == stat.identity else { return nil }
    return entry(stat, oid)
  }

  private mutating func readLink(_ item: IngestWork.Item) async throws -> StatEntry? {
    let directory = try directory(item.directory)
    let name = Array(state.name(of: state.entries[item.entry], in: item.directory))
    guard let stat = try directory.handle.stat(name: name), stat.kind == .symlink else { return nil }
    let target = try directory.handle.readLink(name: name)
    let inside = state.path(ofDirectory: item.directory)
    // Only what is stored must make sense elsewhere; on disk there may be any link.
    if content.writer != nil, let reason = LinkRule.problem(target: target, in: inside) {
      try [ScanProblem(path: scan.target.appending(inside).appending(name), reason: reason)].requireNone()
    }
    let oid = try await content.ingest(target, memory: &memory)
    guard try directory.handle.stat(name: name)?.identity == stat.identity else { return nil }
    var entry = entry(stat, oid)
    entry.mode = EntryMode.symlink.rawValue
    // Some file systems report another size for a link than its target has.
    entry.size = UInt64(target.count)
    return entry
  }

  private func entry(_ stat: FileStat, _ oid: ObjectID) -> StatEntry {
    var entry = StatEntry(stat, mode: stat.isExecutable ? .executable : .file)
    entry.oid = oid
    entry.flags = .hashed
    entry.setTrust(trust)
    return entry
  }

  private mutating func open(_ item: IngestWork.Item) throws -> FileReader {
    guard state.isDirectory else { return try FileReader(scan.location) }
    let name = Array(state.name(of: state.entries[item.entry], in: item.directory))
    return try directory(item.directory).handle.openFile(name: name)
  }

  private mutating func directory(_ number: Int) throws(FileError) -> OpenDirectory {
    if let current, current.number == number { return current.directory }
    guard let opened = try cursor?.directory(at: state.path(ofDirectory: number)) else {
      throw FileError(code: .notDirectory, path: scan.location, message: "'\(scan.target)' is not a directory.")
    }
    current = (number, opened)
    return opened
  }

  private func changed(_ item: IngestWork.Item) -> WorkspaceError {
    let path = scan.target.appending(state.path(ofEntry: item.entry, in: item.directory))
    return WorkspaceError(
      .changed, "'\(path)' kept changing while it was being read. Wait until it is complete and try again.",
      paths: [path])
  }
}
