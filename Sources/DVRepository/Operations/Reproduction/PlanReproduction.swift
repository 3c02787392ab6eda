import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// Finds out what reproducing runs takes: where inputs and code can be had, and what differs here.
struct PlanReproduction {
  let request: ReproductionRequest
  let repository: Repository
  /// The variables that commands will get, `NAME=value`.
  let environment: [[UInt8]]
  let reader: DataReader

  /// What is found on the way, for carrying it out.
  struct Prepared {
    var plan = ReproductionPlan()
    var commit: GitObjectID?
    /// What has to be fetched from which remote.
    var toFetch: [String: [TransferRoot]] = [:]
  }

  func prepare(_ progress: ProgressSink) async throws -> Prepared {
    let store = LazyStore(try repository.storePlace())
    let book = RecordBook(repository, store: store)
    let (commit, runs) = try await RecordedRuns(repository: repository, book: book).find(request)
    guard request.stages.isEmpty || commit != nil else {
      throw RepositoryError(.usage, "A run has no stages to choose from.", remedy: "Leave the names of stages out.")
    }
    if request.isAsCommitted, commit == nil {
      throw RepositoryError(
        .usage, "No commit has the record of this run, so there is no code as committed.",
        remedy: "Leave --as-committed out: then the code that ran is run again.")
    }
    var prepared = Prepared()
    prepared.commit = commit
    prepared.plan.commit = commit?.hex
    var search = PlaceSearch(repository, local: try await repository.localStore(for: .read).store)
    for (index, found) in runs.enumerated() {
      guard !found.run.isPartial else {
        throw RepositoryError(
          .missing, "Some of the record of run \(found.id.shortHex) is in an object that is not here.",
          remedy: "'dv fetch' brings it from the remote.")
      }
      var step = ReproductionPlan.Step(
        id: found.id, run: found.run, name: found.run.stage ?? found.run.commands.first ?? found.id.shortHex)
      let earlier = request.isChained ? runs[..<index].map { ($0.run, $0.run.stage ?? $0.id.shortHex) } : []
      try await fill(&step, commit, earlier, &search)
      prepared.plan.steps.append(step)
    }
    prepared.plan.problems = search.problems
    prepared.toFetch = search.toFetch
    return prepared
  }

  private func fill(
    _ step: inout ReproductionPlan.Step, _ commit: GitObjectID?, _ earlier: [(RunRecord, String)], _ search: inout PlaceSearch
  ) async throws {
    let run = step.run
    var code: [TreePath: TreeEntry] = [:]
    if request.isAsCommitted {
      step.code = .code
    } else if let tree = run.code {
      step.code = try await search.place(
        TransferRoot(kind: .tree, oid: tree.id, size: tree.size, label: "the code of run \(step.id.shortHex)"))
    }
    if let tree = run.code, let files = try? await self.files(of: tree.id) { code = files }
    for input in run.inputs {
      var place = ReproductionPlan.Place.nowhere
      if let (_, name) = earlier.last(where: { $0.0.outputs.contains { $0.path.overlaps(input.path) } }) {
        place = .stage(name)
      } else if code[TreePath(input.path)] != nil || input.content.mode == .directory {
        // What lies in a directory is code, or stands there as a pointer.
        place = step.code == .nowhere ? .nowhere : .code
      } else if request.isAsCommitted, let commit,
        try repository.git.entry(at: try GitPath(input.path.text), in: commit).map({ $0.kind != .directory }) ?? false
      {
        place = .code
      } else {
        let kind: TransferRoot.Kind = input.content.mode == .tree ? .tree : .file
        place = try await search.place(
          TransferRoot(kind: kind, oid: input.content.oid, size: input.content.size, label: input.path.text))
      }
      step.inputs.append(ReproductionPlan.Input(path: input.path, content: input.content, place: place))
    }
    // Data whose pointers lie in directories that the stage reads.
    for input in run.inputs where input.content.mode == .directory {
      for (path, entry) in code.sorted(by: { $0.key < $1.key }) where PointerFile.isPointerName(path) {
        let target = PointerFile.target(of: path)
        guard target.relative(to: TreePath(input.path)) != nil, let name = try? StagePath(target),
          !step.inputs.contains(where: { $0.path == name }), let pointer = try await pointer(entry, path)
        else { continue }
        let content = ContentState(pointer)
        let kind: TransferRoot.Kind = content.mode == .tree ? .tree : .file
        let place = try await search.place(
          TransferRoot(kind: kind, oid: content.oid, size: content.size, label: target.description))
        step.inputs.append(ReproductionPlan.Input(path: name, content: content, place: place))
      }
    }
    let tracked = code
    let borrowed = try BorrowedEnvironment(
      of: run.commands, in: run.workingDirectory, user: try repository.requireWorkDirectory()
    ) { path in tracked.keys.contains { $0.relative(to: path) != nil } }
    step.borrowed = borrowed.paths
    step.missingInterpreters = borrowed.missing
    try await compareEnvironments(&step)
    if let commit { step.mismatches = try mismatches(of: run, code, in: commit) }
  }

  /// The files of the code's snapshot, with their contents.
  private func files(of tree: ObjectID) async throws -> [TreePath: TreeEntry] {
    var files: [TreePath: TreeEntry] = [:]
    try await TreeBrowser(read: reader.nodes).forEachEntry(of: tree, entering: { _, _ in true }) { path, entry in
      if entry.mode != .directory { files[path] = entry }
    }
    return files
  }

  /// Reads a pointer of the code.
  private func pointer(_ entry: TreeEntry, _ path: TreePath) async throws -> Pointer? {
    guard entry.mode == .file, entry.size <= UInt64(Pointer.maximumByteCount) else { return nil }
    var bytes: [UInt8] = []
    try await reader.readFile(entry.oid, size: entry.size, restart: { bytes = [] }) { bytes.append(span: $0) }
    return try? Pointer(parsing: bytes.span, named: path.description)
  }

  private func compareEnvironments(_ step: inout ReproductionPlan.Step) async throws {
    let run = step.run
    let variables = environment.reduce(into: [String: String]()) { found, entry in
      guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { return }
      found[String(decoding: entry[..<equals], as: UTF8.self)] = String(decoding: entry[(equals + 1)...], as: UTF8.self)
    }
    var answer: InterpreterProbe.Answer?
    if let name = InterpreterProbe.interpreter(of: run.commands) {
      let root = try repository.requireWorkDirectory()
      let directory = root.appending(TreePath(run.workingDirectory))
      let place = try directory.fileStatFollowingLinks()?.kind == .directory ? directory : root
      answer = await InterpreterProbe(environment: environment, directory: place).ask(name)
    }
    var recorded: JSONValue?
    if let object = run.environment, object.size <= 64 << 20 {
      var bytes: [UInt8] = []
      let isRead: Void? = try? await reader.readFile(object.id, size: object.size, restart: { bytes = [] }) { bytes.append(span: $0) }
      if isRead != nil { recorded = try? JSONValue(parsing: bytes, named: "the recorded environment") }
    }
    // A variable that was written down then is looked at now, whoever asked for it.
    let names = recorded?["variables"]?.object?.keys ?? []
    let shell = recorded?["shell"]?.string ?? "/bin/sh"
    let here = EnvironmentReport(variables: variables, names: names, interpreter: answer, shell: shell).json
    if let recorded { step.differences = EnvironmentDifference.between(recorded, here) }
    for (name, value) in run.declared {
      var now: String?
      if name.hasPrefix("variable ") {
        now = variables[String(name.dropFirst("variable ".count))] ?? ""
      } else if name.hasPrefix("package ") {
        now = answer?.version(of: String(name.dropFirst("package ".count))) ?? "none"
      } else if name == "image" {
        // An image is in place if the container is the one of then.
        let (then, current) = (recorded?["container"]?.string, here["container"]?.string)
        now = then == current ? value : current
      } else {
        // Lock files are part of the code.
        now = value
      }
      if now != value {
        step.unmet.append(EnvironmentDifference(severity: .high, name: name, recorded: value, here: now))
      }
    }
  }

  /// The files that git tracks, parameters and the stage's definition, of which the commit has another version than ran.
  private func mismatches(of run: RunRecord, _ code: [TreePath: TreeEntry], in commit: GitObjectID) throws -> [String] {
    func committed(_ path: TreePath, limit: Int) throws -> [UInt8]? {
      try repository.git.readBlob(at: try GitPath(path.bytes), in: commit, limit: limit)
    }
    var found: [String] = []
    for name in Set(run.inputs.map(\.path)).sorted() {
      guard let then = code[TreePath(name)]?.oid else { continue }
      let bytes = try committed(TreePath(name), limit: 256 << 20)
      if bytes.map({ ObjectID(hashing: $0.span) }) != then { found.append(name.text) }
    }
    // Of a file of parameters only those that the stage reads.
    let committedCode = CommittedCode(repository: repository, commit: commit)
    found += try committedCode.parameters(of: run) { code[TreePath($0)] != nil }
    if let file = StagePath.pipeline(of: run.stage), code[TreePath(file)] != nil, try !committedCode.defines(run, in: file) {
      found.append(file.text)
    }
    return found
  }
}

extension StagePath {
  /// The `dv.yaml` of a stage by its address.
  static func pipeline(of address: String?) -> StagePath? {
    guard let address else { return nil }
    let parts = address.split(separator: ":", maxSplits: 1)
    return try? StagePath(parts.count == 2 ? String(parts[0]) : PipelineFile.name)
  }
}

/// Finds where contents can be had: in the local store, else on a remote.
struct PlaceSearch {
  private let repository: Repository
  private let local: ObjectStore
  private var here: Completeness
  private var remotes: [(name: String, completeness: Completeness)]?
  private(set) var problems: [String] = []
  private(set) var toFetch: [String: [TransferRoot]] = [:]

  init(_ repository: Repository, local: ObjectStore) {
    self.repository = repository
    self.local = local
    here = Completeness(of: local)
  }

  mutating func place(_ root: TransferRoot) async throws -> ReproductionPlan.Place {
    if try await here.has(root) { return .here }
    try await openRemotes()
    for index in (remotes ?? []).indices {
      guard try await remotes?[index].completeness.has(root) == true, let name = remotes?[index].name else { continue }
      toFetch[name, default: []].append(root)
      return .remote(name)
    }
    return .nowhere
  }

  /// Opens all remotes, the default one first, when something is not here.
  private mutating func openRemotes() async throws {
    guard remotes == nil else { return }
    remotes = []
    let first = try? repository.remote(nil).name
    for remote in try repository.remotes().sorted(by: { ($0.name != first ? 1 : 0, $0.name) < ($1.name != first ? 1 : 0, $1.name) }) {
      do {
        let store = try await repository.remoteStore(remote, create: false)
        remotes?.append((remote.name, Completeness(of: store, readingFrom: local)))
      } catch is CancellationError {
        throw CancellationError()
      } catch let error as RepositoryError where error.code == .missing {
        // Nothing was pushed to it yet.
        continue
      } catch {
        problems.append("Remote '\(remote.name)' could not be asked: \(error)")
      }
    }
  }
}
