import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

extension RunSession {
  /// Outputs that git tracks are kept in the store too, up to this size; in bytes.
  static let uncachedLimit: UInt64 = 16 << 20

  /// Stores what a run made, records it, and stages pointers and record.
  func finish(_ started: consuming StartedRun, _ result: RunJob.Result) async throws -> FinishedRun {
    let stage = started.stage
    var record = started.record
    record.start = result.start
    record.end = result.end
    record.processorTime = result.processorMilliseconds
    record.peakMemory = Int64(clamping: result.peakMemory)
    switch result.ending {
    case .exited(let code):
      record.exitCode = Int64(code)
      record.status = result.wasInterrupted ? .interrupted : code == 0 && result.failure == nil ? .complete : .failed
    case .killed(let signal):
      record.signal = Int64(signal)
      record.status = result.wasInterrupted ? .interrupted : .killed
    }
    if let failure = result.failure { output.note(.warning(failure.message)) }

    do { record.undeclared = try undeclared(by: started.job, of: stage) } catch {
      // The run is recorded all the same.
      output.note(.warning("What was traced cannot be read: \(error)"))
    }

    var missing: [StagePath] = []
    for output in stage.outputs where try root.appending(TreePath(output.path)).fileStat() == nil { missing.append(output.path) }
    if record.status == .complete, !missing.isEmpty { record.status = .failed }
    if record.status == .complete { record.outputs = try await isDetached ? ingest(stage.outputs) : store(stage.outputs) }
    record.metrics = try metrics(of: stage)

    let local = try await repository.localStore(for: .write)
    let writer = ObjectWriter(addingTo: local.store)
    record.log = try await Self.keepLog(started.job.log, writer)
    if let series = started.job.series {
      let logged = try LoggedSeries(reading: series)
      if let warning = logged.warning { output.note(.warning(warning)) }
      record.logged = logged.json
      record.series = try await Self.keepLog(series, writer)
    }
    // Bytes from the same key that are the same again were made by the run that is recorded already.
    let isSame = isDetached || record.status == .complete && hasSameMaker(started.previous, stage, record)
    let id = try await book.append(record, writer)
    if record.status == .complete, !isSame { try name(id, as: stage, started.previous) }
    try started.journal.remove()
    return FinishedRun(
      stage: record.stage, record: id, run: record, missing: missing, isStaged: record.status == .complete && !isSame)
  }

  /// Stores what was printed or logged, and removes the file; `nil` if it is empty or none.
  static func keepLog(_ log: FilePath?, _ writer: ObjectWriter) async throws -> RunRecord.StoredObject? {
    guard let log else { return nil }
    defer { try? log.removeFile() }
    guard let stat = try log.fileStat(), stat.size > 0 else { return nil }
    let stored = try await ContentIngest(writer: writer).ingestLarge(try FileReader(log))
    return RunRecord.StoredObject(stored.oid, size: stored.size)
  }

  /// Stores outputs, writes the pointers of those that dv tracks, and stages the others.
  func store(_ outputs: [Output]) async throws -> [PathState] {
    let cached = outputs.filter(\.isCached).map { TreePath($0.path) }
    if !cached.isEmpty { _ = try await AddData(cached).run(in: repository, progress: progress) }
    var states: [PathState] = []
    var staged: [GitPath] = []
    for output in outputs {
      guard let state = try await survey.state(of: output.path) else { continue }
      states.append(PathState(output.path, state))
      guard !output.isCached else { continue }
      let path = TreePath(output.path)
      if state.mode == .file || state.mode == .exec {
        if state.size <= Self.uncachedLimit { try await keep(path) }
        let git = try GitPath(path.bytes)
        if try !repository.git.isIgnored(git) { staged.append(git) }
      }
    }
    if !staged.isEmpty { try repository.git.stage(adding: staged) }
    return states
  }

  /// Stores outputs and tracks nothing: whoever adopts the run does.
  private func ingest(_ outputs: [Output]) async throws -> [PathState] {
    var states: [PathState] = []
    for output in outputs {
      let path = TreePath(output.path)
      if output.isCached {
        let look = try await repository.look(at: path)
        guard let found = look.found else { continue }
        let local = try await repository.localStore(for: .write)
        let writer = ObjectWriter(addingTo: local.store)
        let result = try await TreeIngest(of: look.scan, writer: writer).run(found, cache: look.cache)
        _ = try await writer.finish()
        guard let pointer = result.pointer else {
          throw RepositoryError(.usage, "'\(path)' could not be read whole.", remedy: "Run the command again.")
        }
        states.append(PathState(output.path, ContentState(pointer)))
      } else if let state = try await survey.state(of: output.path) {
        states.append(PathState(output.path, state))
        if (state.mode == .file || state.mode == .exec) && state.size <= Self.uncachedLimit { try await keep(path) }
      }
    }
    return states
  }

  /// Keeps the bytes of a file that git tracks, so that a run can be restored before it is committed.
  private func keep(_ path: TreePath) async throws {
    let bytes: [UInt8]
    if let clean = try repository.git.cleanContent(of: try GitPath(path.bytes)) {
      bytes = clean
    } else {
      guard let read = try root.contentIfThere(path, limit: Int(Self.uncachedLimit)) else { return }
      bytes = read
    }
    let local = try await repository.localStore(for: .write)
    let writer = ObjectWriter(addingTo: local.store)
    var memory = CodecMemory()
    _ = try await ContentIngest(writer: writer).ingest(bytes, memory: &memory)
    _ = try await writer.finish()
  }

  /// The values in the stage's files of metrics that are there and can be read.
  func metrics(of stage: Stage) throws -> [(file: StagePath, values: JSONValue)] {
    var found: [(file: StagePath, values: JSONValue)] = []
    for output in stage.outputs where output.role == .metric {
      let path = TreePath(output.path)
      guard try root.kindIfThere(path) == .regular,
        let bytes = try? root.contentIfThere(path, limit: ValueFile.maximumByteCount),
        let values = try? ValueFile.read(bytes, named: output.path.text)
      else { continue }
      found.append((output.path, values))
    }
    return found
  }

  // MARK: - Who made what

  private func hasSameMaker(_ previous: [StagePath: Pointer], _ stage: Stage, _ record: RunRecord) -> Bool {
    let cached = stage.outputs.filter(\.isCached)
    guard !cached.isEmpty, cached.count == stage.outputs.count else { return false }
    return cached.allSatisfy { output in
      guard let old = previous[output.path], let run = old.run,
        let made = record.outputs.first(where: { $0.path == output.path }), made.content.isSame(as: ContentState(old)),
        let known = try? book.record(run), known.json["key"]?.string == record.key?.hex
      else { return false }
      return true
    }
  }

  /// Writes into the pointers of the stage's outputs which run made them, and stages them with the record.
  func name(_ id: ObjectID, as stage: Stage, _ previous: [StagePath: Pointer]) throws {
    var staged = [try GitPath(try book.publish(id).bytes)]
    for output in stage.outputs where output.isCached {
      let path = PointerFile.path(for: TreePath(output.path))
      guard var file = try PointerFile.read(path, in: root) else { continue }
      file.pointer.run = id
      try file.write(in: root)
      staged.append(try GitPath(path.bytes))
    }
    var withdrawn: [GitPath] = []
    let still = try namedRuns()
    let earlier = try previous.values.compactMap(\.run) + book.uncommitted(of: stage.address)
    for run in Set(earlier) where run != id && !still.contains(run) {
      if let path = try book.withdraw(run) { withdrawn.append(try GitPath(path.bytes)) }
    }
    try repository.git.stage(adding: staged, removing: withdrawn)
  }

  /// The runs that pointers of the working tree name.
  private func namedRuns() throws -> Set<ObjectID> {
    Set(try repository.select([]).items.compactMap(\.data.pointer.run))
  }
}
