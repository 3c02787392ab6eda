import DVFile
import DVLineage
import DVObject
import DVStore
public import DVWorkspace
public import SystemPackage

/// Brings data of another repository in and tracks it, with where it came from: the operation behind `dv import`.
///
/// Objects travel as in a fetch: each is proved on its way in, and who was stopped goes on. The files appear last, from the local store.
public struct ImportData: Sendable {
  private let url: String
  private let path: TreePath
  private let revision: String?
  private let target: TreePath
  private let isForced: Bool
  private let environment: [[UInt8]]

  /// - Parameters:
  ///   - url: a folder, relative to `directory` of ``run(in:from:progress:)``, or what git can clone.
  ///   - path: in that repository: tracked data, a part of it, a directory with such, or a file of git's.
  ///   - revision: a revision of it; if not given, a folder's working tree or a clone's HEAD.
  ///   - target: where to put it.
  ///   - isForced: whether what is there may be replaced.
  ///   - environment: the variables that git gets, `NAME=value`.
  public init(
    _ path: TreePath, of url: String, at revision: String?, to target: TreePath, isForced: Bool, environment: [[UInt8]]
  ) {
    self.url = url
    self.path = path
    self.revision = revision
    self.target = target
    self.isForced = isForced
    self.environment = environment
  }

  /// Carries it out.
  ///
  /// - Parameter directory: what a relative folder is relative to.
  /// - Throws: ``RepositoryError/Code/conflict`` if work would be lost, `usage` if there is no such path, `missing` if its content
  ///   is not to be had, `unreachable` with what git said.
  public func run(in repository: Repository, from directory: FilePath, progress: ProgressSink) async throws -> ImportReport {
    let place = try ImportPlace(target, in: repository, isForced: isForced)
    let recorded = try RecordedURL(url, from: directory, in: repository).text
    let known = try await KnownSources(of: repository)
    let earlier = try place.previous.flatMap { try known.find(TrackedData(target: target, pointer: $0)) }
    let isSame = if case .repository(recorded, path.description, _, _)? = earlier?.source.origin { true } else { false }
    progress.begin("Looking")
    let opened = try await SourceRepository(url, revision: revision, environment: environment).open(from: directory)
    let upstream = try await UpstreamData(path, in: opened)
    if let previous = place.previous, !isForced, !isSame, previous.withoutRun != upstream.pointer {
      throw RepositoryError(
        .conflict, "'\(target)' is tracked already, and came from elsewhere.",
        remedy: "Import to another place with -o, or replace it with --force.")
    }
    try await place.requireUnchanged(progress: progress)
    let local = try await repository.localStore(for: .write)
    let pointer = try await upstream.bring(to: local, in: repository, progress: progress)
    let origin = SourceRecord.Origin.repository(
      url: recorded, path: path.description, revision: revision, commit: opened.commit)
    return try await place.take(pointer, from: origin, known: earlier, local, progress: progress)
  }
}

/// A URL as it is recorded: without a password, and a folder relative to the top of the working tree.
struct RecordedURL {
  let text: String

  init(_ url: String, from directory: FilePath, in repository: Repository) throws {
    if url.hasPrefix("file://") || url.hasPrefix("/") {
      text = url
    } else if let scheme = url.firstRange(of: "://") {
      let authority = url[scheme.upperBound...].prefix { $0 != "/" }
      guard let at = authority.lastIndex(of: "@") else {
        text = url
        return
      }
      let rest = url[authority.index(after: at)...]
      // git asks for names and passwords by itself; a name before ssh's host is a part of the address.
      let user = url[..<scheme.lowerBound].hasPrefix("http") ? "" : authority[..<at].prefix { $0 != ":" } + "@"
      text = url[..<scheme.upperBound] + user + rest
    } else {
      let place = directory.pushing(FilePath(url)).lexicallyNormalized()
      guard try place.fileStatFollowingLinks() != nil else {
        text = url
        return
      }
      text = Self.relative(place, to: try repository.requireWorkDirectory().lexicallyNormalized())
    }
  }

  /// The way from a directory to a place.
  static func relative(_ place: FilePath, to directory: FilePath) -> String {
    var (names, base) = (Array(place.components.map(\.string))[...], Array(directory.components.map(\.string))[...])
    while let first = names.first, first == base.first {
      names.removeFirst()
      base.removeFirst()
    }
    let steps = base.map { _ in ".." } + names
    return steps.isEmpty ? "." : steps.joined(separator: "/")
  }
}
