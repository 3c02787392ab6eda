import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// A run of a stage under way: what was found before its commands started.
struct StartedRun: ~Copyable {
  let stage: Stage
  /// Whether the stage has a name, in a `dv.yaml`.
  let isNamed: Bool
  let key: StageKey
  let job: RunJob
  /// As far as it is known.
  var record: RunRecord
  /// Pointers of the outputs before the run.
  let previous: [StagePath: Pointer]
  let journal: RunJournal.Entry
}

extension RunSession {
  /// Makes all ready for the stage's commands: notes what it starts from, and clears the places of its outputs.
  ///
  /// - Parameter program: the program to run without a shell; `nil` for the stage's commands.
  func start(_ stage: Stage, isNamed: Bool, key: StageKey, program: [[UInt8]]? = nil) async throws -> StartedRun {
    let directory = root.appending(TreePath(stage.workingDirectory))
    guard try directory.fileStatFollowingLinks()?.kind == .directory else {
      throw RepositoryError(.usage, "'\(stage.workingDirectory)', where '\(stage.address)' is to run, is no directory.")
    }
    let local = try await repository.localStore(for: .write)
    let writer = ObjectWriter(addingTo: local.store)
    var record = try await record(of: stage, isNamed: isNamed, key: key, writer)
    record.seed = variables["DV_SEED"]
    record.status = .abandoned
    record.environment = try await storeSurroundings(of: stage, writer)
    _ = try await writer.finish()

    var previous: [StagePath: Pointer] = [:]
    for output in stage.outputs {
      let path = TreePath(output.path)
      if output.isCached, !path.isRoot { previous[output.path] = try PointerFile.read(PointerFile.path(for: path), in: root)?.pointer }
      try await clear(output, local.store)
    }
    record.start = Moment.milliseconds
    let logs = repository.dataDirectory.appending("tmp")
    try logs.createDirectories()
    let name = RandomName.letters()
    let series = journal.series(of: name)
    let told = [Array("DV_STAGE=\(stage.name)".utf8), Array("\(LoggedSeries.variable)=".utf8) + series.rawBytes]
    // Of two variables of one name a program may see the first.
    let inherited = environment.filter { entry in
      !["DV_STAGE=", LoggedSeries.variable + "="].contains { entry.starts(with: $0.utf8) }
    }
    var job = RunJob(
      stage: record.stage, commands: program.map { [$0] } ?? stage.commands.map { shellCommand($0) },
      texts: stage.commands, environment: inherited + told, directory: directory,
      log: journal.log(of: name), series: series)
    job.tracer = tracer?.writing(to: logs.appending("trace-\(name)"))
    return StartedRun(
      stage: stage, isNamed: isNamed, key: key, job: job, record: record, previous: previous,
      journal: try journal.begin(record, as: name))
  }

  /// What the record of a run of the stage says whatever comes of it: what is run, on what, by whom, and the code, which is stored.
  func record(of stage: Stage, isNamed: Bool = true, key: StageKey, _ writer: ObjectWriter) async throws -> RunRecord {
    var record = RunRecord()
    record.stage = isNamed ? stage.address : nil
    record.key = key.id
    record.commands = stage.commands
    record.workingDirectory = stage.workingDirectory
    record.inputs = key.inputs
    record.parameters = key.parameters
    record.declared = key.environment
    record.uncached = Set(stage.outputs.filter { !$0.isCached }.map(\.path))
    record.base = try isDetached ? commit : repository.git.head().commit?.hex
    record.user = try author()
    record.host = try repository.recordedHost()
    var snapshot = CodeSnapshot(writer: writer)
    record.code = try await snapshot.take(of: repository, declared: stage.reads.map { TreePath($0) })
    if !snapshot.secrets.isEmpty { output.note(.leftOut(snapshot.secrets)) }
    return record
  }

  private func shellCommand(_ command: String) -> [[UInt8]] { [shell, "-c", command].map { Array($0.utf8) } }

  /// Who runs it: git's author.
  func author() throws -> String? {
    if let user = try repository.recordedUser() { return user }
    // Where nobody told git who works there, whoever started the machine may have said.
    guard isDetached else { return nil }
    let known = variables
    let names = ["GITHUB_ACTOR", "GITLAB_USER_NAME", "USER", "LOGNAME"].compactMap { known[$0] }
    return names.first { !$0.isEmpty }.map { String($0.prefix(200)) }
  }

  // MARK: - Places of outputs

  /// Removes what is at the place of an output, and keeps its bytes in the store unless they are there.
  private func clear(_ output: Output, _ store: ObjectStore) async throws {
    let path = TreePath(output.path)
    let place = root.appending(path)
    guard let stat = try place.fileStat() else {
      // Many commands expect the directory of what they make.
      return try place.containingDirectory.createDirectories()
    }
    guard !output.isPersistent else { return }
    if isDetached { try await requireKept(path) } else { try await preserve(path, store) }
    if stat.kind == .directory { try place.removeTree() } else { try place.removeFile() }
  }

  /// Checks that what lies in the place of an output is in the code's snapshot, or is what a pointer says.
  ///
  /// - Throws: ``RepositoryError/Code/conflict``: away from home nobody would keep it.
  private func requireKept(_ path: TreePath) async throws {
    if discardsReplaced { return }
    if let git = try? GitPath(path.bytes), try repository.git.index().entry(at: git) != nil { return }
    let look = try await repository.look(at: path)
    if let pointer = try PointerFile.read(PointerFile.path(for: path), in: root)?.pointer,
      try await look.hashed(progress: progress)?.pointer?.oid == pointer.oid
    {
      return
    }
    throw RepositoryError(
      .conflict, "'\(path)' is in the place of an output, and nobody would keep it.",
      remedy: "Move it away, or allow to remove it with --force.")
  }

  /// Makes sure that the bytes of what is at a path are in the store.
  func preserve(_ path: TreePath, _ store: ObjectStore) async throws {
    let look = try await repository.look(at: path)
    guard let found = look.found else { return }
    if let pointer = try PointerFile.read(PointerFile.path(for: path), in: root)?.pointer, look.isKnown(as: pointer) { return }
    let writer = ObjectWriter(addingTo: store)
    let before = writer.added.newBytes
    let result = try await TreeIngest(of: look.scan, writer: writer).run(found, cache: look.cache)
    _ = try await writer.finish()
    guard let pointer = result.pointer, writer.added.newBytes > before else { return }
    output.note(.kept(path: path, oid: pointer.oid))
  }
}
