public import DVObject
public import SystemPackage
import DVFile

/// A pointer on disk: `NAME.dv` beside the place of the file or directory `NAME` it stands for.
public struct PointerFile: Hashable, Sendable {
  /// Where the pointer is, relative to the working tree's root.
  public let path: TreePath
  /// What is read from it.
  public var pointer: Pointer

  public init(path: TreePath, pointer: Pointer) {
    self.path = path
    self.pointer = pointer
  }

  /// The file or directory that the pointer stands for, relative to the working tree's root.
  public var target: TreePath { Self.target(of: path) }

  /// Returns where the pointer of a target is.
  public static func path(for target: TreePath) -> TreePath {
    TreePath(unchecked: target.bytes + Array(Pointer.suffix.utf8))
  }

  /// Returns what a pointer's path stands for.
  public static func target(of path: TreePath) -> TreePath {
    TreePath(unchecked: Array(path.bytes.dropLast(Pointer.suffix.utf8.count)))
  }

  /// Whether `path` has the name of a pointer.
  public static func isPointerName(_ path: TreePath) -> Bool { path.lastName.span.isPointerName }

  /// Reads the pointer at `path`.
  ///
  /// - Parameter root: The working tree.
  /// - Returns: `nil` if there is none.
  /// - Throws: ``WorkspaceError`` with code `pointer` and the line and remedy if the file is no valid pointer,
  ///   `conflicted` if git left conflict markers in it.
  public static func read(_ path: TreePath, in root: FilePath) throws(WorkspaceError) -> PointerFile? {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try root.appending(path).readAll(limit: readLimit)
    } catch {
      if error.code == .notFound || error.code == .notDirectory { return nil }
      throw WorkspaceError(error)
    }
    return try PointerFile(path: path, content: bytes.span)
  }

  /// Bytes that are read of a file by the name of a pointer at most: one with both sides of a conflict is longer than a pointer.
  static let readLimit = 64 << 10

  /// Makes what a file at `path` with these bytes is; throws as ``read(_:in:)``.
  init(path: TreePath, content: Span<UInt8>) throws(WorkspaceError) {
    self.path = path
    do throws(ObjectFormatError) { pointer = try Pointer(parsing: content, named: path.description) } catch {
      throw WorkspaceError(error.code == .conflicted ? .conflicted : .pointer, error.message, paths: [path], cause: error)
    }
  }

  /// Writes the pointer, so that a reader or a crash finds the old one or the new. An equal one is left alone.
  public func write(in root: FilePath) throws(WorkspaceError) {
    let bytes = pointer.encoded()
    let file = root.appending(path)
    do throws(FileError) {
      if let stat = try file.fileStat(), stat.kind == .regular, stat.size == UInt64(bytes.count),
        try file.readAll(limit: Pointer.maximumByteCount) == bytes
      {
        return
      }
      try file.replaceContent(with: bytes.span)
    } catch {
      throw WorkspaceError(error)
    }
  }
}

extension FilePath {
  /// Returns the place of a path relative to this one.
  public func appending(_ path: TreePath) -> FilePath { path.isRoot ? self : appending(name: path.bytes) }
}
