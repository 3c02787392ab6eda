import CGit2
import SystemPackage

/// One entry of the index, which is what the next commit will hold.
public struct GitIndexEntry: Hashable, Sendable {
  public let path: GitPath
  /// 0, or in a conflict 1 for the common ancestor, 2 for ours, 3 for theirs.
  public let stage: Int
  public let kind: GitTreeEntry.Kind
  /// The content. For an ``isIntentToAdd`` entry, the empty blob.
  public let id: GitObjectID
  /// Whether `git add --intent-to-add` made it: the path is tracked, its content is not.
  public let isIntentToAdd: Bool
  /// Whether a sparse checkout keeps it out of the working tree.
  public let isSkipWorktree: Bool
}

/// The three sides of a path in conflict; a side that deleted it, or never had it, is `nil`.
public struct GitConflict: Hashable, Sendable {
  public let base: GitObjectID?
  public let ours: GitObjectID?
  public let theirs: GitObjectID?
}

/// The index as it was when it was read.
@safe public final class GitIndex {
  let pointer: OpaquePointer
  /// The name of the file that libgit2 knows it by, if an update can go on with it.
  let secondName: FilePath.Component?

  init(owning pointer: OpaquePointer, secondName: FilePath.Component? = nil) {
    unsafe self.pointer = pointer
    self.secondName = secondName
  }

  deinit {
    unsafe git_index_free(pointer)
  }

  /// The entries of all stages that are named like a pointer, sorted by path. Reads no blob.
  public var pointers: [GitIndexEntry] {
    unsafe (0..<git_index_entrycount(pointer)).compactMap { position in
      guard let entry = unsafe git_index_get_byindex(pointer, position), unsafe isPointerName(entry.pointee.path) else {
        return nil
      }
      return unsafe GitIndexEntry(entry)
    }
  }

  /// Whether any path is in conflict.
  public var hasConflicts: Bool { unsafe git_index_has_conflicts(pointer) == 1 }

  /// Returns the entry of stage 0 at `path`, or `nil` if git does not track it or it is in conflict.
  public func entry(at path: GitPath) -> GitIndexEntry? {
    unsafe path.withCString { unsafe git_index_get_bypath(pointer, $0, 0) }.flatMap { unsafe GitIndexEntry($0) }
  }

  /// Returns the entries of all stages at `path` and below it, sorted by path.
  ///
  /// - Complexity: O(log *n*) and what is found.
  public func entries(under path: GitPath) -> [GitIndexEntry] {
    var position = 0
    let exists = unsafe path.withCString { unsafe git_index_find_prefix(&position, pointer, $0) } == 0
    guard exists || path.isRoot else { return [] }
    var found: [GitIndexEntry] = []
    while let entry = unsafe git_index_get_byindex(pointer, position) {
      position += 1
      let entryPath = unsafe GitPath(unchecked: bytes(of: entry.pointee.path))
      guard entryPath.bytes.starts(with: path.bytes) else { break }
      // `data.csv` begins like `data` too, and sorts before `data/a`.
      guard entryPath.isInside(path), let entry = unsafe GitIndexEntry(entry) else { continue }
      found.append(entry)
    }
    return found
  }

  /// Returns the sides of `path` if it is in conflict.
  public func conflict(at path: GitPath) throws(GitError) -> GitConflict? {
    var (base, ours, theirs):
      (UnsafePointer<git_index_entry>?, UnsafePointer<git_index_entry>?, UnsafePointer<git_index_entry>?) =
        (nil, nil, nil)
    let exists = try find("read the conflict of '\(path)'") {
      unsafe path.withCString { unsafe git_index_conflict_get(&base, &ours, &theirs, pointer, $0) }
    }
    guard exists else { return nil }
    return unsafe GitConflict(
      base: base.map { unsafe GitObjectID($0.pointee.id) }, ours: ours.map { unsafe GitObjectID($0.pointee.id) },
      theirs: theirs.map { unsafe GitObjectID($0.pointee.id) })
  }

  /// Looks at the end of a name without copying it: most of a large index is not about pointers.
  private func isPointerName(_ path: UnsafePointer<CChar>) -> Bool {
    var end = unsafe path
    while unsafe end.pointee != 0 { unsafe end += 1 }
    guard unsafe end - path > 3 else { return false }
    let (slash, dot, d, v) = unsafe (end[-4], end[-3], end[-2], end[-1])
    return (dot, d, v) == (0x2e, 0x64, 0x76) && slash != 0x2f
  }
}

extension GitIndexEntry {
  /// Takes over libgit2's entry; `nil` for a mode that is none of git's.
  init?(_ entry: UnsafePointer<git_index_entry>) {
    guard let kind = unsafe GitTreeEntry.Kind(git_filemode_t(entry.pointee.mode)) else { return nil }
    self.kind = kind
    path = unsafe GitPath(unchecked: bytes(of: entry.pointee.path))
    stage = unsafe Int(dv_git_entry_stage(entry))
    id = unsafe GitObjectID(entry.pointee.id)
    let flags = unsafe UInt32(entry.pointee.flags_extended)
    isIntentToAdd = flags & GIT_INDEX_ENTRY_INTENT_TO_ADD.rawValue != 0
    isSkipWorktree = flags & GIT_INDEX_ENTRY_SKIP_WORKTREE.rawValue != 0
  }
}

extension GitRepository {
  /// Reads the index as it is now; empty if there is none yet.
  ///
  /// - Throws: ``GitError/Code/unsupported`` for a split or sparse index, which libgit2 cannot read.
  public func index() throws(GitError) -> GitIndex {
    unsafe GitIndex(owning: try readIndex(gitDirectory.appending("index")))
  }

  /// Reads the index as it is now, for questions and then for one ``GitRepository/beginIndexUpdate(with:)``, which need not
  /// read it again if it did not change.
  ///
  /// - Throws: as ``index()``.
  public func indexToUpdate() throws(GitError) -> GitIndex {
    let secondName = IndexFiles.newSecondName()
    let files = IndexFiles(gitDirectory: gitDirectory, secondName: secondName)
    guard files.linkSecondName() else { return try index() }
    let pointer = unsafe try? readIndex(files.working)
    // Whoever has the lock removes such names. Without the file, what libgit2 made is empty.
    let wasThere = files.unlinkSecondName()
    guard let pointer = unsafe pointer else { return try index() }
    let index = unsafe GitIndex(owning: pointer, secondName: secondName)
    let isEmpty = unsafe git_index_entrycount(pointer) == 0
    return wasThere && !isEmpty ? index : try self.index()
  }

  /// Opens an index file. The caller frees it.
  func readIndex(_ path: FilePath) throws(GitError) -> OpaquePointer {
    try unsafe explainingIndex { () throws(GitError) in
      unsafe try make("read the git index '\(path)'") { made in
        unsafe path.withPlatformString { unsafe git_index_open(&made, $0) }
      }
    }
  }

  /// Runs `body`, and says what helps if it meets an index that libgit2 cannot read.
  func explainingIndex<R>(_ body: () throws(GitError) -> R) throws(GitError) -> R {
    do throws(GitError) { return try body() } catch {
      guard error.code == .unsupported || error.message.contains("checksum") else { throw error }
      throw GitError(
        .unsupported,
        error.message + " If git itself reads it, have git write it in the plain form: 'git update-index "
          + "--no-split-index', 'git sparse-checkout reapply --no-sparse-index', or with index.skipHash unset "
          + "'git update-index --force-write-index'.")
    }
  }
}
