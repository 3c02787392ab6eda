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
    public let path: String
    /// `nil` if the commit took it away.
    public let oid: ObjectID?
    public let kind: String?
    /// Bytes.
    public let size: Int64
    public let files: Int64
    /// The run that made it, as the pointer says.
    public let run: ObjectID?
    /// Files below that were added, removed and changed since the version before; `nil` if that is not known here.
    public internal(set) var difference: (added: Int, removed: Int, changed: Int)?
  }

  private let path: TreePath
  private let isEverything: Bool
  private let limit: Int?

  /// - Parameters:
  ///   - path: relative to the working tree's root: data, or a directory with data below.
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
    // A part of a tracked directory has the history of the directory.
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
    guard !found.isEmpty else {
      throw RepositoryError(
        .usage, "No commit has data at '\(path)'.",
        remedy: isEverything ? "'dv ls' lists what is tracked." : "'--all' looks at all branches and tags.")
    }
    // Numbers grow from parents to children, so they order what one second holds.
    found.sort { ($0.entry.time, $0.n) > ($1.entry.time, $1.n) }
    var entries = found.map(\.entry)
    if let limit { entries = Array(entries.prefix(limit)) }
    let reader = try repository.dataReader(allowingRemote: false)
    for position in entries.indices {
      let entry = entries[position]
      let before = found.map(\.entry).dropFirst(position + 1).first { $0.path == entry.path }
      entries[position].difference = try await Self.difference(before, entry, reader.nodes, index)
    }
    return entries
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
