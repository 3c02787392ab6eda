import DVFile
import DVGit
public import DVWorkspace
import SystemPackage

/// Sets a repository up for dv, once; whoever clones it has nothing to set up.
///
/// Writes the committed configuration and the attributes by which git knows pointers, and stages both. What is there
/// already stays as it is.
public struct InitializeRepository: Sendable {
  public struct Report: Sendable {
    /// Files that were made or changed, in the order of their names.
    public internal(set) var changed: [TreePath] = []
  }

  public init() {}

  public func run(in repository: Repository) throws -> Report {
    let root = try repository.requireWorkDirectory()
    var report = Report()
    if try makeConfiguration(in: repository) { report.changed.append(Self.configuration) }
    if try addAttributes(in: root) { report.changed.append(Self.attributes) }
    let index = try repository.git.index()
    // Staged also if a run before was killed between writing and staging, but not when the user changed them since.
    let staged = try [Self.configuration, Self.attributes].filter { path in
      try report.changed.contains(path) || index.entries(under: try GitPath(path.bytes)).isEmpty
    }
    if !staged.isEmpty { try repository.git.stage(adding: try staged.map { try GitPath($0.bytes) }) }
    return report
  }

  private static let configuration = TreePath.root.appending(Array(".dv".utf8)).appending(Array("config".utf8))
  private static let attributes = TreePath.root.appending(Array(".gitattributes".utf8))
  /// What tells git to compare and merge pointers with dv.
  private static let attributeLine = "*.dv diff=dv merge=dv"

  private func makeConfiguration(in repository: Repository) throws -> Bool {
    let name = "core.treeVersion"
    if try repository.configuration.string(name, in: .project) != nil {
      try repository.requireTreeVersion()
      return false
    }
    let file = try repository.requireWorkDirectory().appending(Self.configuration)
    try file.containingDirectory.createDirectories()
    try repository.configuration.set(name, to: String(Repository.treeVersion), in: .project)
    return true
  }

  /// Adds the line at the end, unless it is there. All other lines are the user's.
  private func addAttributes(in root: FilePath) throws -> Bool {
    let file = root.appending(Self.attributes)
    var content = try file.fileStat() == nil ? [] : try file.readAll(limit: 64 << 20)
    let lines = content.split(separator: UInt8(ascii: "\n"))
    let isThere = lines.contains { line in
      let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
      return words.elementsEqual(Self.attributeLine.utf8.split(separator: UInt8(ascii: " "))) { $0.elementsEqual($1) }
    }
    guard !isThere else { return false }
    if let last = content.last, last != UInt8(ascii: "\n") { content.append(UInt8(ascii: "\n")) }
    content += Array((Self.attributeLine + "\n").utf8)
    try file.replaceContent(with: content.span)
    return true
  }
}
