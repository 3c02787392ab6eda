import DVFile
import DVGit
import SystemPackage

extension Repository {
  /// Takes the lock of this working tree for who changes a `.gitignore` and stages it, held as long as somebody refers to it.
  ///
  /// Such a file is read, changed and replaced: of two commands that do so at once, one would lose its line, and git would see the
  /// data. It is held for milliseconds, so that who waits says nothing. Take the store's lock before it, never after.
  func lockWorkingTree() throws -> HeldLock {
    HeldLock(try FileLock.wait(for: git.gitDirectory.appending("dv-edit-lock"), .exclusive))
  }
}
