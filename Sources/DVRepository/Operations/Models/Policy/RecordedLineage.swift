import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace

/// How far back it is recorded what a model comes from, judged by the records and pointers of its commit alone.
struct RecordedLineage {
  /// A run behind the model, and the commit that brought its record.
  private struct Step {
    let id: ObjectID
    let run: RunRecord
    let commit: GitObjectID

    var name: String { run.stage.map { "'\($0)'" } ?? id.shortHex }
  }

  private let repository: Repository
  private let committed: CommittedRuns
  private var steps: [Step] = []
  /// What nothing is recorded of, in words.
  private var gaps: [String] = []
  /// Tracked data that no run made and of which it is not recorded where it came from.
  private var unsourced: [String] = []

  init(of model: ModelRecord, _ committed: CommittedRuns, in repository: Repository) async throws {
    self.repository = repository
    self.committed = committed
    guard let id = model.run else {
      gaps.append("no recorded run made the model")
      return
    }
    guard let first = committed.runs[id] else {
      gaps.append("commit \(model.commit.prefix(12)) does not hold the record of run \(id.shortHex)")
      return
    }
    if !first.outputs.contains(where: { $0.content.oid == model.oid }) { gaps.append("run \(id.shortHex) did not make this content") }
    var waiting: [(ObjectID, RunRecord)] = [(id, first)]
    var seen: Set<ObjectID> = [id]
    var found: [(ObjectID, RunRecord)] = []
    while let (id, run) = waiting.popLast() {
      found.append((id, run))
      for maker in try await follow(run, id) where seen.insert(maker.id).inserted { waiting.append((maker.id, maker.run)) }
    }
    let commits = try introductions(of: found.map(\.0))
    steps = found.map { Step(id: $0.0, run: $0.1, commit: commits[$0.0] ?? committed.commit) }
    try await findCode()
  }

  /// The oldest commit that has each record, of those that the version's commit follows.
  private func introductions(of ids: [ObjectID]) throws -> [ObjectID: GitObjectID] {
    let paths = try ids.map { ($0, try GitPath(RecordBook.path(of: $0).bytes)) }
    var found: [ObjectID: GitObjectID] = [:]
    try repository.git.forEachCommit(from: [committed.commit]) { commit in
      for (id, path) in paths where try repository.git.entry(at: path, in: commit) != nil { found[id] = commit }
    }
    return found
  }

  /// Looks at what a run read; what is not tracked data is left to ``findCode()``.
  ///
  /// - Returns: the runs that made it.
  private mutating func follow(_ run: RunRecord, _ id: ObjectID) async throws -> [(id: ObjectID, run: RunRecord)] {
    let name = run.stage.map { "'\($0)'" } ?? id.shortHex
    if run.isPartial { gaps.append("part of the record of \(name) is not here: 'dv fetch'") }
    if run.status == .asserted { gaps.append("nobody saw \(name) run: its outputs were vouched for") }
    let reads = (run.undeclared ?? []).filter { !$0.isOutput && !$0.path.hasPrefix("/") && !$0.path.hasPrefix("~") }
    if let first = reads.first {
      let more = reads.count > 1 ? " and \(reads.count - 1) more" : ""
      gaps.append("\(name) read '\(first.path)'\(more) without declaring it")
    }
    var makers: [(id: ObjectID, run: RunRecord)] = []
    for input in run.inputs where input.content.mode != .directory {
      if let maker = committed.makers(of: input.content.oid).first(where: { $0.id != id }) {
        makers.append(maker)
        continue
      }
      guard let whole = try await tracked(input) else { continue }
      if let maker = committed.makers(of: whole).first(where: { $0.id != id }) {
        makers.append(maker)
      } else if !committed.sourced.contains(whole), !committed.sourced.contains(input.content.oid) {
        unsourced.append(input.path.text)
      }
    }
    return makers
  }

  /// The tracked file or directory of the version's commit that holds the input; `nil` if none does.
  private func tracked(_ input: PathState) async throws -> ObjectID? {
    guard let found = try repository.resolve(TreePath(input.path), in: committed.commit) else { return nil }
    if found.inside.isRoot { return found.data.pointer.oid == input.content.oid ? input.content.oid : nil }
    let browser = TreeBrowser(read: try repository.dataReader().nodes)
    let entry = try await browser.entry(at: found.inside, in: found.data.pointer.oid)
    return entry?.oid == input.content.oid ? found.data.pointer.oid : nil
  }

  // MARK: - Code

  /// Where each run read something that no commit has as it was.
  private var differences: [String] = []

  private mutating func findCode() async throws {
    for step in steps {
      let code = CommittedCode(repository: repository, commit: step.commit)
      var missing: [String] = []
      for input in step.run.inputs where input.content.mode != .directory && committed.makers(of: input.content.oid).isEmpty {
        if try await tracked(input) != nil { continue }
        switch try code.state(of: input) {
        case .same: continue
        case .differs: differences.append("'\(input.path)' of \(step.name)")
        case .absent: missing.append("'\(input.path)'")
        }
      }
      if !missing.isEmpty {
        gaps.append("\(missing.joined(separator: ", ")), which \(step.name) read, is neither tracked nor made by a recorded run")
        differences += missing
      }
      differences += try await code.differences(of: step.run, reader: repository.dataReader()).map { "'\($0)' of \(step.name)" }
    }
  }

  private var runsOf: JSONObject {
    var inputs = JSONObject()
    inputs["runs"] = .array(steps.map { .string($0.id.hex) })
    return inputs
  }

  func answer(_ wanted: ModelPolicy.Lineage) -> PolicyCheck {
    var missing = gaps
    if wanted == .full, !unsourced.isEmpty {
      missing.append("it is not recorded where \(Self.some(unsourced.map { "'\($0)'" })) came from")
    }
    guard missing.isEmpty else { return PolicyCheck("lineage", false, missing.prefix(8).joined(separator: "; "), runsOf) }
    return PolicyCheck("lineage", true, "\(wanted.rawValue), runs: \(steps.count)", runsOf)
  }

  func cleanCode() throws -> PolicyCheck {
    guard !steps.isEmpty else { return PolicyCheck("clean code", false, "No recorded run of the commit made the model, so what code ran is not known.") }
    guard differences.isEmpty else {
      var finding = "not in git as it ran: " + Self.some(differences)
      if try repository.git.isShallow { finding += "; this clone is shallow, and older commits may have it: 'git fetch --unshallow'" }
      return PolicyCheck("clean code", false, finding, runsOf)
    }
    var inputs = runsOf
    inputs["commits"] = .array(steps.map { .string($0.commit.hex) })
    return PolicyCheck("clean code", true, "in git as it ran, runs: \(steps.count)", inputs)
  }

  private static func some(_ names: [String]) -> String {
    let first = names.prefix(6).joined(separator: ", ")
    return names.count > 6 ? "\(first) and \(names.count - 6) more" : first
  }
}
