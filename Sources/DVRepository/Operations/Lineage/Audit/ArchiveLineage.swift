import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVWorkspace

/// What the records in an archive say of how a model was made: each run behind it, what it read, its code. What an archive lacks is a gap, as its list of
/// members is signed by nobody: who takes a record out takes it from the list too.
struct ArchiveLineage {
  private let records: [ObjectID: Record]
  /// The members of the archive by name.
  private let files: [String: [UInt8]]
  /// Whether the archive says that objects were left out of it; that is told elsewhere.
  private let isPartial: Bool
  private var runs: [ObjectID: RunRecord] = [:]
  /// Runs by what they made.
  private var makers: [ObjectID: [ObjectID]] = [:]
  private var sources: [SourceRecord] = []
  private var attempts: [ObjectID: [(id: ObjectID, record: ReproductionRecord)]] = [:]
  private(set) var findings: [AuditReport.Finding] = []

  /// So many files no code has.
  private static let entryLimit = 1_000_000

  /// - Parameters:
  ///   - records: proved to be what their names say.
  ///   - files: likewise.
  init(_ records: [ObjectID: Record], files: [String: [UInt8]], isPartial: Bool) {
    (self.records, self.files, self.isPartial) = (records, files, isPartial)
    for (id, record) in records.sorted(by: { $0.key < $1.key }) {
      let details = RunRecord.details(of: record).flatMap { files["objects/\($0.id.hex)"] }
      do throws(RecordError) {
        switch record.type {
        case RunRecord.type:
          let run = try RunRecord(record, details: details)
          runs[id] = run
          for output in run.outputs { makers[output.content.oid, default: []].append(id) }
        case SourceRecord.type: sources.append(try SourceRecord(record))
        case ReproductionRecord.type:
          let attempt = try ReproductionRecord(record, details: details)
          attempts[attempt.run, default: []].append((id, attempt))
        default: break
        }
      } catch {
        find(.tampering, "altered-record", "records/\(id.hex).json", error.message)
      }
    }
  }

  private mutating func find(_ severity: AuditReport.Severity, _ kind: String, _ subject: String, _ message: String) {
    findings.append(.init(severity: severity, kind: kind, subject: subject, message: message))
  }

  /// Follows what made a model.
  ///
  /// - Parameter run: the run that the version's tag names.
  mutating func follow(_ oid: ObjectID, madeBy run: ObjectID?) async throws {
    guard let run else { return find(.gap, "no-run", "\(oid.text)", "No recorded run made this model.") }
    guard let made = runs[run] else { return find(.tampering, "missing-record", run.text, "The run that made the model is not in the archive.") }
    if !made.isPartial, !made.outputs.contains(where: { $0.content.oid == oid }) {
      find(.tampering, "not-made-by-run", run.text, "This run did not make \(oid.shortHex).")
    }
    var seen: Set<ObjectID> = [run]
    var waiting = [run]
    while let id = waiting.popLast() {
      guard let run = runs[id] else { continue }
      try await requireObjects(of: run, id)
      for input in run.inputs {
        let origins = try await origins(of: input, readBy: run)
        if origins == nil {
          find(.gap, "unknown-source", "\(input.path) @ \(input.content.oid.text)", "Nothing in the archive says where this data came from.")
        }
        for maker in origins ?? [] where seen.insert(maker).inserted { waiting.append(maker) }
      }
      if let last = attempts[id]?.max(by: { ($0.record.end, $0.id) < ($1.record.end, $1.id) }), last.record.verdict > .withinTolerance {
        find(.gap, "not-reproduced", "run \(id.hex)", "The last attempt to reproduce it (\(last.id.shortHex)) ended as '\(last.record.verdict.rawValue)'.")
      }
    }
  }

  /// The runs that made what a run read; none if it was imported or is code, `nil` if nothing here says where it came from.
  private func origins(of input: PathState, readBy run: RunRecord) async throws -> [ObjectID]? {
    if let known = makers[input.content.oid] { return known }
    if sources.contains(where: { $0.data.content.oid == input.content.oid }) { return [] }
    // A part of a directory: its own listing is data, and not in the archive.
    let around = runs.filter { $0.value.outputs.contains { $0.path != input.path && $0.path.overlaps(input.path) } }.map(\.key)
    if !around.isEmpty { return around.sorted() }
    if sources.contains(where: { $0.data.path != input.path && $0.data.path.overlaps(input.path) }) { return [] }
    if input.content.mode == .directory { return [] }
    guard let code = run.code else { return nil }
    // What is not in the archive was told before.
    guard let entry = try? await browser.entry(at: TreePath(input.path), in: code.id) else { return files["objects/\(code.id.hex)"] == nil ? [] : nil }
    return entry.oid == input.content.oid ? [] : nil
  }

  private var browser: TreeBrowser {
    let files = files
    return TreeBrowser { id in
      guard let bytes = files["objects/\(id.hex)"] else { throw WorkspaceError(.missing, "The node \(id.shortHex) is not in the archive.") }
      return bytes
    }
  }

  /// What a run's record names must be there: details, environment, and its code with all files.
  private mutating func requireObjects(of run: RunRecord, _ id: ObjectID) async throws {
    guard !isPartial else { return }
    func require(_ isThere: Bool, _ what: String) {
      if !isThere { find(.gap, "missing-object", "run \(id.hex)", "\(what) of the run is not in the archive, and not listed as left out.") }
    }
    require(!run.isPartial, "A part of the record")
    if let environment = run.environment { require(files["objects/\(environment.id.hex)"] != nil, "The environment") }
    guard let code = run.code else { return }
    var (count, missing) = (0, 0)
    let files = files
    do {
      try await browser.forEachEntry(of: code.id, entering: { _, _ in true }) { _, entry in
        count += 1
        guard count <= Self.entryLimit else { throw WorkspaceError(.corrupt, "The code has more than \(Self.entryLimit) files.") }
        if entry.mode != .directory, files["objects/\(entry.oid.hex)"] == nil { missing += 1 }
      }
      require(missing == 0, "Code (\(missing) of \(count) files and directories)")
    } catch {
      require(false, "Code (\(error.message))")
    }
  }
}
