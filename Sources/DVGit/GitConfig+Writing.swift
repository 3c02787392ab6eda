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
    try refuse(name, value)
    unsafe try write("set '\(name)'", file) { config in unsafe git_config_set_string(config, name, value) }
  }

  /// Adds one more value of `name` to one file, otherwise as ``set(_:to:in:)``.
  public static func add(_ name: String, value: String, in file: FilePath) throws(GitError) {
    try refuse(name, value)
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

  /// Refuses what libgit2 would write and git could not read again, or would read as something else.
  private static func refuse(_ name: String, _ value: String) throws(GitError) {
    let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
    func isPart(_ byte: UInt8) -> Bool {
      isLetter(byte) || byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    guard parts.count >= 2, let section = parts.first, let key = parts.last, let initial = key.first,
      !section.isEmpty, section.allSatisfy(isPart), isLetter(initial), key.allSatisfy(isPart),
      !name.utf8.contains(UInt8(ascii: "\n")), !name.utf8.contains(0)
    else {
      throw GitError(
        .invalid,
        "'\(name)' is no name of a setting: expected SECTION.KEY or SECTION.SUBSECTION.KEY, of letters, digits "
          + "and '-', the key beginning with a letter.")
    }
    guard !value.utf8.contains(0) else { throw GitError(.invalid, "The value of '\(name)' has a NUL byte.") }
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
