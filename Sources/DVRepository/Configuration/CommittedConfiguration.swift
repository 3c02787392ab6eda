import DVFile
import SystemPackage

/// The file `.dv/config` before it is read: it comes from whoever may push.
///
/// libgit2 follows links and reads what a file includes, wherever that is: a named pipe would hold dv up for ever, and writing would
/// change a file of the user's. So the file must be one, in a directory that is one, and include nothing.
struct CommittedConfiguration {
  let file: FilePath

  /// More than any project needs; less than would be felt.
  private static let byteLimit = 1 << 20

  /// Checks the file, if there is one.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if it is a link or no file, or includes others.
  func check() throws {
    let directory = file.removingLastComponent()
    if let stat = try directory.fileStat(), stat.kind != .directory { throw refusal("'.dv' is not a directory", "Make it one") }
    guard let stat = try file.fileStat() else { return }
    guard stat.kind == .regular else {
      throw refusal("'.dv/config' is not a file but a \(stat.kind == .symlink ? "symbolic link" : "directory or device")", "Replace it by a file")
    }
    let bytes = try file.readAll(limit: Self.byteLimit)
    // Wherever it stands: to find sections as git does would be to read the file as git does.
    let text = String(decoding: bytes, as: UTF8.self).lowercased()
    if text.contains("[include") {
      throw refusal("'.dv/config' includes other files, which a committed configuration cannot do", "Copy what they say into it")
    }
  }

  private func refusal(_ what: String, _ remedy: String) -> RepositoryError {
    RepositoryError(.usage, "\(what).", remedy: "\(remedy), or restore it with 'git checkout -- .dv'.")
  }
}
