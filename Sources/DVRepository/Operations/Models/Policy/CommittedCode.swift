import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace

/// What a commit has of the code that a run used: files, parameters and the stage's definition.
struct CommittedCode {
  let repository: Repository
  let commit: GitObjectID

  enum State { case same, differs, absent }

  /// The most bytes of a file that is compared: a larger one in git is no code.
  private static let limit = 256 << 20

  private func content(_ path: TreePath, limit: Int) throws -> [UInt8]? {
    try repository.git.readBlob(at: try GitPath(path.bytes), in: commit, limit: limit)
  }

  /// How a file that a run read stands in the commit.
  func state(of input: PathState) throws -> State {
    guard let bytes = try content(TreePath(input.path), limit: Self.limit) else { return .absent }
    return ObjectID(hashing: bytes.span) == input.content.oid ? .same : .differs
  }

  /// Names what a run used otherwise than the commit has it: parameters, its stage's definition, and files of directories that it read.
  ///
  /// - Throws: ``StoreError`` if the code that ran cannot be read, though a directory of it must be compared.
  func differences(of run: RunRecord, reader: DataReader) async throws -> [String] {
    var found: [String] = try parameters(of: run) { _ in true }
    if let file = StagePath.pipeline(of: run.stage), try !defines(run, in: file) { found.append(file.text) }
    let directories = run.inputs.filter { $0.content.mode == .directory }.map { TreePath($0.path) }
    guard !directories.isEmpty else { return found }
    guard let code = run.code else { return found + directories.map { "\($0)/" } }
    var files: [(TreePath, ObjectID)] = []
    do throws(WorkspaceError) {
      try await TreeBrowser(read: reader.nodes).forEachEntry(of: code.id, entering: { _, _ in true }) { path, entry in
        if entry.mode != .directory, directories.contains(where: { path.relative(to: $0) != nil }) { files.append((path, entry.oid)) }
      }
    } catch {
      guard (error.cause as? StoreError)?.code == .missing else { throw error }
      // What cannot be compared is not said to be the same.
      return found + directories.map { "\($0)/" }
    }
    for (path, oid) in files where try content(path, limit: Self.limit).map({ ObjectID(hashing: $0.span) }) != oid {
      found.append(path.description)
    }
    return found
  }

  /// Names the parameters that a run used with other values than the commit has.
  ///
  /// - Parameter isCode: whether a file counts.
  func parameters(of run: RunRecord, in isCode: (StagePath) -> Bool) throws -> [String] {
    var found: [String] = []
    for file in Set(run.parameters.map(\.file)).sorted() where isCode(file) {
      let bytes = try content(TreePath(file), limit: ValueFile.maximumByteCount)
      let values = bytes.flatMap { try? ValueFile.read($0, named: file.text) }
      for parameter in run.parameters where parameter.file == file {
        var there = values
        if !parameter.name.isEmpty {
          there = values?.object?[parameter.name] ?? ValuePath(parameter.name).flatMap { values?.value(at: $0) }
        }
        if there?.canonical() != parameter.value.canonical() { found.append("\(file):\(parameter.name)") }
      }
    }
    return found
  }

  /// Whether the commit's `dv.yaml` defines the stage of a run as it ran.
  func defines(_ run: RunRecord, in file: StagePath) throws -> Bool {
    let bytes = try content(TreePath(file), limit: Repository.pipelineByteLimit)
    let pipeline = bytes.flatMap { bytes in
      try? repository.pipelineFile(bytes, at: TreePath(file)) { try content($0, limit: ValueFile.maximumByteCount) }
    }
    let stage = pipeline?.stages.first { $0.address == run.stage }
    return stage?.commands == run.commands && stage?.workingDirectory == run.workingDirectory
  }
}
