import DVGit
import DVObject
import DVWorkspace

/// Where contents are named: the paths of their pointers, with the commits and references that have them.
///
/// Goes through the whole history, which is for the rare case of damage.
struct Appearances {
  /// One path of a content.
  struct Place {
    let path: String
    /// Short names, the newest first.
    var commits: [String] = []
    /// Branches, tags and other names whose newest commit has it.
    var references: [String] = []
  }

  private(set) var places: [ObjectID: [Place]] = [:]

  init() {}

  init(of oids: Set<ObjectID>, in git: GitRepository) throws {
    let walk = PointerWalk(git)
    var pointers: [GitObjectID: ObjectID?] = [:]
    func visit(_ commit: GitObjectID, _ note: (inout Place) -> Void) throws {
      for pointer in try walk.pointers(in: commit) {
        let oid: ObjectID?
        if let known = pointers[pointer.blob] {
          oid = known
        } else {
          oid = Self.oid(of: pointer, in: git)
          pointers[pointer.blob] = .some(oid)
        }
        guard let oid, oids.contains(oid) else { continue }
        let path = String(pointer.path.description.dropLast(Pointer.suffix.count))
        var list = places[oid] ?? []
        let index: Int
        if let known = list.firstIndex(where: { $0.path == path }) {
          index = known
        } else {
          index = list.count
          list.append(Place(path: path))
        }
        note(&list[index])
        places[oid] = list
      }
    }
    var starts: [GitObjectID] = []
    for reference in try git.references() {
      guard let commit = reference.commit else { continue }
      starts.append(commit)
      let name = Self.short(reference.name)
      try visit(commit) { if !$0.references.contains(name) { $0.references.append(name) } }
    }
    for worktree in try git.worktrees() {
      guard let commit = worktree.head.commit else { continue }
      starts.append(commit)
      try visit(commit) { if !$0.references.contains("HEAD") { $0.references.append("HEAD") } }
    }
    try git.forEachCommit(from: starts) { commit in
      try visit(commit) { $0.commits.append(commit.shortHex) }
    }
  }

  private static func oid(of pointer: GitPointer, in git: GitRepository) -> ObjectID? {
    guard pointer.size <= UInt64(Pointer.maximumByteCount),
      let bytes = try? git.readBlob(pointer.blob, limit: Pointer.maximumByteCount)
    else { return nil }
    return (try? Pointer(parsing: bytes.span, named: ""))?.oid
  }

  private static func short(_ name: String) -> String {
    for prefix in ["refs/heads/", "refs/tags/", "refs/remotes/", "refs/"] where name.hasPrefix(prefix) {
      return String(name.dropFirst(prefix.count))
    }
    return name
  }
}
