import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVWorkspace

/// Finds the runs that a commit or a name stands for, in the order in which they depend on each other.
struct RecordedRuns {
  typealias Found = (id: ObjectID, run: RunRecord)

  let repository: Repository
  let book: RecordBook

  /// Returns the commit and the runs.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if the target is none, or has no runs.
  func find(_ request: ReproductionRequest) async throws -> (commit: GitObjectID?, runs: [Found]) {
    let target = request.target
    if let model = try await registered(request) { return model }
    let commit = target.hasPrefix("sha256:") ? nil : try? repository.git.resolve(revision: target)
    let isRunName = target.hasPrefix("sha256:") || (target.count >= 4 && target.allSatisfy(\.isHexDigit))
    let run = isRunName ? try? await ShowRun(target).run(in: repository) : nil
    switch (commit, run) {
    case (let commit?, nil):
      let all = try await runs(of: commit)
      guard !all.isEmpty else {
        throw RepositoryError(
          .usage, "The commit \(commit.shortHex) names no recorded run: none of its pointers was made by 'dv run' or 'dv repro'.",
          remedy: "'dv runs list' shows the runs that are known here.")
      }
      return (commit, try select(request.stages, of: try Self.ordered(all), in: commit))
    case (nil, let run?): return (try firstCommit(with: run.id), [run])
    case (.some, .some):
      throw RepositoryError(
        .usage, "'\(target)' is the beginning of a commit and of a run.",
        remedy: "Give more digits, or write 'sha256:\(target)' for the run.")
    case (nil, nil):
      throw RepositoryError(
        .usage, "'\(target)' is no commit, and no recorded run begins like this.",
        remedy: "'git log' shows commits, 'dv runs list' runs.")
    }
  }

  /// Of `MODEL@VERSION`, the run that made the model and those that fed it; `nil` if the target is no model of the registry.
  private func registered(_ request: ReproductionRequest) async throws -> (commit: GitObjectID?, runs: [Found])? {
    guard let at = request.target.lastIndex(of: "@"), let name = ModelName(String(request.target[..<at])),
      let model = try repository.modelRegistry().models[name]
    else { return nil }
    let version = try repository.version(String(request.target[request.target.index(after: at)...]), of: model)
    guard let hex = version.version?.commit ?? version.tag.commit, let id = version.version?.run else {
      throw RepositoryError(
        .usage, "The version '\(version.tag.name)' names no recorded run, so there is nothing to run again.",
        remedy: "Only models that 'dv run' or 'dv repro' made can be reproduced.")
    }
    let commit = try GitObjectID(hex: hex)
    guard let run = try await run(id, in: commit) else {
      throw RepositoryError(
        .missing, "The record \(id.shortHex) of the run that made '\(version.tag.name)' is not here.",
        remedy: "'git fetch' brings the commits that have it.")
    }
    var all = try await runs(of: commit)
    if !all.contains(where: { $0.id == id }) { all.append((id, run)) }
    let ordered = try Self.ordered(all)
    var wanted: [Found] = []
    for found in ordered.reversed() where found.id == id || wanted.contains(where: { Self.feeds(found.run, $0.run) }) {
      wanted.append(found)
    }
    return (commit, try select(request.stages, of: wanted.reversed(), in: commit))
  }

  /// The runs that made what a commit has: those its pointers name, and those of its records that made its other outputs.
  private func runs(of commit: GitObjectID) async throws -> [Found] {
    var found: [ObjectID: RunRecord] = [:]
    for data in try repository.data(in: commit, walk: PointerWalk(repository.git)) {
      guard let id = data.pointer.run, found[id] == nil, let run = try await run(id, in: commit) else { continue }
      found[id] = run
    }
    let stages = Set(found.values.compactMap(\.stage))
    var others: [String: Found] = [:]
    for file in try repository.git.files(in: commit, under: try GitPath(".dv/records")) {
      guard let name = file.path.description.split(separator: "/").last, name.hasSuffix(".json"),
        let id = try? ObjectID(hex: name.dropLast(5)), found[id] == nil, let run = try await run(id, in: commit),
        run.status == .complete || run.status == .asserted, let stage = run.stage, !stages.contains(stage),
        run.outputs.allSatisfy({ run.uncached.contains($0.path) }), try made(run, in: commit)
      else { continue }
      if let known = others[stage], (known.run.end, known.id) > (run.end, id) { continue }
      others[stage] = (id, run)
    }
    return found.map { ($0.key, $0.value) } + others.values.map { $0 }
  }

  private func run(_ id: ObjectID, in commit: GitObjectID) async throws -> RunRecord? {
    if let run = try await book.run(id) { return run }
    guard
      let bytes = try repository.git.readBlob(
        at: try GitPath(RecordBook.path(of: id).bytes), in: commit, limit: Record.maximumByteCount)
    else { return nil }
    // The commit may have records of other kinds: sources, erasures.
    let record = try Record(decoding: bytes, named: id)
    return record.type == RunRecord.type ? try await book.run(record) : nil
  }

  /// Whether the commit has the outputs of a run that git tracks.
  private func made(_ run: RunRecord, in commit: GitObjectID) throws -> Bool {
    guard !run.outputs.isEmpty else { return false }
    return try run.outputs.allSatisfy { output in
      guard output.content.size <= 16 << 20,
        let bytes = try repository.git.readBlob(at: try GitPath(output.path.text), in: commit, limit: 16 << 20)
      else { return false }
      return ObjectID(hashing: bytes.span) == output.content.oid
    }
  }

  /// The oldest commit that has the record, of all that can be reached.
  private func firstCommit(with record: ObjectID) throws -> GitObjectID? {
    let path = try GitPath(RecordBook.path(of: record).bytes)
    var starts = try repository.git.references().compactMap(\.commit)
    if let head = try repository.git.head().commit { starts.append(head) }
    var first: GitObjectID?
    try repository.git.forEachCommit(from: starts) { commit in
      if try repository.git.entry(at: path, in: commit) != nil { first = commit }
    }
    return first
  }

  /// Puts each run after those whose outputs it reads; otherwise by the time at which they ended.
  static func ordered(_ runs: [Found]) throws -> [Found] {
    var waiting = runs.sorted { ($0.run.end, $0.id) < ($1.run.end, $1.id) }
    var ordered: [Found] = []
    while !waiting.isEmpty {
      // Records of other times may seem to go in a circle: then time decides.
      let next = waiting.firstIndex { run in !waiting.contains { $0.id != run.id && feeds($0.run, run.run) } } ?? 0
      ordered.append(waiting.remove(at: next))
    }
    return ordered
  }

  static func feeds(_ maker: RunRecord, _ reader: RunRecord) -> Bool {
    reader.inputs.contains { input in maker.outputs.contains { $0.path.overlaps(input.path) } }
  }

  private func select(_ names: [String], of runs: [Found], in commit: GitObjectID) throws -> [Found] {
    guard !names.isEmpty else { return runs }
    var chosen: Set<ObjectID> = []
    for name in names {
      var matching = runs.filter { found in
        found.run.stage == name || found.run.stage?.split(separator: "@").first.map(String.init) == name
          || found.run.outputs.contains { $0.path.text == name }
      }
      // A stage may be called 'f': so few digits name no run.
      let digits = name.hasPrefix("sha256:") ? String(name.dropFirst("sha256:".count)) : name
      if matching.isEmpty, digits.utf8.count >= 4 { matching = runs.filter { $0.id.hex.hasPrefix(digits.lowercased()) } }
      guard !matching.isEmpty else {
        let known = runs.compactMap(\.run.stage)
        throw RepositoryError(
          .usage, "No recorded run of the commit \(commit.shortHex) is of a stage '\(name)' or made such an output.",
          remedy: known.isEmpty ? nil : "There are: \(known.joined(separator: ", ")).")
      }
      chosen.formUnion(matching.map(\.id))
    }
    return runs.filter { chosen.contains($0.id) }
  }
}
