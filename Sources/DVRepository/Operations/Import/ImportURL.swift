import DVFile
import DVLineage
public import DVObject
import DVStore
public import DVWorkspace
public import SystemPackage

/// Brings a file or directory from a path or URL in and tracks it, with where it came from: the operation behind `dv import-url`.
public struct ImportURL: Sendable {
  private let url: String
  private let target: TreePath?
  private let digest: ObjectID?
  private let bucket: AddRemote.BucketOptions
  private let isForced: Bool

  /// - Parameters:
  ///   - url: a path or a URL of `file`, `http`, `https` or `s3`; in a bucket an object, or all below a prefix.
  ///   - target: where to put it; if not given, by the URL's last part in the directory of the command.
  ///   - digest: what it must be; `nil` if nobody knows.
  ///   - isForced: whether what is there may be replaced.
  public init(
    _ url: String, to target: TreePath?, expecting digest: ObjectID? = nil, bucket: AddRemote.BucketOptions = AddRemote.BucketOptions(),
    isForced: Bool
  ) {
    self.url = url
    self.target = target
    self.digest = digest
    self.bucket = bucket
    self.isForced = isForced
  }

  /// Carries it out.
  ///
  /// - Parameter directory: what a relative path is relative to.
  /// - Throws: ``RepositoryError/Code/conflict`` if work would be lost, `missing` if nothing is there, `corrupt` if it is not what was
  ///   expected.
  public func run(in repository: Repository, from directory: FilePath, progress: ProgressSink) async throws -> ImportReport {
    let location = try ForeignLocation(url, from: directory, bucket: bucket, in: repository)
    let place = try ImportPlace(try target(location, directory, repository), in: repository, isForced: isForced)
    let known = try await KnownSources(of: repository)
    let earlier = try place.previous.flatMap { try known.find(TrackedData(target: place.target, pointer: $0)) }
    if place.previous != nil, !isForced, earlier?.source.origin.url != location.recorded {
      throw RepositoryError(
        .conflict, "'\(place.target)' is tracked already, and came from elsewhere.",
        remedy: "Import to another place with -o, or replace it with --force.")
    }
    try await place.requireUnchanged(progress: progress)
    let local = try await repository.localStore(for: .write)
    let (pointer, version) = try await location.bring(to: local, as: place.target, progress: progress)
    if let digest, digest != pointer.oid {
      throw RepositoryError(
        .corrupt, "'\(location.recorded)' has the digest \(pointer.oid.text), expected \(digest.text).",
        remedy: "Nothing was tracked. Ask whoever gave you the digest.")
    }
    return try await place.take(
      pointer, from: .location(url: location.recorded, version: version), known: earlier, local, progress: progress)
  }

  /// What data from a URL is called if nobody says otherwise; empty if the URL does not tell.
  public static func name(of url: String, from directory: FilePath, in repository: Repository) throws -> [UInt8] {
    try ForeignLocation(url, from: directory, bucket: AddRemote.BucketOptions(), in: repository).name
  }

  private func target(_ location: ForeignLocation, _ directory: FilePath, _ repository: Repository) throws -> TreePath {
    if let target { return target }
    guard !location.name.isEmpty else {
      throw RepositoryError(.usage, "The URL does not tell what to call it.", remedy: "Name the place with -o.")
    }
    return try repository.treePath(FilePath(rawBytes: location.name), from: directory)
  }
}
