import DVBackend
import DVFile
import DVGit
import DVLineage
import DVObject
import DVStore
import SystemPackage

/// What a remote saw of git's tags and history over time: records under `witness/<sha256>`, which only grow.
///
/// Copies lie in the git directory's `dv/remotes/<name>/witness/`, so that each is read once, and an audit without network has
/// what was last seen. A copy of what the remote does not say any more shows that something was taken away there.
struct RemoteWitness {
  /// What the remote says now.
  private(set) var witness = Witness()
  /// What it said once, and does not say now.
  private(set) var withdrawn: Set<Witness.Statement> = []
  /// Records that cannot be read, in words.
  private(set) var problems: [String] = []
  private var keys: [BackendKey] = []

  private static let prefix = "witness/"
  /// Records that may gather before one is made of them.
  private static let gathered = 64

  /// Reads what was last seen of a remote, without asking it.
  init(copiedFrom remote: Remote, in repository: Repository) {
    witness = Self.copies(of: remote, in: repository).witness
  }

  /// Lists the records and reads those of which there is no copy.
  ///
  /// - Throws: ``BackendError`` if the remote cannot be listed or read.
  init(of store: ObjectStore, _ remote: Remote, in repository: Repository) async throws {
    let copies = Self.copies(of: remote, in: repository)
    for entry in try await store.backend.list(Self.prefix) {
      guard let id = try? ObjectID(hex: entry.key.text.dropFirst(Self.prefix.count)) else { continue }
      if let known = copies.records[id] {
        witness.add(known)
      } else {
        guard entry.size <= UInt64(Witness.byteLimit), let bytes = try await store.backend.get(entry.key) else { continue }
        guard ObjectID(hashing: bytes.span) == id, let record = Witness(decoding: bytes) else {
          problems.append("'\(entry.key)' on remote '\(remote.name)' has other bytes than its name says, or a newer dv made it.")
          continue
        }
        witness.add(record)
        keep(bytes, id, of: remote, in: repository)
      }
      keys.append(entry.key)
    }
    withdrawn = Set(copies.witness.seen.keys).subtracting(witness.seen.keys)
  }

  /// Adds what this clone sees and the remote does not say yet; makes one record of many when they have gathered.
  ///
  /// Costs nothing where there is nothing new.
  mutating func add(_ statements: Set<Witness.Statement>, to store: ObjectStore, _ remote: Remote, in repository: Repository) async throws {
    let new = statements.subtracting(witness.seen.keys)
    guard !new.isEmpty else { return }
    let time = UInt64(max(0, try await store.backend.clock()))
    let isMerge = keys.count >= Self.gathered
    var all = isMerge ? witness : Witness()
    all.add(Witness(new, at: time))
    let seen = all.seen.sorted { ($0.value, "\($0.key)") < ($1.value, "\($1.key)") }
    for start in stride(from: 0, to: seen.count, by: Witness.statementLimit) {
      var part = Witness()
      for (statement, time) in seen[start..<min(start + Witness.statementLimit, seen.count)] { part.add(statement, at: time) }
      let bytes = part.encoded()
      let id = ObjectID(hashing: bytes.span)
      let key = try BackendKey(Self.prefix + id.hex)
      try await store.backend.put(bytes, at: key)
      keep(bytes, id, of: remote, in: repository)
      keys.removeAll { $0 == key }
    }
    witness.add(Witness(new, at: time))
    // That they may not be deleted costs space only: all they say is said again.
    if isMerge { try? await store.backend.delete(keys) }
  }

  // MARK: - Copies

  /// Named after the URL: with another one it is another remote.
  private static func folder(of remote: Remote, in repository: Repository) -> FilePath {
    repository.dataDirectory.appending("remotes").appending(remote.name).appending("witness")
      .appending(String(ObjectID(hashing: Array(remote.text.utf8).span).hex.prefix(16)))
  }

  private static func copies(of remote: Remote, in repository: Repository) -> (records: [ObjectID: Witness], witness: Witness) {
    var records: [ObjectID: Witness] = [:]
    var all = Witness()
    let folder = folder(of: remote, in: repository)
    guard let listing = try? folder.listDirectory() else { return (records, all) }
    for index in listing.indices {
      // A damaged copy is as good as none.
      guard let id = try? ObjectID(hex: String(decoding: listing.name(at: index), as: UTF8.self)),
        let bytes = try? folder.appending(id.hex).readAll(limit: Witness.byteLimit), ObjectID(hashing: bytes.span) == id,
        let record = Witness(decoding: bytes)
      else { continue }
      records[id] = record
      all.add(record)
    }
    return (records, all)
  }

  private func keep(_ bytes: [UInt8], _ id: ObjectID, of remote: Remote, in repository: Repository) {
    let folder = Self.folder(of: remote, in: repository)
    try? folder.createDirectories()
    try? folder.appending(id.hex).replaceContent(with: bytes.span, durable: false)
  }
}

extension Repository {
  /// What this clone can bear witness to: the registry's tags and what is said of its versions, the newest record of its own, and the tip of the branch that all share,
  /// as git's remote has it.
  ///
  /// What is only here may still be amended: commits count when they were pushed.
  func statementsToWitness() throws -> Set<Witness.Statement> {
    var statements: Set<Witness.Statement> = []
    for tag in try witnessedTags() { statements.insert(.tag(object: tag.object, name: tag.name)) }
    if let tip = try sharedTip() { statements.insert(.commit(tip.hex)) }
    let book = RecordBook(self, store: LazyStore(try storePlace()))
    if let last = try book.lastLink(), last.sequence > 0, let record = last.previous {
      statements.insert(.chain(clone: try book.cloneID(), number: last.sequence, record: record))
    }
    return statements
  }

  /// The tip of the branch that all share, as git's remote had it when it was last asked; `nil` if there is none.
  func sharedTip() throws -> GitObjectID? {
    var tips: [String: GitObjectID] = [:]
    for reference in try git.references() where reference.name.hasPrefix("refs/remotes/origin/") { tips[reference.name] = reference.commit }
    return ["HEAD", "main", "master"].compactMap { tips["refs/remotes/origin/\($0)"] }.first
  }
}
