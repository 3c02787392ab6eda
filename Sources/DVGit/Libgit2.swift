import CGit2

/// Starts libgit2 at its first use; it is never shut down, as it lives as long as the process.
enum Libgit2 {
  static func start() { _ = started }

  private static let started: Void = {
    git_libgit2_init()
    // Extensions that change nothing of what dv reads, and that libgit2 would refuse a repository for. `objectformat` is
    // among them because `sha1` is a value of it; ``GitRepository`` refuses the others by name.
    let names: [StaticString] = ["objectformat", "partialclone", "preciousobjects", "worktreeconfig"]
    var pointers = unsafe names.map {
      unsafe UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self) as UnsafePointer<CChar>?
    }
    unsafe dv_git_set_extensions(&pointers, pointers.count)
  }()
}

/// Runs one libgit2 call and throws if it returns a negative code.
///
/// libgit2 keeps the reason per thread: it is read here, at once, and never after an `await`.
func check(_ operation: @autoclosure () -> String, _ call: () -> CInt) throws(GitError) {
  Libgit2.start()
  let status = call()
  guard status < 0 else { return }
  throw GitError(status: status, operation: operation())
}

/// Runs one libgit2 call and returns whether what it looked for exists; any other failure is thrown.
func find(_ operation: @autoclosure () -> String, _ call: () -> CInt) throws(GitError) -> Bool {
  Libgit2.start()
  let status = call()
  guard status < 0 else { return true }
  guard status != GIT_ENOTFOUND.rawValue else { return false }
  throw GitError(status: status, operation: operation())
}

/// Runs one libgit2 call that makes an object and returns it. The caller frees it.
func make(
  _ operation: @autoclosure () -> String, _ call: (inout OpaquePointer?) -> CInt
) throws(GitError) -> OpaquePointer {
  var made: OpaquePointer?
  try check(operation()) { unsafe call(&made) }
  guard let made = unsafe made else { throw GitError(.other, "Cannot \(operation()): libgit2 returned nothing.") }
  return unsafe made
}

extension GitError {
  /// Makes the error of a failed call; to be called on its thread before any other call.
  init(status: CInt, operation: String) {
    let last = unsafe git_error_last()
    let reason =
      unsafe last.flatMap { unsafe $0.pointee.message }.map { unsafe String(cString: $0) } ?? "code \(status)"
    let category = unsafe last.map { unsafe git_error_t(UInt32($0.pointee.klass)) } ?? GIT_ERROR_NONE
    self.init(
      Code(status: status, category: category, reason: reason), "Cannot \(operation): \(reason).")
  }
}
