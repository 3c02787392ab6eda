import DVFile
import DVPipeline
import DVWorkspace
import SystemPackage

/// Environments of Python that commands name by a relative path, as `.venv/bin/python` does, and that no version of the code has: an
/// isolated working tree borrows those of the user's.
///
/// It gets a link to each. What is in them is recorded as the packages of the interpreter, and compared with what they were.
struct BorrowedEnvironment {
  /// Directories that are environments, of the user's working tree.
  private(set) var paths: [TreePath] = []
  /// Interpreters that are in neither tree.
  private(set) var missing: [TreePath] = []

  private let user: FilePath

  /// Finds what commands name.
  ///
  /// - Parameters:
  ///   - user: the top of the user's working tree.
  ///   - has: whether the isolated tree has a path by itself.
  init(of commands: [String], in directory: StagePath, user: FilePath, has: (TreePath) throws -> Bool) throws {
    self.user = user
    let interpreter = InterpreterProbe.interpreter(of: commands)
    for word in commands.flatMap({ ShellWord.words(of: $0) }) where word.contains("/") && !word.hasPrefix("/") {
      guard let path = try? StagePath(word, in: directory), !path.isRoot, try !has(TreePath(path)) else { continue }
      if let found = try Self.environment(of: TreePath(path), in: user) {
        if !paths.contains(found), try !has(found) { paths.append(found) }
      } else if word == interpreter, try user.appending(TreePath(path)).fileStatFollowingLinks() == nil {
        missing.append(TreePath(path))
      }
    }
  }

  /// The outermost directory on the way to a path that is an environment: of venv and virtualenv, or of conda.
  private static func environment(of path: TreePath, in root: FilePath) throws -> TreePath? {
    var place = TreePath.root
    for name in path.names.dropLast() {
      place = place.appending(name)
      let directory = root.appending(place)
      guard try directory.kindOrNothing == .directory else { return nil }
      if try directory.appending("pyvenv.cfg").kindOrNothing != nil || directory.appending("conda-meta").kindOrNothing != nil {
        return place
      }
    }
    return nil
  }

  /// Puts the links into an isolated tree.
  func link(into root: FilePath) throws {
    for path in paths {
      let place = root.appending(path)
      guard try place.fileStat() == nil else { continue }
      try place.containingDirectory.createDirectories()
      try place.createSymlink(to: user.appending(path).lexicallyNormalized().rawBytes)
    }
  }
}

extension FilePath {
  fileprivate var kindOrNothing: FileKind? {
    get throws { try fileStatFollowingLinks()?.kind }
  }
}
