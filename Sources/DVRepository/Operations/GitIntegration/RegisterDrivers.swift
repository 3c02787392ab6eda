import DVGit
import SystemPackage

/// Tells git, in this clone's configuration, how pointers are shown and merged.
///
/// `.gitattributes` names the drivers (`*.dv diff=dv merge=dv`) and is committed; which program they are cannot be
/// committed, as a clone must not run what somebody else wrote. So every command that writes does this first, which
/// costs one look at the configuration when all is right already.
public struct RegisterDrivers: Sendable {
  private let program: GitProgram

  public init(calling program: GitProgram) { self.program = program }

  /// The settings, as they should be.
  var settings: [(name: String, value: String)] {
    // In the driver's line git takes `%` for its own.
    let word = program.word.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
    return [
      ("diff.dv.textconv", "\(program.word) git-driver textconv"),
      // What is shown depends on what the local store holds.
      ("diff.dv.cachetextconv", "false"),
      ("merge.dv.name", "dv: merge datasets file by file"),
      ("merge.dv.driver", "\(word) git-driver merge %O %A %B %L %P"),
    ]
  }

  /// Registers the drivers, unless they are, or the user has set others.
  ///
  /// - Returns: whether anything was written.
  @discardableResult
  public func run(in repository: Repository) throws -> Bool {
    let config = try repository.git.config()
    let found = try settings.map { try config.string($0.name) }
    // A driver that is not dv's is somebody's intention.
    let own = zip(settings, found).allSatisfy { setting, value in
      guard let value, setting.name == "diff.dv.textconv" || setting.name == "merge.dv.driver" else { return true }
      return value.split(separator: " ").contains("git-driver")
    }
    guard own, !found.elementsEqual(settings.map { $0.value as String? }) else { return false }
    let file = repository.git.commonDirectory.appending("config")
    for (setting, value) in zip(settings, found) where value != setting.value {
      try GitConfig.set(setting.name, to: setting.value, in: file)
    }
    return true
  }
}
