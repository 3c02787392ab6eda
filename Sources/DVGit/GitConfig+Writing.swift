import CGit2
public import SystemPackage

extension GitConfig {
  /// Sets `name` in one file, which is made if it does not exist; its directory must. Comments and order are kept.
  ///
  /// The file is replaced under git's lock (`FILE.lock`), for which this waits up to 3 seconds.
  ///
  /// - Throws: ``GitError/Code/busy`` if another process holds the lock; ``GitError/Code/invalid`` if `name` is no name,
  ///   or has several values.
  public static func set(_ name: String, to value: String, in file: FilePath) throws(GitError) {
    unsafe try write("set '\(name)'", file) { config in unsafe git_config_set_string(config, name, value) }
  }

  /// Adds one more value of `name` to one file, otherwise as ``set(_:to:in:)``.
  public static func add(_ name: String, value: String, in file: FilePath) throws(GitError) {
    // The expression matches no value, so nothing is replaced.
    unsafe try write("add '\(name)'", file) { config in unsafe git_config_set_multivar(config, name, "$^", value) }
  }

  /// Removes all values of `name` from one file and returns whether there were any, otherwise as ``set(_:to:in:)``.
  @discardableResult
  public static func unset(_ name: String, in file: FilePath) throws(GitError) -> Bool {
    do throws(GitError) {
      unsafe try write("unset '\(name)'", file) { config in unsafe git_config_delete_multivar(config, name, ".*") }
      return true
    } catch {
      guard error.code == .notFound else { throw error }
      return false
    }
  }

  private static func write(
    _ operation: String, _ file: FilePath, _ change: (OpaquePointer) -> CInt
  ) throws(GitError) {
    let config = try GitConfig(files: [(file, .repository)])
    try waitForLock(file) { () throws(GitError) in
      try check("\(operation) in '\(file)'") { unsafe change(config.pointer) }
    }
  }
}
