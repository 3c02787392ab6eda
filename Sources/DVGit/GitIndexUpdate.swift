import CGit2
import SystemPackage

/// A change of the index, under git's lock from reading to writing.
///
/// libgit2 takes `index.lock` only while it writes, so what another process staged since the index was read would be
/// lost. Here the lock is held as git holds it, and libgit2 works on a second name of the file:
///
///     create index.lock        or wait: another process is staging
///     link index, index.dv     a hard link keeps the time by which libgit2 knows entries too young to trust
///     … changes …
///     write index.dv           libgit2 replaces the link, never the file
///     rename index.dv, index   now it is visible
///     remove index.lock
///
/// An index that was read to be updated later, ``GitRepository/indexToUpdate()``, is not read again if the file is still the
/// same: reading takes longer than writing. Libgit2 writes an index where it read it, so that one has a name of its own,
/// `index.dv-…`, which is there while it is read and while it is written.
///
/// A crash before the rename leaves the index as it was; the next update removes `index.dv`, every `index.dv-…`
/// and the lock: the file is marked as dv's, and nobody holds it any more. The lock alone goes when any dv opens the repository.
@safe public final class GitIndexUpdate {
  private let repository: GitRepository
  private let pointer: OpaquePointer
  /// What was read before and is changed now.
  private let reused: GitIndex?
  /// The index the repository had before, to be given back to it.
  private let original: OpaquePointer
  private let files: IndexFiles
  /// Tells others that this process lives.
  private let lock: FileDescriptor
  private var isHeld = true

  init(_ repository: GitRepository, with index: GitIndex? = nil) throws(GitError) {
    var reused = index?.secondName == nil ? nil : index
    let files = IndexFiles(gitDirectory: repository.gitDirectory, secondName: reused?.secondName)
    let lock = try waitForLock(files.index) { () throws(GitError) in try files.lock() }
    let (opened, before): (OpaquePointer, OpaquePointer)
    do throws(GitError) {
      // Without a file libgit2 would keep what it read of one that was there.
      if try !files.makeSecondName() { reused = nil }
      let copy: OpaquePointer
      if let reused { unsafe copy = try reused.readAgain(of: repository) } else { unsafe copy = try repository.readIndex(files.working) }
      do throws(GitError) {
        let own = try unsafe make("open the index of '\(repository.gitDirectory)'") {
          unsafe git_repository_index(&$0, repository.pointer)
        }
        unsafe (opened, before) = (copy, own)
      } catch {
        if reused == nil { unsafe git_index_free(copy) }
        throw error
      }
    } catch {
      files.discard()
      try? lock.close()
      throw error
    }
    unsafe pointer = opened
    self.reused = reused
    unsafe original = before
    self.repository = repository
    self.files = files
    self.lock = lock
    // Adding a file needs the repository's filters and objects, which an index has only as the repository's own.
    unsafe git_repository_set_index(repository.pointer, opened)
  }

  deinit {
    if isHeld { files.discard() }
    try? lock.close()
    unsafe git_repository_set_index(repository.pointer, original)
    unsafe git_index_free(original)
    if reused == nil { unsafe git_index_free(pointer) }
  }

  /// Stages a file of the working tree as it is now, ignored or not, and ends a conflict of its path.
  ///
  /// - Throws: ``GitError/Code/notFound`` if there is no such file.
  public func add(_ path: GitPath) throws(GitError) {
    try check("stage '\(path)'") { unsafe path.withCString { unsafe git_index_add_bypath(pointer, $0) } }
  }

  /// Unstages a path, so that the next commit does not have it, and ends a conflict of it. One that is not there is fine.
  public func remove(_ path: GitPath) throws(GitError) {
    _ = try find("unstage '\(path)'") { unsafe path.withCString { unsafe git_index_remove_bypath(pointer, $0) } }
  }

  /// Writes the index and releases the lock. Nothing may be changed afterwards.
  ///
  /// - Throws: if it cannot be written; the index is as before then, and the lock is released.
  public func write() throws(GitError) {
    precondition(isHeld, "This update of the index was written already.")
    isHeld = false
    do throws(GitError) {
      try check("write the git index '\(files.index)'") { unsafe git_index_write(pointer) }
      try files.publish()
    } catch {
      files.discard()
      throw error
    }
  }
}

extension GitIndex {
  /// Reads the file again if it is another than was read.
  fileprivate func readAgain(of repository: GitRepository) throws(GitError) -> OpaquePointer {
    try repository.explainingIndex { () throws(GitError) in
      try check("read the git index of '\(repository.gitDirectory)' again") { unsafe git_index_read(pointer, 0) }
    }
    return unsafe pointer
  }
}

extension GitRepository {
  /// Takes the lock of the index, for which this waits up to 3 seconds, and begins a change of it.
  ///
  /// Only one may be under way for a repository. Without ``GitIndexUpdate/write()`` nothing changes.
  ///
  /// - Throws: ``GitError/Code/busy``, naming the lock file, if another process holds it; as ``index()``.
  ///
  /// - Parameter index: what ``indexToUpdate()`` read, which this changes: it must not be asked or updated again afterwards.
  public func beginIndexUpdate(with index: GitIndex? = nil) throws(GitError) -> GitIndexUpdate {
    try GitIndexUpdate(self, with: index)
  }

  /// Removes `index.lock` if a dv left it that was killed: git would ask the user to.
  ///
  /// An update does so itself. This is for what has nothing to stage: whoever was killed after its last step leaves that to the next.
  public func removeAbandonedIndexLock() { IndexFiles(gitDirectory: gitDirectory).removeAbandonedLock() }

  /// Stages and unstages files in one update.
  ///
  /// - Parameter index: as in ``beginIndexUpdate(with:)``.
  public func stage(
    adding added: [GitPath], removing removed: [GitPath] = [], with index: GitIndex? = nil
  ) throws(GitError) {
    let update = try beginIndexUpdate(with: index)
    for path in removed { try update.remove(path) }
    for path in added { try update.add(path) }
    try update.write()
  }
}
