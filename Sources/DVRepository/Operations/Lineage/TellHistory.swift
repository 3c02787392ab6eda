import DVGit
public import DVObject
import DVSQLite
import DVStore
public import DVWorkspace

/// Tells the versions of data across commits: the operation behind `dv log`.
public struct TellHistory: Sendable {
  /// One commit that changed the data.
  public struct Entry: Sendable {
    /// 40 hex digits.
    public let commit: String
    /// Seconds since 1970.
    public let time: Int64
    public let author: String
    public let subject: String
    public internal(set) var path: String
    /// `nil` if the commit took it away.
    public internal(set) var oid: ObjectID?
    public internal(set) var kind: String?
    /// Bytes.
    public internal(set) var size: Int64
    public internal(set) var files: Int64
    /// The run that made it, as the pointer says.
    public let run: ObjectID?
    /// Files below that were added, removed and changed since the version before; `nil` if that is not known here.
    public internal(set) var difference: (added: Int, removed: Int, changed: Int)?
  }

  private let path: TreePath
  private let isEverything: Bool
  private let limit: Int?

  /// - Parameters:
  ///   - path: relative to the working tree's root: data, a part of it, or a directory with data below.
  ///   - isEverything: all references, not only what HEAD follows.
  public init(_ path: TreePath, isEverything: Bool = false, limit: Int? = nil) {
    self.path = path
    self.isEverything = isEverything
    self.limit = limit
  }

  /// Carries it out: the newest first.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if nothing was ever tracked there.
  public func run(in repository: Repository) async throws -> [Entry] {
    let index = try LineageIndex(of: repository)
    try await index.update(from: repository)
    let database = index.database
    var kept: Set<Int64>?
    if !isEverything, let head = try repository.git.head().commit {
      let n = try database.first("SELECT n FROM commits WHERE id = ?", .blob(head.bytes)) { $0.integer(0) }
      kept = try index.ancestors(of: n.map { [$0] } ?? [])
    }
    let text = String(decoding: path.bytes, as: UTF8.self)
    var candidates = [text]
    var part = text
    while let slash = part.lastIndex(of: "/") {
      part = String(part[..<slash])
      candidates.append(part)
    }
    if text.hasSuffix(".dv") { candidates.insert(String(text.dropLast(3)), at: 1) }
    var found: [(n: Int64, entry: Entry)] = []
    for (position, candidate) in candidates.enumerated() where found.isEmpty {
      let isPrefix = position == 0
      try database.rows(
        """
        SELECT c.n, c.id, c.time, c.author, c.subject, h.path, v.oid, v.kind, v.size, v.files, h.run FROM changes h
        JOIN commits c ON c.n = h."commit" LEFT JOIN versions v ON v.n = h.version
        WHERE h.path = ? OR (? AND h.path > ? AND h.path < ?)
        """, .text(candidate), .integer(isPrefix ? 1 : 0), .text(candidate.isEmpty ? "" : candidate + "/"),
        .text(candidate.isEmpty ? "\u{10ffff}" : candidate + "0")
      ) { row in
        guard kept?.contains(row.integer(0)) != false else { return }
        found.append(
          (
            row.integer(0),
            Entry(
              commit: try GitObjectID(bytes: row.blob(1).span).hex, time: row.integer(2), author: row.text(3),
              subject: row.text(4), path: row.text(5), oid: try? ObjectID(bytes: row.blob(6).span),
              kind: row.isNull(7) ? nil : row.text(7), size: row.integer(8), files: row.integer(9),
              run: try? ObjectID(bytes: row.blob(10).span))
          ))
      }
    }
    // Numbers grow from parents to children, so they order what one second holds.
    found.sort { ($0.entry.time, $0.n) > ($1.entry.time, $1.n) }
    let reader = try repository.dataReader(allowingRemote: false)
    var all = found.map(\.entry)
    // A part of a tracked directory has of the versions of the directory those in which it changed.
    if let holder = all.first?.path, let inside = path.relative(to: TreePath(holder) ?? .root), !inside.isRoot {
      all = try await Self.changes(of: inside, text, all, reader.nodes)
    }
    guard !all.isEmpty else { throw try nothing(in: repository) }
    var entries = limit.map { Array(all.prefix($0)) } ?? all
    for position in entries.indices {
      let entry = entries[position]
      let before = all.dropFirst(position + 1).first { $0.path == entry.path }
      entries[position].difference = try await Self.difference(before, entry, reader.nodes, index)
    }
    return entries
  }

  /// Keeps of the versions of a directory those in which a part of it changed, as versions of the part. One whose listing is not here is kept as it is.
  private static func changes(of inside: TreePath, _ path: String, _ versions: [Entry], _ read: @escaping NodeReader) async throws -> [Entry] {
    let browser = TreeBrowser(read: read)
    var kept: [Entry] = []
    var last: ObjectID?
    for version in versions.reversed() {
      var entry = version
      var part: TreeEntry?
      var isKnown = true
      if version.kind == "tree", let oid = version.oid {
        do throws(WorkspaceError) { part = try await browser.entry(at: inside, in: oid) } catch {
          guard error.code == .missing else { throw error }
          // What is in it is not known here.
          isKnown = false
        }
      }
      if isKnown {
        if part?.oid == last { continue }
        last = part?.oid
        (entry.path, entry.oid) = (path, part?.oid)
        entry.kind = part.map { $0.mode == .directory ? "tree" : "file" }
        (entry.size, entry.files) = (Int64(clamping: part?.size ?? 0), Int64(clamping: part?.files ?? 0))
      }
      kept.append(entry)
    }
    return kept.reversed()
  }

  /// Says why there is no history, as far as the path tells what was meant.
  private func nothing(in repository: Repository) throws -> RepositoryError {
    let text = path.description
    var remedy = isEverything ? "'dv ls' lists what is tracked." : "'--all' looks at all branches and tags."
    if text.contains("@") {
      remedy = "Of models, 'dv model history NAME' tells the history."
    } else if text.contains(":") {
      remedy = "The history is that of a path in all revisions: name the path alone."
    } else if let head = try repository.git.head().commit, let place = try? GitPath(path.bytes), try repository.git.entry(at: place, in: head) != nil {
      remedy = "git tracks it: 'git log -- \(text)'."
    }
    return RepositoryError(.usage, "No commit has data at '\(text)'.", remedy: remedy)
  }

  private static func difference(
    _ old: Entry?, _ new: Entry, _ read: @escaping NodeReader, _ index: LineageIndex
  ) async throws -> (added: Int, removed: Int, changed: Int)? {
    switch (old?.oid, new.oid) {
    case (nil, let oid): return oid == nil ? nil : (Int(new.files), 0, 0)
    case (_?, nil): return (0, Int(old?.files ?? 0), 0)
    case (let before?, let after?):
      if before == after { return (0, 0, 0) }
      guard old?.kind == "tree", new.kind == "tree" else { return (0, 0, 1) }
      // Two oids differ by the same for ever, and to compare large directories takes time.
      let known = try index.database.first(
        "SELECT added, removed, changed FROM differences WHERE old = ? AND new = ?", .blob(before.bytes), .blob(after.bytes)
      ) { (added: Int($0.integer(0)), removed: Int($0.integer(1)), changed: Int($0.integer(2))) }
      if let known { return known }
      var count = (added: 0, removed: 0, changed: 0)
      do {
        try await TreeDifference(readOld: read, readNew: read).run(from: before, to: after) { change in
          switch change.kind {
          case .added: count.added += 1
          case .removed: count.removed += 1
          default: count.changed += 1
          }
        }
      } catch {
        return nil
      }
      try index.database.run(
        "INSERT OR REPLACE INTO differences VALUES(?, ?, ?, ?, ?)", .blob(before.bytes), .blob(after.bytes), .integer(Int64(count.added)),
        .integer(Int64(count.removed)), .integer(Int64(count.changed)))
      return count
    }
  }
}
