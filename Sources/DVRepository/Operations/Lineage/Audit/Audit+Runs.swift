import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVSQLite
import DVStore

extension Audit {
  /// What is not known of runs: where their data came from, whether their code is in a commit, what they read beside what they declare.
  mutating func runs() async throws {
    let runs = try database.all("SELECT id FROM records WHERE type = 'run' AND partial = 0") { try ObjectID(bytes: $0.blob(0).span) }
    let walk = CodeCheck(repository.git)
    for id in runs where isAsked(.record(id)) {
      guard let record = try index.record(id), let status = record.json["status"]?.string, status == "complete" || status == "asserted"
      else { continue }
      let subject = "run \(id.hex)"
      let name = try trace.node(.record(id)).label
      let inputs = try database.all(
        "SELECT u.path, u.oid, u.mode FROM uses u JOIN records r ON r.n = u.record WHERE r.id = ? AND u.role = 0 ORDER BY u.rowid",
        .blob(id.bytes)
      ) { (path: $0.text(0), oid: try ObjectID(bytes: $0.blob(1).span), mode: $0.text(2)) }
      if status == "asserted" { find(.gap, "asserted", subject, "Nobody saw '\(name)' run: its outputs were vouched for.") }
      try await undeclared(record, name)
      if inputs.isEmpty { find(.gap, "no-inputs", subject, "'\(name)' declares no inputs.") }
      let isTracked = Set(
        try database.all(
          "SELECT DISTINCT u.path FROM uses u JOIN records r ON r.n = u.record JOIN versions v ON v.path = u.path WHERE r.id = ? AND u.role = 0",
          .blob(id.bytes)) { $0.text(0) })
      for (path, oid, mode) in inputs {
        if isTracked.contains(path) || mode == "tree" {
          if try !hasOrigin(.data(path: path, oid: oid)) {
            find(.gap, "unknown-source", "\(path) @ \(oid.text)", "Nothing is recorded of where this data came from.")
          }
        } else if mode != "directory", let commit = try trace.commit(of: id), try walk.differs(path, oid, in: commit) {
          // What another run made and git tracks is no code.
          if try hasOrigin(.data(path: path, oid: oid)) { continue }
          find(.gap, "dirty-code", subject, "'\(path)' is not in commit \(commit.shortHex) as the run read it.")
        }
      }
    }
    let attempts = try database.all(
      "SELECT r.id, r.label, l.target, r.time FROM records r JOIN links l ON l.record = r.n AND l.role = 'run' WHERE r.type = 'reproduction' ORDER BY r.time, r.n"
    ) { (id: try ObjectID(bytes: $0.blob(0).span), verdict: $0.text(1), run: try ObjectID(bytes: $0.blob(2).span)) }
    var last: [ObjectID: (id: ObjectID, verdict: String)] = [:]
    for attempt in attempts { last[attempt.run] = (attempt.id, attempt.verdict) }
    for (run, attempt) in last where isAsked(.record(run)) && !["identical", "equivalent", "within-tolerance"].contains(attempt.verdict) {
      find(.gap, "not-reproduced", "run \(run.hex)", "The last attempt to reproduce it (\(attempt.id.shortHex)) ended as '\(attempt.verdict)'.")
    }
  }

  /// What a traced run read or wrote beside what its stage declares.
  private mutating func undeclared(_ record: Record, _ name: String) async throws {
    guard record.json["undeclared"] != nil || RunRecord.details(of: record) != nil else { return }
    let run = try await RecordBook(repository, store: LazyStore(try repository.storePlace())).run(record)
    for (isOutput, kind, verb) in [(false, "undeclared-input", "read"), (true, "undeclared-output", "wrote")] {
      let paths = (run.undeclared ?? []).filter { $0.isOutput == isOutput }.map(\.path).sorted()
      guard !paths.isEmpty else { continue }
      let shown = paths.prefix(5).map { "'\($0)'" }.joined(separator: ", ") + (paths.count > 5 ? " and \(paths.count - 5) more" : "")
      find(.gap, kind, "run \(record.id.hex)", "'\(name)' \(verb) what it does not declare: \(shown).")
    }
  }

  /// Whether a run or a source is known behind data, by way of directories and equal contents.
  private func hasOrigin(_ key: LineageKey) throws -> Bool {
    var seen: Set<LineageKey> = [key]
    var waiting = [key]
    while let next = waiting.popLast() {
      for step in try trace.causes(of: next) where seen.insert(step.other).inserted {
        guard case .data = step.other else { return true }
        waiting.append(step.other)
      }
    }
    return false
  }

}

/// Whether files of commits are what runs read.
private final class CodeCheck {
  private let git: GitRepository
  private var digests: [GitObjectID: ObjectID] = [:]

  init(_ git: GitRepository) { self.git = git }

  func differs(_ path: String, _ oid: ObjectID, in commit: GitObjectID) throws -> Bool {
    guard let place = try? GitPath(path), let entry = try git.entry(at: place, in: commit), entry.kind == .file || entry.kind == .executable
    else { return true }
    if let known = digests[entry.id] { return known != oid }
    // A larger file of git's is no code.
    guard let bytes = try? git.readBlob(entry.id, limit: 64 << 20) else { return false }
    let digest = ObjectID(hashing: bytes.span)
    digests[entry.id] = digest
    return digest != oid
  }
}
