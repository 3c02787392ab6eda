import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// What runs of one command share: the open store, what is known of the working tree, and the process's environment.
final class RunSession {
  let repository: Repository
  let root: FilePath
  let store: LazyStore
  let survey: ContentSurvey
  let book: RecordBook
  let journal: RunJournal
  let output: RunOutput
  let progress: ProgressSink
  /// The variables of this process, which commands get.
  let environment: [[UInt8]]
  private var answers: [String: InterpreterProbe.Answer?] = [:]
  /// Traces the files that commands open; `nil` if that is not asked for.
  var tracer: AccessTracer?
  /// Whether there is no clone here, so that nothing is tracked and staged, and nobody keeps what lies in the place of an output.
  let isDetached: Bool
  /// Whether what lies in the place of an output of a detached run may be lost.
  var discardsReplaced = false
  /// The commit that a detached run says it was made from.
  var commit: String?
  /// What was found of surroundings, by the interpreter and the variables that were asked for.
  var surroundings: [String: JSONValue] = [:]

  init(
    _ repository: Repository, environment: [[UInt8]], output: RunOutput, progress: ProgressSink, isDetached: Bool = false
  ) throws {
    if isDetached { try repository.requireTreeVersion() } else { try repository.requireProject() }
    self.isDetached = isDetached
    self.repository = repository
    self.environment = environment
    self.output = output
    self.progress = progress
    root = try repository.requireWorkDirectory()
    store = LazyStore(try repository.storePlace())
    survey = try ContentSurvey(repository, store: store, progress: progress)
    book = RecordBook(repository, store: store)
    journal = RunJournal(repository)
  }

  /// The variables as text, for those that are to be written down.
  var variables: [String: String] {
    environment.reduce(into: [:]) { found, entry in
      guard let equals = entry.firstIndex(of: UInt8(ascii: "=")), let value = String(validating: entry[(equals + 1)...], as: UTF8.self)
      else { return }
      found[String(decoding: entry[..<equals], as: UTF8.self)] = value
    }
  }

  /// The shell that runs the commands of stages: the user's, if it is one of the usual kind, as DVC has it.
  var shell: String {
    guard let shell = variables["SHELL"], let name = shell.split(separator: "/").last,
      ["sh", "bash", "dash", "zsh", "ksh"].contains(name), shell.hasPrefix("/"), (try? FilePath(shell).fileStatFollowingLinks()) != nil
    else { return "/bin/sh" }
    return shell
  }

  /// What the interpreter that the commands use says of itself; asked once.
  func interpreter(of stage: Stage) async throws -> InterpreterProbe.Answer? {
    guard let name = InterpreterProbe.interpreter(of: stage.commands) else { return nil }
    if let known = answers[name] { return known }
    let directory = root.appending(TreePath(stage.workingDirectory))
    let place = try directory.fileStat() == nil ? root : directory
    let answer = await InterpreterProbe(environment: environment, directory: place).ask(name)
    answers[name] = .some(answer)
    return answer
  }
}

extension RunSession {
  /// Finds out all that says what a run of the stage makes.
  ///
  /// - Parameter expected: states of paths that are not what they will be when the stage runs: outputs that are still to
  ///   be restored.
  /// - Throws: ``RepositoryError/Code/usage`` naming an input that is missing; ``PipelineError`` for a parameter.
  func key(of stage: Stage, expected: [StagePath: ContentState] = [:]) async throws -> StageKey {
    var inputs: [PathState] = []
    for path in stage.inputs {
      let state: ContentState? = if let known = expected[path] { known } else { try await survey.state(of: path) }
      guard let state else { throw missingInput(path, of: stage) }
      inputs.append(PathState(path, state))
    }
    var parameters: [ParameterValue] = []
    for selection in stage.parameters {
      guard let bytes = try root.contentIfThere(TreePath(selection.file), limit: ValueFile.maximumByteCount) else {
        throw missingInput(selection.file, of: stage)
      }
      parameters += try selection.values(in: try ValueFile.read(bytes, named: selection.file.text))
    }
    return StageKey(stage, inputs: inputs, parameters: parameters, environment: try await declaredEnvironment(of: stage))
  }

  private func missingInput(_ path: StagePath, of stage: Stage) -> RepositoryError {
    RepositoryError(
      .usage, "'\(path)', which the stage '\(stage.address)' reads (\(stage.file) line \(stage.line)), does not exist.",
      remedy: "Check its name; if it is tracked data, 'dv pull' or 'dv checkout' brings it back.")
  }

  private func declaredEnvironment(of stage: Stage) async throws -> [(name: String, value: String)] {
    let declared = stage.environment
    var found: [(name: String, value: String)] = []
    let variables = variables
    for name in declared.variables {
      guard !SecretName.isVariable(name) else {
        throw RepositoryError(
          .usage, "The stage '\(stage.address)' declares the variable '\(name)', whose value looks like a secret.",
          remedy: "Take it out of 'env': the command gets it all the same.")
      }
      found.append(("variable \(name)", variables[name] ?? ""))
    }
    for path in declared.lockFiles {
      guard let state = try await survey.state(of: path) else { throw missingInput(path, of: stage) }
      found.append(("lock \(path)", state.oid.hex))
    }
    if !declared.packages.isEmpty {
      guard let answer = try await interpreter(of: stage) else {
        throw RepositoryError(
          .usage, "The stage '\(stage.address)' declares packages, and its command names no Python that can be asked.",
          remedy: "Run it by 'python …', or take 'packages' out of 'env'.")
      }
      for name in declared.packages { found.append(("package \(name)", answer.version(of: name) ?? "none")) }
    }
    if let image = declared.image { found.append(("image", image)) }
    return found
  }

  /// The states of the stage's outputs, of those that are there or have a pointer.
  func outputs(of stage: Stage) async throws -> [StagePath: ContentState] {
    var states: [StagePath: ContentState] = [:]
    for output in stage.outputs { states[output.path] = try await survey.state(of: output.path) }
    return states
  }
}
