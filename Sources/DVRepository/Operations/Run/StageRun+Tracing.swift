import DVFile
import DVGit
import DVLineage
import DVPipeline
import SystemPackage

extension RunSession {
  /// Has the commands of this session traced.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if that does not work here.
  func startTracing() async throws {
    tracer = try await AccessTracer(environment: environment, directory: root, log: repository.dataDirectory.appending("tmp"))
  }

  /// Finds what a run used and did not declare; `nil` if it was not traced.
  func undeclared(by job: RunJob, of stage: Stage) throws -> [RunRecord.Undeclared]? {
    guard let tracer = job.tracer else { return nil }
    let place = job.directory.resolvingLinks() ?? job.directory
    let log = try tracer.finish(count: job.commands.count, directory: place)
    func plain(_ path: FilePath) -> [UInt8] { Array((path.resolvingLinks() ?? path).string.utf8) }
    let files = UndeclaredFiles(
      stage: stage, root: plain(root), home: variables["HOME"].map { plain(FilePath($0)) },
      own: [plain(repository.dataDirectory), plain(repository.treeDirectory), plain(repository.git.gitDirectory)])
    let found = files.find(in: log)
    if log.isFull || found.count > UndeclaredFiles.limit {
      output.note(.warning("More files than \(UndeclaredFiles.limit) were used and not declared; not all are named."))
    }
    return Array(found.prefix(UndeclaredFiles.limit))
  }
}
