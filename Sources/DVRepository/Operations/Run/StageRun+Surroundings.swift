import DVLineage
import DVObject
import DVPipeline
import DVStore

extension RunSession {
  /// Looks around and stores what is found.
  func storeSurroundings(of stage: Stage, _ writer: ObjectWriter) async throws -> RunRecord.StoredObject {
    let names = (try repository.configuration.string("run.variables") ?? "").split(whereSeparator: { $0 == "," || $0 == " " })
    let report = EnvironmentReport(
      variables: variables, names: names.map(String.init) + stage.environment.variables,
      interpreter: try await interpreter(of: stage), shell: shell)
    let bytes = report.json.canonical()
    var memory = CodecMemory()
    return RunRecord.StoredObject(
      try await ContentIngest(writer: writer).ingest(bytes, memory: &memory), size: UInt64(bytes.count))
  }

  /// What is likely to matter and is otherwise here than when a run was recorded: packages, interpreter, processor, graphics,
  /// known variables.
  ///
  /// - Returns: `nil` if the record says nothing of it, or what it says is not in the local store.
  func drift(of stage: Stage, since run: RunRecord) async throws -> [EnvironmentDifference]? {
    guard let object = run.environment, object.size <= 64 << 20, try await store.holdsFile(object.id) else { return nil }
    var bytes: [UInt8] = []
    try await store.open().readFile(object.id, size: object.size) { piece in
      for index in 0..<piece.count { bytes.append(piece[index]) }
    }
    guard let recorded = try? JSONValue(parsing: bytes, named: "the recorded environment") else { return nil }
    // Commands without an interpreter depend on the system's programs, which nobody lists.
    let answer = try await interpreter(of: stage)
    let names = recorded["variables"]?.object?.keys ?? []
    let place = "\(InterpreterProbe.interpreter(of: stage.commands) ?? "") \(names.sorted())"
    let here = surroundings[place] ?? EnvironmentReport(
      variables: variables, names: names, interpreter: answer, shell: shell).json
    surroundings[place] = here
    return EnvironmentDifference.between(recorded, here).filter { $0.severity == .high }
  }
}
