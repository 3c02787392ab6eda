import DVFile
import SystemPackage

extension Repository {
  /// The version of trees that this dv makes, pinned in `.dv/config` so that a newer dv does not make others here.
  static let treeVersion: Int64 = 1

  /// Checks that new versions can be made here.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if there is no `.dv/config`, or it asks for trees that this dv cannot make.
  func requireProject() throws {
    let file = try requireWorkDirectory().appending(".dv").appending("config")
    guard try file.fileStat() != nil else {
      throw RepositoryError(
        .usage, "dv is not set up in this repository: there is no '.dv/config'.", remedy: "Run 'dv init' once.")
    }
    try requireTreeVersion()
  }

  /// Checks that the project's trees are of the version that this dv makes.
  func requireTreeVersion() throws {
    guard let version = try configuration.integer("core.treeVersion"), version != Self.treeVersion else { return }
    throw RepositoryError(
      .usage, "This project uses trees of version \(version) (core.treeVersion), and this dv makes version \(Self.treeVersion).",
      remedy: "Install a newer dv.")
  }
}
