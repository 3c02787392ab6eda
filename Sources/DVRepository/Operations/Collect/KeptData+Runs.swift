import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import SystemPackage

extension KeptData {
  /// How long what only an unreferenced run names is kept without `gc.runs`, in days.
  private static let standardDays: Int64 = 30

  /// Adds what recorded runs of a clone need.
  ///
  /// Of a run whose record git carries in a working tree, an experiment, a pin or a registered version: its code, environment, log, details and the outputs that git
  /// tracks. Of every run that ended within `gc.runs` days: its outputs too, so that they can be restored.
  mutating func addRuns(clone directory: FilePath, _ git: GitRepository) throws {
    let own = RecordDirectory(directory.appending("dv").appending("records"))
    let oldest = Moment.milliseconds - (try days(git, directory)) * 86_400_000
    var seen: Set<ObjectID> = []
    for worktree in try git.worktrees() {
      guard let root = worktree.workDirectory, try root.fileStatFollowingLinks() != nil else { continue }
      let committed = RecordDirectory(root.appending(".dv").appending("records"))
      for id in try committed.names() where seen.insert(id).inserted {
        // One that was altered names nothing.
        guard let record = (try? own.read(id)) ?? (try? committed.read(id)) else { continue }
        add(record, details: (try? own.readDetails(of: id)) ?? (try? committed.readDetails(of: id)), outputsSince: oldest)
      }
    }
    for reference in try git.references() where reference.isKeptForAudits {
      guard let commit = reference.commit else { continue }
      for (id, record) in try git.records(in: commit) where seen.insert(id).inserted {
        add(record, details: try? own.readDetails(of: id), outputsSince: oldest)
      }
    }
    for id in try own.names() where seen.insert(id).inserted {
      if let record = try? own.read(id), let reproduction = try? ReproductionRecord(record, details: own.readDetails(of: id)) {
        if reproduction.end >= oldest { add(reproduction, id) }
        continue
      }
      guard let run = try? own.run(id), run.end >= oldest else { continue }
      add(run, id, withOutputs: true)
      if let record = try? own.read(id) { add(detailsOf: record) }
    }
  }

  /// Adds what a record names that is kept with it.
  ///
  /// - Parameter oldest: of a run that ended before, in milliseconds since 1970, only the outputs that git tracks are kept.
  private mutating func add(_ record: Record, details: [UInt8]?, outputsSince oldest: Int64) {
    if let run = try? RunRecord(record, details: details) {
      add(run, record.id, withOutputs: run.end >= oldest)
    } else if let reproduction = try? ReproductionRecord(record, details: details) {
      add(reproduction, record.id)
    } else {
      return
    }
    add(detailsOf: record)
  }

  private func days(_ git: GitRepository, _ directory: FilePath) throws -> Int64 {
    let configuration = try Configuration(
      committed: git.workDirectory.map { $0.appending(".dv").appending("config") },
      clone: directory.appending("dv").appending("config"), environment: { _ in nil })
    return try configuration.integer("gc.runs").map { min(max(0, $0), 100_000) } ?? Self.standardDays
  }

  /// What is recorded of a reproduction, and what it made that was not what it was to make.
  private mutating func add(_ reproduction: ReproductionRecord, _ id: ObjectID) {
    for (name, kind, object) in [
      ("code", TransferRoot.Kind.tree, reproduction.code), ("environment", .file, reproduction.environment),
      ("log", .file, reproduction.log),
    ] {
      guard let object else { continue }
      add(
        TransferRoot(kind: kind, oid: object.id, size: object.size, label: "the \(name) of reproduction \(id.shortHex)"),
        isCurrent: true)
    }
    for output in reproduction.outputs {
      guard let made = output.made, made.mode != .directory, made.oid != output.recorded else { continue }
      // Of a file that git tracks only the digest is kept.
      add(
        TransferRoot(kind: made.mode == .tree ? .tree : .file, oid: made.oid, size: made.size, label: output.path.text),
        isCurrent: false)
    }
  }

  private mutating func add(detailsOf record: Record) {
    guard let (id, size) = RunRecord.details(of: record) else { return }
    add(TransferRoot(kind: .file, oid: id, size: size, label: "the details of run \(record.id.shortHex)"), isCurrent: true)
  }

  private mutating func add(_ run: RunRecord, _ id: ObjectID, withOutputs: Bool) {
    for root in run.objects(id) { add(root, isCurrent: true) }
    for output in run.outputs where withOutputs || run.uncached.contains(output.path) {
      guard output.content.mode != .directory else { continue }
      let kind: TransferRoot.Kind = output.content.mode == .tree ? .tree : .file
      add(
        TransferRoot(kind: kind, oid: output.content.oid, size: output.content.size, label: output.path.text), isCurrent: true)
    }
  }
}

extension RunRecord {
  /// The objects that describe the run: its code, environment and log.
  func objects(_ id: ObjectID) -> [TransferRoot] {
    [("code", TransferRoot.Kind.tree, code), ("environment", .file, environment), ("log", .file, log), ("series", .file, series)].compactMap {
      (name, kind, object) in
      object.map { TransferRoot(kind: kind, oid: $0.id, size: $0.size, label: "the \(name) of run \(id.shortHex)") }
    }
  }
}
