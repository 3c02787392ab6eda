import DVFile
import DVGit
import DVLineage
import DVObject
import DVSQLite
import DVWorkspace
import SystemPackage

/// Finds what a target on the command line names in the graph.
struct LineageTarget {
  let trace: LineageTrace
  let repository: Repository
  let directory: FilePath

  /// Returns the nodes a target names: a path, `REV:path`, an oid or the start of one, a run, a commit, `model@version`,
  /// `model@alias`, a tag of the registry.
  ///
  /// - Parameter hashingFiles: whether a file on disk that dv does not track, and an oid that nothing here has, are meant all the same: then
  ///   the answer is about a content that nobody knows.
  /// - Throws: ``RepositoryError/Code/usage`` if it names nothing, or several things; `conflict` for an alias that is contested.
  func keys(_ argument: [UInt8], hashingFiles: Bool) async throws -> [LineageKey] {
    let text = String(decoding: argument, as: UTF8.self)
    guard !argument.isEmpty else { throw RepositoryError(.usage, "The target is empty.", remedy: "'.' means all that is tracked below this directory.") }
    if let tag = try registered(text) { return [.tag(tag)] }
    if let keys = try await byHash(text, isAnyKnown: hashingFiles), !keys.isEmpty { return keys }
    var failure: RepositoryError?
    do {
      if let keys = try await byPath(argument), !keys.isEmpty { return keys }
    } catch let error as RepositoryError where error.code == .usage && (hashingFiles || !text.contains(":")) {
      // A file that is not in the repository, or not tracked.
      failure = error
    }
    if hashingFiles, let oid = try await hash(FilePath(rawBytes: argument)) { return try contents(oid) }
    if let commit = try? repository.git.resolve(revision: text) { return [.commit(commit)] }
    if let failure, let colon = text.firstIndex(of: ":"), (try? repository.git.resolve(revision: String(text[..<colon]))) != nil { throw failure }
    throw try unknown(text)
  }

  /// Says what is wrong with a target that names nothing, as far as its form tells what was meant.
  private func unknown(_ text: String) throws -> RepositoryError {
    let shown = TerminalSafe.text(text)
    if let at = text.lastIndex(of: "@"), let name = ModelName(String(text[..<at])) {
      guard try trace.tags("model = ?", .text(name.inTag)).first != nil else {
        return RepositoryError(.usage, "No model '\(name)' is registered here.", remedy: "'dv model list' lists those that are; 'git fetch --tags' brings those of others.")
      }
      let selector = TerminalSafe.text(String(text[text.index(after: at)...]))
      return RepositoryError(.usage, "No version of '\(name)' is '\(selector)', or has it as its alias now.", remedy: "'dv model show \(name)' shows what it has.")
    }
    if let name = ModelName(text), try trace.tags("model = ?", .text(name.inTag)).first != nil {
      return RepositoryError(.usage, "'\(name)' is a model, and has versions.", remedy: "Name one: '\(name)@VERSION' or '\(name)@ALIAS'; 'dv model show \(name)' shows them.")
    }
    return RepositoryError(
      .usage, "'\(shown)' names nothing in the lineage.",
      remedy: "A target is a tracked path, REV:PATH, at least 4 digits of an oid, a run or a commit, MODEL@VERSION or MODEL@ALIAS.")
  }

  /// Whether a target has the form of an oid, or of the beginning of one.
  static func isHash(_ argument: [UInt8]) -> Bool {
    let digits = argument.starts(with: "sha256:".utf8) ? argument.dropFirst(7) : argument[...]
    return (4...64).contains(digits.count) && digits.allSatisfy { isDigit($0) || (0x41...0x46).contains($0) }
  }

  private func registered(_ text: String) throws -> String? {
    if try trace.tag(text) != nil { return text }
    if try trace.attestations()[text] != nil { return text }
    guard let at = text.lastIndex(of: "@") else { return nil }
    // In tags the directory of a project ends with =, in commands with a colon.
    let (model, rest) = (String(text[..<at]).replacing(":", with: "="), String(text[text.index(after: at)...]))
    if try trace.tag("\(model)@v\(rest)") != nil { return "\(model)@v\(rest)" }
    let holders = try trace.holders(model, rest)
    guard holders.count < 2 else {
      throw RepositoryError(
        .conflict, "'\(rest)' of '\(model)' is contested: \(holders.map { "'\($0.name)'" }.joined(separator: " and ")).",
        remedy: "Name one of the tags.")
    }
    return holders.first?.name
  }

  private func byHash(_ text: String, isAnyKnown: Bool) async throws -> [LineageKey]? {
    let digits = (text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text).lowercased()
    guard Self.isHash(Array(text.utf8)) else {
      guard text.hasPrefix("sha256:") else { return nil }
      throw RepositoryError(.usage, "'\(TerminalSafe.text(text))' is no oid.", remedy: "After 'sha256:' come 4 to 64 hex digits.")
    }
    func bounds(_ count: Int) -> (SQLiteValue, SQLiteValue) {
      let low = digits + String(repeating: "0", count: max(0, count - digits.count))
      let high = digits + String(repeating: "f", count: max(0, count - digits.count))
      return (.blob(Self.bytes(low)), .blob(Self.bytes(high)))
    }
    let database = trace.index.database
    let (low, high) = bounds(64)
    let records = try database.all("SELECT id FROM records WHERE id BETWEEN ? AND ?", low, high) { try ObjectID(bytes: $0.blob(0).span) }
    var oids = Set(try database.all("SELECT DISTINCT oid FROM versions WHERE oid BETWEEN ? AND ?", low, high) { try ObjectID(bytes: $0.blob(0).span) })
    oids.formUnion(try database.all("SELECT DISTINCT oid FROM uses WHERE oid BETWEEN ? AND ?", low, high) { try ObjectID(bytes: $0.blob(0).span) })
    if oids.isEmpty, records.isEmpty { oids = try await files(beginningWith: digits) }
    if digits.count == 64, isAnyKnown, let whole = try? ObjectID(hex: digits), records.isEmpty { oids.insert(whole) }
    if text.hasPrefix("sha256:"), records.isEmpty, oids.isEmpty {
      throw RepositoryError(
        .usage, "Nothing here has an oid that begins with '\(digits.prefix(16))'.", remedy: "'git fetch' and 'dv fetch' bring what others have.")
    }
    guard records.count + oids.count <= 1 else {
      throw RepositoryError(
        .usage, "\(records.count + oids.count) records and contents begin with '\(digits)'.", remedy: "Give more digits.")
    }
    if let record = records.first { return [.record(record)] }
    guard let oid = oids.first else { return nil }
    return try contents(oid)
  }

  /// The oids of files in tracked directories that begin like this, as far as the directories were searched before.
  ///
  /// The index has 8 bytes of each: the rest is read from the nodes that it names.
  private func files(beginningWith digits: String) async throws -> Set<ObjectID> {
    let start = digits.prefix(16)
    guard let low = UInt64(start + String(repeating: "0", count: 16 - start.count), radix: 16),
      let high = UInt64(start + String(repeating: "f", count: 16 - start.count), radix: 16)
    else { return [] }
    // A shared first digit means a shared sign, so the order of the signed numbers is that of the oids.
    let nodes = try trace.index.database.all(
      "SELECT DISTINCT t.id FROM contents c JOIN trees t ON t.n = c.tree WHERE c.prefix BETWEEN ? AND ? LIMIT 100",
      .integer(Int64(bitPattern: low)), .integer(Int64(bitPattern: high))
    ) { try ObjectID(bytes: $0.blob(0).span) }
    let reader = try repository.dataReader(allowingRemote: false)
    var found: Set<ObjectID> = []
    for node in nodes {
      for item in try TreeNode(decoding: try await reader.node(node)).items where item.mode != nil && item.oid.hex.hasPrefix(digits) {
        found.insert(item.oid)
      }
    }
    return found
  }

  /// The nodes of a content: every path it has, or the bare content.
  func contents(_ oid: ObjectID) throws -> [LineageKey] {
    let paths = try trace.places(of: oid)
    return paths.isEmpty ? [.data(path: "", oid: oid)] : paths.map { .data(path: $0, oid: oid) }
  }

  private func byPath(_ argument: [UInt8]) async throws -> [LineageKey]? {
    let location = try repository.location(argument, from: directory)
    let text = String(decoding: location.path.bytes, as: UTF8.self)
    do {
      let selection = try repository.data(at: location)
      var keys: [LineageKey] = []
      for item in selection.items {
        guard !item.inside.isRoot else {
          keys.append(.data(path: String(decoding: item.data.target.bytes, as: UTF8.self), oid: item.data.pointer.oid))
          continue
        }
        let browser = TreeBrowser(read: try repository.dataReader().nodes)
        let entry = try await item.entry(browser, at: location)
        keys.append(.data(path: text, oid: entry.oid))
      }
      return keys
    } catch let error as RepositoryError where error.code == .usage && location.revision == nil {
      // What was tracked once, or is an input or output that git tracks: the newest that is known.
      let database = trace.index.database
      let tracked = try database.first(
        """
        SELECT v.oid FROM changes h JOIN versions v ON v.n = h.version JOIN commits c ON c.n = h."commit" WHERE h.path = ?
        ORDER BY c.time DESC, c.n DESC
        """, .text(text)) { try ObjectID(bytes: $0.blob(0).span) }
      if let tracked { return [.data(path: text, oid: tracked)] }
      let used = try database.first(
        "SELECT u.oid FROM uses u JOIN records r ON r.n = u.record WHERE u.path = ? ORDER BY r.time DESC, r.n DESC", .text(text)
      ) { try ObjectID(bytes: $0.blob(0).span) }
      if let used { return [.data(path: text, oid: used)] }
      throw error
    }
  }

  private func hash(_ path: FilePath) async throws -> ObjectID? {
    let file = directory.pushing(path)
    guard let stat = try? file.fileStatFollowingLinks(), stat.kind == .regular || stat.kind == .directory else { return nil }
    return try await HashPaths(file).run(in: nil, progress: ProgressSink()).oid
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }

  private static func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex.utf8)
    func value(_ digit: UInt8) -> UInt8 { digit < 0x3a ? digit - 0x30 : digit - 0x57 }
    return stride(from: 0, to: digits.count - 1, by: 2).map { value(digits[$0]) << 4 | value(digits[$0 + 1]) }
  }
}
