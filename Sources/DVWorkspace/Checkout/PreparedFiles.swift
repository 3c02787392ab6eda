public import DVFile
public import DVObject
import Synchronization
public import SystemPackage

/// Contents that were written and proved before the checkout that wants them, beside its target.
///
/// A pull brings large files into the store and into the working tree in one pass. They wait under a name that a checkout
/// of the same target knows, so that one that was killed leaves nothing for good.
public final class PreparedFiles: Sendable {
  /// The directory they are in.
  private let directory: FilePath
  private let files = Mutex<[ObjectID: Prepared]>([:])

  /// One content that waits.
  struct Prepared: Sendable {
    let path: FilePath
    let stat: FileStat
  }

  /// Makes an empty place for the contents of the target at `location`, without what a killed run left in it.
  public init(for location: FilePath) throws(FileError) {
    directory = Self.directory(for: location)
    try directory.removeTree()
    try directory.createDirectories()
    // What a killed pull leaves must not get into git with 'git add --all'.
    try directory.appending(".gitignore").replaceContent(with: Array("*\n".utf8).span, durable: false)
  }

  static func directory(for location: FilePath) -> FilePath {
    let name = Checkout.temporaryName(for: location.lastComponentBytes + Array("/large".utf8))
    return location.containingDirectory.appending(name: name)
  }

  /// Creates the file for a content. End it with ``add(_:_:)`` once it is whole and proved.
  public func create(_ oid: ObjectID) throws(FileError) -> BlockFile {
    BlockFile(try DirectoryHandle(directory).createFile(name: Array(oid.hex.utf8)))
  }

  /// Takes over a file that is whole and proved.
  public func add(_ oid: ObjectID, _ file: BlockFile) throws(FileError) {
    let stat = try file.close()
    files.withLock { $0[oid] = Prepared(path: file.path, stat: stat) }
  }

  /// Hands out a content, once.
  func take(_ oid: ObjectID, size: UInt64) -> Prepared? {
    files.withLock { files in
      guard let file = files[oid], file.stat.size == size else { return nil }
      files[oid] = nil
      return file
    }
  }

  /// Removes what nobody took.
  public func remove() { try? directory.removeTree() }
}

extension DirectoryHandle {
  /// Moves a prepared content into this directory, as `name`, which must not be taken.
  ///
  /// - Returns: what the file system says of it, or `nil`, and nothing done, if it is not what it was when it was proved, or
  ///   cannot be moved.
  func adopt(_ file: PreparedFiles.Prepared, as name: [UInt8], isExecutable: Bool) throws(FileError) -> FileStat? {
    guard let there = try file.path.fileStat(), there.kind == .regular, there.inode == file.stat.inode,
      there.size == file.stat.size, there.modified == file.stat.modified, try stat(name: name) == nil
    else { return nil }
    do throws(FileError) { try moveIn(file.path, as: name) } catch {
      guard error.code == .otherFileSystem else { throw error }
      return nil
    }
    // Whoever may read it may execute it, as git does.
    if isExecutable { try setMode(name: name, there.mode | ((there.mode & 0o444) >> 2)) }
    return try stat(name: name)
  }
}
