import DVFile
public import DVObject
import DVStore
import DVWorkspace
public import SystemPackage

/// Names what is on disk, as a pointer would, without storing anything and without needing a repository.
public struct HashPaths: Sendable {
  /// A path and the name of what is there.
  public struct Item: Sendable {
    public let path: FilePath
    public let kind: Pointer.Kind
    /// Of a file the SHA-256 of its bytes, of a directory the oid of its tree.
    public let oid: ObjectID
    /// Bytes.
    public let size: UInt64
    /// How many files a directory holds.
    public let files: UInt64?
  }

  private let path: FilePath

  /// - Parameter path: a file or directory. A link is followed, as sha256sum does.
  public init(_ path: FilePath) { self.path = path }

  /// Carries it out.
  ///
  /// - Parameter repository: the repository the path lies in, if any, for the `.dvignore` files above it.
  public func run(in repository: Repository?, progress: ProgressSink) async throws -> Item {
    guard let stat = try path.fileStatFollowingLinks() else {
      throw RepositoryError(.usage, "There is no '\(path.printable)'.")
    }
    guard stat.kind == .directory else { return try await file(stat.size, progress: progress) }
    let target = try repository.flatMap { try Self.target(of: path, in: $0) }
    let rules = try target.flatMap { try repository?.ignoreRules(above: $0) } ?? IgnoreRules()
    let scan = TreeScan(location: path.resolvingLinks() ?? path, target: target ?? .root, rules: rules)
    guard let found = try await scan.run(cache: nil) else {
      throw RepositoryError(.usage, "There is no '\(path.printable)'.")
    }
    try found.problems.requireNone()
    progress.expect(bytes: found.bytesToHash, items: UInt64(found.toHash))
    let result = try await TreeIngest(of: scan, writer: nil) { files, bytes in
      progress.advance(bytes: bytes, items: UInt64(files))
    }.run(found)
    guard let pointer = result.pointer else {
      throw RepositoryError(.usage, "'\(path.printable)' could not be read whole.", remedy: "Run the command again.")
    }
    return Item(path: path, kind: .tree, oid: pointer.oid, size: pointer.size, files: pointer.files)
  }

  private func file(_ size: UInt64, progress: ProgressSink) async throws -> Item {
    progress.expect(bytes: size, items: 1)
    let path = path
    let (oid, size) = try await BlockingThreads.run {
      let reader = try FileReader(path, followingLink: true)
      reader.expectSequentialReading()
      let buffer = AlignedBuffer(capacity: 1 << 20)
      var digest = Digest()
      var size: UInt64 = 0
      while true {
        try reader.read(into: buffer)
        if buffer.count == 0 { break }
        buffer.withSpan { digest.update($0) }
        size += UInt64(buffer.count)
        progress.advance(bytes: UInt64(buffer.count))
      }
      return (digest.finish(), size)
    }
    progress.advance(items: 1)
    return Item(path: path, kind: .file, oid: oid, size: size, files: nil)
  }

  private static func target(of path: FilePath, in repository: Repository) throws -> TreePath? {
    guard repository.workDirectory != nil, let absolute = path.resolvingLinks() else { return nil }
    let target = try? repository.treePath(absolute, from: "/")
    return target.flatMap { $0.isRoot ? nil : $0 }
  }
}
