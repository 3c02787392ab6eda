import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// The place in the working tree that imported data takes.
///
/// In this order, so that nothing durable refers to what is not: objects, the record of the source, the pointer, `.gitignore`, git's
/// index, the files. Whoever is killed on the way runs it again.
struct ImportPlace {
  let target: TreePath
  let repository: Repository
  /// Whether what is there may be replaced.
  let isForced: Bool
  /// What is tracked there now.
  let previous: Pointer?

  /// Checks the place before anything is fetched for it.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for a place where nothing can be tracked; `conflict` if work would be lost.
  init(_ target: TreePath, in repository: Repository, isForced: Bool) throws {
    self.target = target
    self.repository = repository
    self.isForced = isForced
    try repository.requireProject()
    let root = try repository.requireWorkDirectory()
    try AddRequest.requirePlace(target, in: root)
    guard !PointerFile.isPointerName(target), target.lastName.count + Pointer.suffix.utf8.count <= 255,
      GitIgnoreFile.line(for: target.lastName) != nil
    else {
      throw RepositoryError(
        .usage, "'\(target)' cannot be the name of tracked data: it is a pointer's, is longer than 252 bytes or has a line feed.",
        remedy: "Give another one with -o.")
    }
    _ = try StagePath(target)
    if let resolved = try repository.pointerSearch().resolve(target), !resolved.inside.isRoot {
      throw RepositoryError(
        .usage, "'\(target)' lies in '\(PointerFile.target(of: resolved.pointer))', which is tracked as a whole.",
        remedy: "Import to a place of its own.")
    }
    if let file = try repository.git.index().entries(under: try GitPath(target.bytes)).first {
      throw RepositoryError(.usage, "Git tracks '\(file.path)' already.", remedy: "Import to another place with -o.")
    }
    previous = try PointerFile.read(PointerFile.path(for: target), in: root)?.pointer
    if previous == nil, !isForced, try root.appending(target).fileStat() != nil {
      throw RepositoryError(
        .conflict, "'\(target)' exists.", remedy: "Import to another place with -o, or replace it with --force.")
    }
  }

  /// Checks that what is on disk is what the pointer there says, so that nothing but that is replaced.
  func requireUnchanged(progress: ProgressSink) async throws {
    guard let previous, !isForced else { return }
    let look = try await repository.look(at: target)
    if look.found == nil || look.isKnown(as: previous) { return }
    if try await look.hashed(progress: progress)?.pointer?.withoutRun == previous.withoutRun { return }
    throw RepositoryError(
      .conflict, "'\(target)' differs from its pointer, and would be replaced.",
      remedy: "Add it ('dv add \(target)'), move it away, or replace it with --force.")
  }

  /// Makes the place hold what is in the local store by now.
  ///
  /// - Parameters:
  ///   - known: a record of the same source, if there is one.
  ///   - local: the store, held open so that nobody collects what no pointer names yet.
  func take(
    _ pointer: Pointer, from origin: SourceRecord.Origin, known: KnownSources.Found?, _ local: LocalStore, progress: ProgressSink
  ) async throws -> ImportReport {
    var pointer = pointer
    if let previous, previous.oid == pointer.oid { pointer.run = previous.run }
    var source = SourceRecord(
      origin, data: PathState(try StagePath(target), ContentState(pointer)), files: pointer.files, time: Moment.milliseconds)
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    let id: ObjectID
    if let known, known.source.origin == origin, known.source.data == source.data {
      (id, source) = (known.id, known.source)
    } else {
      source.user = try repository.recordedUser()
      source.host = try repository.recordedHost()
      id = try await book.append(source, ObjectWriter(addingTo: local.store))
    }
    let root = try repository.requireWorkDirectory()
    let lock = try repository.lockWorkingTree()
    let path = PointerFile.path(for: target)
    var staged = [try GitPath(try book.publish(id).bytes)]
    try root.appending(target.parent).createDirectories()
    try PointerFile(path: path, pointer: pointer).write(in: root)
    staged.append(try GitPath(path.bytes))
    if let ignore = try GitIgnoreFile.add(target, in: root) { staged.append(try GitPath(ignore.bytes)) }
    try repository.git.stage(adding: staged)
    withExtendedLifetime(lock) {}
    let checkedOut = try await CheckOutData([target], isForced: isForced).run(in: repository, progress: progress)
    if let failure = checkedOut.failures.first { throw failure.error }
    withExtendedLifetime(local) {}
    return ImportReport(
      path: target, pointer: pointer, previous: previous, origin: origin, record: id, isChanged: previous?.withoutRun != pointer.withoutRun)
  }
}

extension RecordBook {
  /// Records where data came from, as the next link of this clone's chain.
  func append(_ source: SourceRecord, _ writer: ObjectWriter) async throws -> ObjectID {
    try await append(writer) { link in
      var source = source
      source.chain = link
      do throws(RecordError) { return (try source.encoded(), nil) } catch {
        throw RepositoryError(.usage, "The URL and the paths are too long to be recorded: \(error.message)", remedy: "Fetch it yourself and 'dv add' it.")
      }
    }
  }
}
