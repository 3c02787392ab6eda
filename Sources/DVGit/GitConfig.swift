import CGit2
public import SystemPackage

/// A stack of configuration files in git's syntax: git's own, or any others.
///
/// A name is `section.key` or `section.subsection.key`; case counts in the subsection only. The highest level that has
/// a name decides it.
///
/// Not `Sendable`: a `git_config` rereads its files when asked and has no lock.
@safe public final class GitConfig {
  /// How much a file counts; higher ones overrule lower ones.
  public enum Level: Int, Sendable, Comparable, CaseIterable {
    /// Of the machine: `/etc/gitconfig`, `/etc/dv/config`.
    case system = 2
    /// Of the user, in the XDG directory.
    case xdg = 3
    /// Of the user: `~/.gitconfig`.
    case user = 4
    /// Of the repository: `.git/config`, `.dv/config`.
    case repository = 5
    /// Of this clone alone, over all others.
    case clone = 6

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
  }

  /// One value of one name.
  public struct Entry: Hashable, Sendable {
    /// The name, section and key in lower case.
    public let name: String
    /// The value, or `nil` for a key without `=`, which is true as a bool.
    public let value: String?
    /// The level of the file it came from; `nil` for a level that only git has.
    public let level: Level?
    /// The file given for that level, if the stack was made of files.
    public let file: FilePath?
    /// How many `include.path` lie between that file and the value; 0 if it stands in the file itself.
    public let includeDepth: Int
  }

  let pointer: OpaquePointer
  private let files: [Level: FilePath]

  init(owning pointer: OpaquePointer, files: [Level: FilePath] = [:]) {
    unsafe self.pointer = pointer
    self.files = files
  }

  /// Opens a stack of files. One that does not exist counts as empty, and is made when something is set in it.
  ///
  /// - Throws: ``GitError/Code/invalid``, naming file and line, if one is not well formed, or if two have one level.
  public convenience init(files: [(path: FilePath, level: Level)]) throws(GitError) {
    let config = unsafe try make("make a configuration") { unsafe git_config_new(&$0) }
    unsafe self.init(owning: config, files: Dictionary(files.map { ($0.level, $0.path) }) { first, _ in first })
    for file in files {
      try check("read the configuration '\(file.path)'") {
        unsafe file.path.withPlatformString {
          unsafe git_config_add_file_ondisk(config, $0, git_config_level_t(Int32(file.level.rawValue)), nil, 0)
        }
      }
    }
  }

  /// Opens the configuration git has outside of any repository: the user's and the machine's.
  public static func outsideRepositories() throws(GitError) -> GitConfig {
    unsafe GitConfig(owning: try make("read the user's git configuration") { unsafe git_config_open_default(&$0) })
  }

  deinit {
    unsafe git_config_free(pointer)
  }

  /// Returns the value of `name`, or `nil` if no file has it.
  public func string(_ name: String) throws(GitError) -> String? {
    try entry(name).map { $0.value ?? "" }
  }

  /// Returns the value of `name` as git reads a bool (`true`, `yes`, `on`, `1` …), or `nil` if no file has it.
  ///
  /// - Throws: ``GitError/Code/invalid`` if it is none.
  public func bool(_ name: String) throws(GitError) -> Bool? {
    guard let entry = try entry(name) else { return nil }
    guard let value = entry.value else { return true }
    var result: CInt = 0
    guard unsafe git_config_parse_bool(&result, value) == 0 else { throw invalid(entry, expected: "true or false") }
    return result != 0
  }

  /// Returns the value of `name` as a number, or `nil` if no file has it. A suffix `k`, `m` or `g` multiplies by powers
  /// of 1024, so this is for sizes in bytes too.
  ///
  /// - Throws: ``GitError/Code/invalid`` if it is none.
  public func integer(_ name: String) throws(GitError) -> Int64? {
    guard let entry = try entry(name) else { return nil }
    var result: Int64 = 0
    guard let value = entry.value, unsafe git_config_parse_int64(&result, value) == 0 else {
      throw invalid(entry, expected: "a number, as 12 or 64m")
    }
    return result
  }

  /// Returns the entry that decides `name`, or `nil` if no file has it.
  public func entry(_ name: String) throws(GitError) -> Entry? {
    var found: UnsafeMutablePointer<git_config_entry>?
    let exists = try find("read '\(name)'") { unsafe git_config_get_entry(&found, pointer, name) }
    guard exists, let found = unsafe found else { return nil }
    defer { unsafe git_config_entry_free(found) }
    return unsafe Entry(found.pointee, files)
  }

  /// Returns all values of `name`, the lowest level first, in each file from top to bottom.
  public func entries(_ name: String) throws(GitError) -> [Entry] {
    var iterator: UnsafeMutablePointer<git_config_iterator>?
    let exists = try find("read '\(name)'") {
      unsafe git_config_multivar_iterator_new(&iterator, pointer, name, nil)
    }
    return exists ? unsafe try drain(iterator, "read '\(name)'") : []
  }

  /// Returns all entries whose name matches a regular expression (POSIX extended), the lowest level first; all entries
  /// if none is given.
  public func entries(matching expression: String? = nil) throws(GitError) -> [Entry] {
    var iterator: UnsafeMutablePointer<git_config_iterator>?
    try check("list the configuration") {
      if let expression {
        unsafe git_config_iterator_glob_new(&iterator, pointer, expression)
      } else {
        unsafe git_config_iterator_new(&iterator, pointer)
      }
    }
    return unsafe try drain(iterator, "list the configuration")
  }

  /// Returns all entries whose name starts with `prefix`, the lowest level first.
  public func entries(prefix: String) throws(GitError) -> [Entry] {
    try entries().filter { $0.name.hasPrefix(prefix) }
  }

  private func drain(_ iterator: UnsafeMutablePointer<git_config_iterator>?, _ operation: String) throws(GitError)
    -> [Entry]
  {
    defer { unsafe git_config_iterator_free(iterator) }
    var entries: [Entry] = []
    while true {
      var next: UnsafeMutablePointer<git_config_entry>?
      let status = unsafe git_config_next(&next, iterator)
      // A name that occurs nowhere ends the iteration in either way.
      if status == GIT_ITEROVER.rawValue || status == GIT_ENOTFOUND.rawValue { return entries }
      try check(operation) { status }
      if let next = unsafe next { unsafe entries.append(Entry(next.pointee, files)) }
    }
  }

  private func invalid(_ entry: Entry, expected: String) -> GitError {
    let place = entry.file.map { " in '\($0)'" } ?? ""
    return GitError(.invalid, "'\(entry.name)' is '\(entry.value ?? "")'\(place), expected \(expected).")
  }
}

extension GitConfig.Entry {
  fileprivate init(_ entry: git_config_entry, _ files: [GitConfig.Level: FilePath]) {
    name = unsafe String(cString: entry.name)
    value = unsafe entry.value.map { unsafe String(cString: $0) }
    level = unsafe GitConfig.Level(rawValue: Int(entry.level.rawValue))
    file = level.flatMap { files[$0] }
    includeDepth = unsafe Int(entry.include_depth)
  }
}

extension GitRepository {
  /// Returns the configuration git has in this repository, as it is now: the repository's, the user's, the machine's.
  public func config() throws(GitError) -> GitConfig {
    unsafe GitConfig(
      owning: try make("read the configuration of '\(gitDirectory)'") {
        unsafe git_repository_config_snapshot(&$0, pointer)
      })
  }
}
