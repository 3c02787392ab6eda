import DVBackend
import DVFile
import DVLineage
import DVObject
import DVS3
import DVStore
import DVWorkspace
import SystemPackage

/// A file or directory that no dv keeps: on this machine, on a web server, in a bucket.
struct ForeignLocation {
  private enum Place {
    case disk(FilePath)
    case web(WebURL)
    case bucket(S3Location)
  }

  /// The URL as it is recorded.
  let recorded: String
  /// What data from there is called if nobody says otherwise; empty if the URL does not tell.
  let name: [UInt8]
  private let place: Place
  private let repository: Repository
  private let bucket: AddRemote.BucketOptions

  /// - Parameters:
  ///   - url: a path, relative to `directory`, or a URL of `file`, `http`, `https` or `s3`.
  ///   - bucket: how a bucket is reached, beside what the environment says.
  /// - Throws: ``RepositoryError/Code/usage`` for another URL, or one with a secret in it, which would be recorded in git.
  init(_ url: String, from directory: FilePath, bucket: AddRemote.BucketOptions, in repository: Repository) throws {
    self.repository = repository
    self.bucket = bucket
    if url.hasPrefix("http://") || url.hasPrefix("https://") {
      let web: WebURL
      do throws(HTTPEndpoint.Malformed) { web = try WebURL(url) } catch {
        throw RepositoryError(.usage, error.description, remedy: "Give a URL without a user name, percent-encoded.")
      }
      if let secret = web.secretParameter {
        throw RepositoryError(
          .usage, "The URL has a parameter '\(TerminalSafe.text(secret))', which looks like a secret and would be recorded in git.",
          remedy: "Download it yourself and 'dv add' it, or use a URL without it.")
      }
      (place, recorded, name) = (.web(web), web.description, Array(web.fileName.utf8))
      return
    }
    switch try RemoteURL(url, relativeTo: directory) {
    case .directory(let path):
      place = .disk(path)
      recorded = url.hasPrefix("/") || url.hasPrefix("file://") ? url : try RecordedURL(url, from: directory, in: repository).text
      name = path.lastComponent.map { Array($0.string.utf8) } ?? []
    case .s3(let location):
      (place, recorded) = (.bucket(location), location.description)
      name = Array((location.prefix.split(separator: "/").last.map(String.init) ?? location.bucket).utf8)
    case .http: preconditionFailure("Both of its schemes were dealt with.")
    }
  }

  /// Asks what version is there, without its content.
  ///
  /// - Returns: `nil` if that would tell nothing.
  /// - Throws: ``RepositoryError/Code/missing`` if there is nothing.
  func look() async throws -> SourceRecord.RemoteVersion? {
    switch place {
    case .disk(let path):
      guard try path.fileStatFollowingLinks() != nil else { throw nothing }
      return nil
    case .web(let url):
      guard let version = try await download.look(at: url) else { throw nothing }
      return SourceRecord.RemoteVersion(version)
    case .bucket(let location):
      let backend = try await backend(location)
      if let object = try await backend.foreignObject() { return SourceRecord.RemoteVersion(object.version) }
      return Self.version(of: try await objects(of: backend))
    }
  }

  /// Brings the content into the local store. Who was stopped goes on from what had come.
  ///
  /// - Parameter target: what messages call it.
  func bring(
    to local: LocalStore, as target: TreePath, progress: ProgressSink
  ) async throws -> (pointer: Pointer, version: SourceRecord.RemoteVersion?) {
    if case .disk(let path) = place {
      guard try path.fileStatFollowingLinks() != nil else { throw nothing }
      return (try await local.ingest(path.resolvingLinks() ?? path, named: target, progress: progress), nil)
    }
    let downloads = try Downloads(repository).folder(of: recorded)
    defer { withExtendedLifetime(downloads) {} }
    let folder = downloads.path
    progress.begin("Downloading", totalBytes: 0)
    let count: @Sendable (UInt64) -> Void = { progress.advance(bytes: $0) }
    let content: FilePath
    let version: SourceRecord.RemoteVersion?
    switch place {
    case .disk: preconditionFailure("Dealt with above.")
    case .web(let url):
      let file = try PartialFile(in: folder.appending("file"))
      guard let found = try await download.fetch(url, into: file, progress: count) else { throw nothing }
      (content, version) = (file.path, SourceRecord.RemoteVersion(found))
    case .bucket(let location):
      let backend = try await backend(location)
      if let object = try await backend.foreignObject() {
        if let size = object.version.size { progress.expect(bytes: size) }
        let file = try PartialFile(in: folder.appending("file"))
        guard let found = try await backend.fetch(object, into: file, progress: count) else { throw nothing }
        (content, version) = (file.path, SourceRecord.RemoteVersion(found))
      } else {
        let objects = try await objects(of: backend)
        progress.expect(bytes: objects.reduce(0) { $0.addingClamped($1.version.size ?? 0) })
        content = try await fetch(objects, from: backend, into: folder, count)
        version = Self.version(of: objects)
      }
    }
    let pointer = try await local.ingest(content, named: target, progress: progress)
    // The lock's file stays until somebody tidies up: another process may be waiting for it.
    for name in ["file", "objects", "tree"] { try folder.appending(name).removeTree() }
    return (pointer, version)
  }

  private var nothing: RepositoryError {
    RepositoryError(.missing, "There is nothing at '\(TerminalSafe.text(recorded))'.", remedy: "Check the URL.")
  }

  // MARK: - Servers

  private var download: WebDownload {
    let environment = repository.environment
    let file = environment("SSL_CERT_FILE") ?? environment("AWS_CA_BUNDLE")
    let certificates = file.flatMap { $0.isEmpty ? nil : FilePath($0) }
    return WebDownload(tally: repository.requests) { endpoint in
      HTTPSettings(certificates: certificates, proxy: try HTTPProxy(for: endpoint, environment: environment))
    }
  }

  private func backend(_ location: S3Location) async throws -> S3Backend {
    var settings = BucketSettings()
    try settings.apply(bucket)
    let opening = BucketOpening(
      name: location.description, settings: settings, environment: repository.environment,
      record: repository.dataDirectory.appending("downloads").appending("none"), requests: repository.requests)
    return try await opening.backend(location)
  }

  private func objects(of backend: S3Backend) async throws -> [S3Backend.ForeignObject] {
    let objects = try await backend.foreignObjects()
    guard !objects.isEmpty else { throw nothing }
    return objects
  }

  /// A version of a directory: a digest of what the listing says of each object.
  private static func version(of objects: [S3Backend.ForeignObject]) -> SourceRecord.RemoteVersion? {
    // Without tags two listings of different objects may look alike.
    guard objects.allSatisfy({ $0.version.tag != nil }) else { return nil }
    let lines = objects.map { "\($0.path)\0\($0.version.tag ?? "")\0\($0.version.size ?? 0)\n" }.joined()
    return SourceRecord.RemoteVersion(
      tag: ObjectID(hashing: Array(lines.utf8).span).text, size: objects.reduce(0) { $0.addingClamped($1.version.size ?? 0) })
  }

  /// Downloads objects and makes a directory of them.
  private func fetch(
    _ objects: [S3Backend.ForeignObject], from backend: S3Backend, into folder: FilePath, _ count: @escaping @Sendable (UInt64) -> Void
  ) async throws -> FilePath {
    var places: [(object: S3Backend.ForeignObject, path: TreePath)] = []
    for object in objects {
      guard let path = TreePath(object.path), !path.isRoot, path.description == object.path else {
        throw RepositoryError(
          .usage, "'\(TerminalSafe.text(object.path))' in '\(TerminalSafe.text(recorded))' cannot be the path of a file.",
          remedy: "Import what lies beside it by its own URL.")
      }
      places.append((object, path))
    }
    try await places.forEachConcurrently(width: 8) { place in
      let file = try PartialFile(in: folder.appending("objects").appending(ObjectID(hashing: place.path.bytes.span).hex))
      guard try await backend.fetch(place.object, into: file, progress: count) != nil else {
        throw RepositoryError(.missing, "'\(place.path)' went away while it was downloaded.", remedy: "Run the command again.")
      }
    }
    let tree = folder.appending("tree")
    try tree.removeTree()
    for place in places {
      let file = tree.appending(place.path)
      try file.containingDirectory.createDirectories()
      try folder.appending("objects").appending(ObjectID(hashing: place.path.bytes.span).hex).appending("content").link(as: file)
    }
    return tree
  }
}

extension SourceRecord.RemoteVersion {
  /// Takes over what a server said; `nil` if it said nothing.
  init?(_ version: RemoteFileVersion) {
    self.init(tag: version.tag, modified: version.modified, size: version.size)
    if self == Self() { return nil }
  }
}
