import DVFile
import SystemPackage

/// An open directory that several tasks can share. It is closed when the last of them lets go.
final class OpenDirectory: Sendable {
  let handle: DirectoryHandle

  init(_ handle: consuming DirectoryHandle) { self.handle = handle }

  convenience init(_ path: FilePath) throws(FileError) { self.init(try DirectoryHandle(path)) }

  /// Opens the directory `name` in this one, unless it is a link.
  func directory(named name: [UInt8]) throws(FileError) -> OpenDirectory {
    OpenDirectory(try handle.openDirectory(name: name))
  }
}

/// Opens one directory of a tree after the other, each from the one above it, so that no link planted on the way is
/// followed.
///
/// It keeps the directories on the way to the last one open, but no more than 32: going to a neighbour or a child costs
/// one system call in an ordinary tree, and a path longer than the kernel's limit can still be walked.
struct DirectoryCursor {
  private static let limit = 32

  private let root: OpenDirectory
  private var names: [[UInt8]] = []
  /// The directories at the end of ``names``; the last belongs to the last name.
  private var open: [OpenDirectory] = []

  init(root: OpenDirectory) { self.root = root }

  /// Returns the directory at `path`, relative to the root.
  mutating func directory(at path: TreePath) throws(FileError) -> OpenDirectory {
    let wanted = path.names
    var shared = 0
    while shared < wanted.count, shared < names.count, wanted[shared] == names[shared] { shared += 1 }
    if shared < names.count - open.count { shared = 0 }
    let surplus = names.count - shared
    open.removeLast(min(surplus, open.count))
    names.removeLast(surplus)
    if shared > 0 && open.isEmpty {
      names = []
      shared = 0
    }
    var current = open.last ?? root
    for name in wanted[shared...] {
      current = try current.directory(named: name)
      names.append(name)
      open.append(current)
      if open.count > Self.limit { open.removeFirst() }
    }
    return current
  }
}
