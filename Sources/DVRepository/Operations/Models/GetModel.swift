import DVFile
import DVGit
public import DVLineage
import DVObject
import DVWorkspace
public import SystemPackage

/// Brings the content of a version of a model to a place of the user's: the operation behind `dv model get`.
///
/// The content appears under its name when all of it is proved, by one rename.
public struct GetModel: Sendable {
  private let model: ModelName
  private let selector: String
  private let destination: FilePath?
  private let replaces: Bool
  private let environment: [[UInt8]]

  public struct Report: Sendable {
    public let record: ModelRecord
    public let path: FilePath
  }

  /// - Parameters:
  ///   - selector: a version, an alias, or `latest`.
  ///   - destination: the file or directory to make, absolute; `nil` for the name that the model has in its repository.
  ///   - replaces: whether a file that is there may be replaced.
  ///   - environment: all variables of the process, for git.
  public init(_ model: ModelName, _ selector: String, to destination: FilePath?, replaces: Bool, environment: [[UInt8]] = []) {
    (self.model, self.selector, self.destination, self.replaces) = (model, selector, destination, replaces)
    self.environment = environment
  }

  /// Carries it out.
  ///
  /// - Parameter directory: where it goes if no destination was given.
  /// - Throws: ``PolicyRefusal`` if `model.enforce` is set and the policy does not let the version have the alias;
  ///   ``RepositoryError/Code/conflict`` if something is in the way or the alias is contested; `missing` if the content is
  ///   nowhere; `corrupt` if the tag says other things than its commit.
  public func run(in repository: Repository, from directory: FilePath, progress: ProgressSink) async throws -> Report {
    let event = try repository.version(selector, of: repository.model(model))
    guard let record = event.version else {
      throw RepositoryError(
        .usage, "The tag '\(event.tag.name)' was not made by dv and does not say which data the model is.",
        remedy: "Check out its commit, and 'dv pull' the path.")
    }
    try repository.requireCommitted(record)
    try await requirePolicy(in: repository)
    let place = directory.pushing(destination ?? FilePath(String(record.path.split(separator: "/").last ?? "model")))
    let target = place.lexicallyNormalized()
    if let there = try target.fileStat() {
      guard replaces, there.kind == .regular, !record.isTree else {
        throw RepositoryError(
          .conflict, "'\(target.printable)' is there already.",
          remedy: record.isTree ? "Name another place with -o." : "Name another place with -o, or replace it with --force.")
      }
    }
    // Bringing all of it to the local store first makes few requests of many.
    if let path = TreePath(record.path), (try? repository.remote(nil)) != nil {
      let report = try await FetchData([path], scope: .revision(record.commit)).run(in: repository, progress: progress)
      if let failure = report.failures.first {
        throw RepositoryError(failure.kind == .missing ? .missing : .corrupt, failure.message)
      }
    }
    progress.begin("Writing", totalBytes: record.size, totalItems: record.files ?? 1)
    let parent = target.removingLastComponent()
    try parent.createDirectories()
    let temporary = parent.appending(RandomName.temporary())
    let delivery = ContentDelivery(reader: try repository.dataReader(), progress: progress)
    do {
      if record.isTree {
        try await delivery.writeTree(record.oid, at: temporary)
      } else {
        try await delivery.writeFile(record.oid, size: record.size, mode: try isExecutable(record, in: repository) ? 0o777 : 0o666, at: temporary)
      }
      try Task.checkCancellation()
      try temporary.rename(to: target)
    } catch {
      try? temporary.removeTree()
      throw error
    }
    return Report(record: record, path: target)
  }

  private func isExecutable(_ record: ModelRecord, in repository: Repository) throws -> Bool {
    try repository.pointer(of: record).executable
  }

  /// Asks the policy whether the version may have the alias that it is asked for by, if `model.enforce` is set.
  private func requirePolicy(in repository: Repository) async throws {
    guard ModelVersion(selector) == nil, selector != "latest", try repository.enforcesPolicy() else { return }
    let report = try await CheckModel(.alias(model, selector), environment: environment).run(in: repository)
    guard report.isFulfilled else { throw PolicyRefusal(report: report) }
  }
}

extension Repository {
  /// Checks that the commit says of the path what the tag says: a tag can be moved, a commit cannot.
  ///
  /// - Throws: ``RepositoryError/Code/corrupt`` if they differ, `missing` if the commit is not here.
  func requireCommitted(_ record: ModelRecord) throws {
    let pointer = try pointer(of: record)
    guard pointer.oid == record.oid, pointer.size == record.size else {
      throw RepositoryError(
        .corrupt, "The tag of \(record.model)@\(record.release) names \(record.oid.shortHex), and '\(record.path)' of its commit is \(pointer.oid.shortHex): one of them was altered.",
        remedy: "'git fetch --tags --force' takes over the server's tags.")
    }
  }

  /// The pointer in the commit.
  ///
  /// - Throws: ``RepositoryError/Code/missing`` if the commit is not in this clone: then nothing but the tag says what the model is.
  func pointer(of record: ModelRecord) throws -> Pointer {
    guard let path = TreePath(record.path) else {
      throw RepositoryError(.corrupt, "The record of \(record.model)@\(record.release) names '\(record.path)', which is no path.")
    }
    let commit: GitObjectID
    do throws(GitError) {
      commit = try git.resolve(revision: record.commit)
    } catch {
      guard error.code == .notFound else { throw error }
      let isShallow = try git.isShallow
      let clone = isShallow ? "shallow clone" : "clone"
      let message: String = "Commit \(record.commit.prefix(12)) of \(record.model)@\(record.release) is not in this \(clone): what its tag says cannot be compared with it."
      let remedy = isShallow ? "'git fetch --unshallow --tags' brings the history that is missing." : "'git fetch --tags' brings it."
      throw RepositoryError(.missing, message, remedy: remedy)
    }
    guard let found = try resolve(path, in: commit), found.inside.isRoot else {
      throw RepositoryError(
        .corrupt, "The tag of \(record.model)@\(record.release) names '\(record.path)', which its commit does not track.")
    }
    return found.data.pointer
  }

  /// Whether `model.enforce` asks for what a policy says whenever an alias is used.
  ///
  /// The committed configuration can switch it on, never off: it comes from whoever may push.
  func enforcesPolicy() throws -> Bool {
    var wanted = false
    for entry in try configuration.entries(prefix: "model.enforce") where entry.name == "model.enforce" {
      // What is no clear no is a yes.
      let value = entry.value.map { !["false", "no", "off", "0", ""].contains($0.lowercased()) } ?? true
      if Configuration.Place(entry.level) != .project || value { wanted = value }
    }
    return wanted
  }
}
