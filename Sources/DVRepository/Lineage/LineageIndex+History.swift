import DVGit
import DVLineage
import DVObject
import DVSQLite
import DVStore

extension LineageIndex {
  /// Brings the index up to date with references, history, tags, and the records of this clone.
  ///
  /// - Complexity: O(references + records of this clone's directory + what is new).
  func update(from repository: Repository) async throws {
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    var tips: [GitObjectID] = []
    var state: [UInt8] = []
    let references = try repository.git.references()
    for reference in references {
      if let commit = reference.commit { tips.append(commit) }
      state += Array(reference.name.utf8) + [0] + reference.target.bytes
    }
    for worktree in try repository.git.worktrees() {
      guard let commit = worktree.head.commit else { continue }
      tips.append(commit)
      state += commit.bytes
    }
    state.append(try repository.git.isShallow ? 1 : 0)
    let fingerprint = ObjectID(hashing: state.span)
    var hash: [UInt8] = []
    fingerprint.append(to: &hash)
    let own = try book.own.names()
    let isCurrent = try meta("references") == hash
    let missing = try own.filter { try !isOwn($0) }
    if isCurrent, missing.isEmpty, try ownCount() == own.count { return try await complete(from: repository) }
    try database.transaction {
      if !isCurrent {
        // Behind the boundary of a shallow clone nothing is known: when it moves, all is read again.
        if try meta("shallow") == [1] { try forgetHistory() }
        try setMeta("shallow", [try repository.git.isShallow ? 1 : 0])
        try addHistory(from: tips, in: repository, book)
        try prune(to: tips)
        try addTags(in: repository)
        try setMeta("references", hash)
      }
      for id in missing {
        do {
          guard let record = try book.own.read(id) else { continue }
          _ = try add(record, details: try book.own.readDetails(of: id), isOwn: true)
        } catch let error as RecordError {
          try note("record \(id.hex)", error.message)
        }
      }
      try forgetOwn(except: Set(own))
    }
    try await complete(from: repository)
  }

  /// Reads what did not fit records from the local store, as far as it came in since.
  private func complete(from repository: Repository) async throws {
    let partial = try database.all("SELECT id FROM records WHERE partial = 1 AND type = 'run'") { try ObjectID(bytes: $0.blob(0).span) }
    guard !partial.isEmpty else { return }
    let reader = try repository.dataReader(allowingRemote: false)
    for id in partial {
      guard let record = try record(id), let (oid, size) = RunRecord.details(of: record) else { continue }
      var bytes: [UInt8] = []
      do {
        try await reader.readFile(oid, size: size, restart: { bytes.removeAll() }) { piece in
          for index in 0..<piece.count { bytes.append(piece[index]) }
        }
      } catch is StoreError {
        continue
      }
      let details = bytes
      try database.transaction { _ = try add(record, details: details, isOwn: false) }
    }
  }

  /// How many runs are known in part only: what did not fit their records is not here.
  func partialRuns() throws -> Int {
    try database.first("SELECT count(*) FROM records WHERE partial = 1 AND type = 'run'") { Int($0.integer(0)) } ?? 0
  }

  private func ownCount() throws -> Int {
    try database.first("SELECT count(*) FROM records WHERE own = 1") { Int($0.integer(0)) } ?? 0
  }

  private func isOwn(_ id: ObjectID) throws -> Bool {
    try database.first("SELECT 1 FROM records WHERE id = ? AND own = 1", .blob(id.bytes)) { _ in true } ?? false
  }

  private func forgetOwn(except names: Set<ObjectID>) throws {
    var gone: [Int64] = []
    try database.rows("SELECT n, id FROM records WHERE own = 1") { row in
      if let id = try? ObjectID(bytes: row.blob(1).span), !names.contains(id) { gone.append(row.integer(0)) }
    }
    for n in gone { try database.run("UPDATE records SET own = 0 WHERE n = ?", .integer(n)) }
    if !gone.isEmpty { try dropUnfoundRecords() }
  }

  // MARK: - Commits

  private func number(of commit: GitObjectID) throws -> Int64? {
    try database.first("SELECT n FROM commits WHERE id = ?", .blob(commit.bytes)) { $0.integer(0) }
  }

  private func addHistory(from tips: [GitObjectID], in repository: Repository, _ book: RecordBook) throws {
    let git = repository.git
    let new = try git.unknownCommits(from: tips) { try number(of: $0) != nil }
    var trees: [GitObjectID: GitObjectID] = [:]
    for commit in new {
      try database.run(
        "INSERT INTO commits(id, time, author, subject) VALUES(?, ?, ?, ?)", .blob(commit.id.bytes),
        .integer(commit.commitTime), .text("\(commit.author.name) <\(commit.author.email)>"),
        .text(String(commit.message.prefix { $0 != "\n" }.prefix(200))))
      let n = database.lastRow
      for parent in commit.parents {
        guard let p = try number(of: parent) else { continue }
        try database.run("INSERT OR IGNORE INTO parents VALUES(?, ?)", .integer(n), .integer(p))
      }
      trees[commit.id] = commit.tree
      var parentTree: GitObjectID?
      if let parent = commit.parents.first { parentTree = try trees[parent] ?? git.commit(parent).tree }
      try git.changes(from: parentTree, to: commit.tree, wants: { Self.isWanted($0) }) { change in
        // What a merge took over from another parent is no change of its own.
        if try isTakenOver(change, by: commit, git) { return }
        try add(change, at: n, in: repository, book)
      }
    }
  }

  private func isTakenOver(_ change: GitFileChange, by commit: GitCommit, _ git: GitRepository) throws -> Bool {
    guard let new = change.new else { return false }
    for parent in commit.parents.dropFirst() {
      if try git.entry(at: change.path, in: parent)?.id == new { return true }
    }
    return false
  }

  private static func isWanted(_ path: GitPath) -> Bool { path.isPointerName || recordName(path) != nil }

  /// The name of a record by its path: `….dv/records/<aa>/<64 digits>.json`.
  static func recordName(_ path: GitPath) -> ObjectID? {
    let tail = path.bytes.suffix(".dv/records/aa/".utf8.count + 64 + 5)
    guard tail.count == 84, tail.starts(with: ".dv/records/".utf8), tail.suffix(5).elementsEqual(".json".utf8) else { return nil }
    return try? ObjectID(hex: String(decoding: tail.dropFirst(15).dropLast(5), as: UTF8.self))
  }

  private func add(_ change: GitFileChange, at commit: Int64, in repository: Repository, _ book: RecordBook) throws {
    if let id = Self.recordName(change.path) {
      guard let blob = change.new else { return }
      try addRecord(id, blob, at: commit, in: repository, book)
      return
    }
    let path = String(change.path.description.dropLast(Pointer.suffix.count))
    guard let blob = change.new else {
      try database.run("INSERT OR REPLACE INTO changes VALUES(?, ?, NULL, NULL)", .text(path), .integer(commit))
      return
    }
    let pointer: Pointer
    do {
      let bytes = try repository.git.readBlob(blob, limit: Pointer.maximumByteCount)
      pointer = try Pointer(parsing: bytes.span, named: change.path.description)
    } catch {
      try note("pointer \(blob.hex)", "\(error)")
      return
    }
    let version = try addVersion(path, pointer, blob)
    try database.run(
      "INSERT OR REPLACE INTO changes VALUES(?, ?, ?, ?)", .text(path), .integer(commit), .integer(version),
      .optional(pointer.run?.bytes))
  }

  private func addVersion(_ path: String, _ pointer: Pointer, _ blob: GitObjectID) throws -> Int64 {
    let oid = SQLiteValue.blob(pointer.oid.bytes)
    var known: Int64?
    // A content has one size, and is a file or a directory, wherever it lies.
    try database.rows("SELECT n, path, kind, size, files FROM versions WHERE oid = ?", oid) { row in
      if row.text(1) == path { known = row.integer(0) }
      let isSame = row.text(2) == (pointer.kind == .tree ? "tree" : "file") && row.integer(3) == Int64(clamping: pointer.size)
        && row.integer(4) == Int64(clamping: pointer.files ?? 1)
      if !isSame {
        try note("pointer \(blob.hex)", "The pointer '\(path)\(Pointer.suffix)' says another kind or size of \(pointer.oid.shortHex) than the pointer of '\(row.text(1))'.")
      }
    }
    if let known { return known }
    try database.run(
      "INSERT INTO versions(path, oid, kind, size, files) VALUES(?, ?, ?, ?, ?)", .text(path), oid,
      .text(pointer.kind == .tree ? "tree" : "file"), .integer(Int64(clamping: pointer.size)),
      .integer(Int64(clamping: pointer.files ?? 1)))
    return database.lastRow
  }

  private func addRecord(
    _ id: ObjectID, _ blob: GitObjectID, at commit: Int64, in repository: Repository, _ book: RecordBook
  ) throws {
    do {
      let bytes = try repository.git.readBlob(blob, limit: Record.maximumByteCount)
      let record = try Record(decoding: bytes, named: id)
      let n = try add(record, details: try book.own.readDetails(of: id), isOwn: false)
      try database.run("INSERT OR IGNORE INTO found VALUES(?, ?)", .integer(n), .integer(commit))
    } catch let error as RecordError {
      try note("record \(id.hex)", error.message)
    } catch let error as GitError {
      try note("record \(id.hex)", error.message)
    }
  }

  // MARK: - What is gone

  private func forgetHistory() throws {
    try database.execute(
      """
      DELETE FROM commits; DELETE FROM parents; DELETE FROM changes; DELETE FROM versions; DELETE FROM found;
      DELETE FROM problems;
      """)
    try dropUnfoundRecords()
  }

  /// Forgets commits that no reference leads to any more, and what only they had.
  private func prune(to tips: [GitObjectID]) throws {
    let reachable = try ancestors(of: try tips.compactMap { try number(of: $0) })
    let all = try database.all("SELECT n FROM commits") { $0.integer(0) }
    guard all.count != reachable.count else { return }
    for n in all where !reachable.contains(n) {
      let value = SQLiteValue.integer(n)
      try database.run("DELETE FROM commits WHERE n = ?", value)
      try database.run("DELETE FROM parents WHERE child = ?", value)
      try database.run("DELETE FROM changes WHERE \"commit\" = ?", value)
      try database.run("DELETE FROM found WHERE \"commit\" = ?", value)
    }
    try database.execute("DELETE FROM versions WHERE n NOT IN (SELECT version FROM changes WHERE version IS NOT NULL)")
    try dropUnfoundRecords()
  }

  private func dropUnfoundRecords() throws {
    try database.execute(
      """
      DELETE FROM records WHERE own = 0 AND n NOT IN (SELECT record FROM found);
      DELETE FROM uses WHERE record NOT IN (SELECT n FROM records);
      DELETE FROM links WHERE record NOT IN (SELECT n FROM records);
      """)
  }

  /// The numbers of commits and all they follow.
  func ancestors(of starts: [Int64]) throws -> Set<Int64> {
    var parents: [Int64: [Int64]] = [:]
    try database.rows("SELECT child, parent FROM parents") { parents[$0.integer(0), default: []].append($0.integer(1)) }
    var seen = Set(starts)
    var waiting = starts
    while let next = waiting.popLast() {
      for parent in parents[next] ?? [] where seen.insert(parent).inserted { waiting.append(parent) }
    }
    return seen
  }
}

extension ObjectID {
  /// The 32 raw bytes.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return bytes
  }
}
