import DVFile
import DVGit
import DVObject
import DVStore
import DVWorkspace
import SystemPackage

/// Which store is checked or repaired.
public enum VerifiedPlace: Hashable, Sendable {
  case local
  /// A remote by name; the default one without.
  case remote(String?)
}

/// A store that is checked, and what is known of it.
struct VerifiedStore {
  let store: ObjectStore
  let remote: Remote?
  /// Held as long as the store is used.
  let local: LocalStore?

  /// Opens a store, damaged or not.
  ///
  /// - Parameter access: `write` for a repair.
  /// - Throws: ``RepositoryError`` if a remote cannot be reached or nothing was pushed to it.
  static func open(
    _ place: VerifiedPlace, for access: Repository.StoreAccess, in repository: Repository
  ) async throws -> VerifiedStore {
    switch place {
    case .local:
      let local = try await repository.storePlace().open(for: access, purpose: .verification)
      local.store.regardAsErased(try repository.erasures().oids)
      return VerifiedStore(store: local.store, remote: nil, local: local)
    case .remote(let name):
      let remote = try repository.remote(name)
      let store = try await repository.opening(of: remote).open(create: false, asksAgain: true, purpose: .verification)
      store.regardAsErased(try repository.erasures().oids)
      return VerifiedStore(store: store, remote: remote, local: nil)
    }
  }

  /// What the file of times is called, and where the store is.
  func timesFile(in repository: Repository) throws -> (name: String, place: String) {
    if let remote { return ("remote-\(remote.name)", remote.text) }
    return ("local", try repository.storeDirectory().string)
  }

  /// Opens every other store that could have copies.
  ///
  /// - Returns: those that could be opened, and the names of the remotes that could not.
  func others(in repository: Repository) async throws -> (stores: [ObjectStore], unreachable: [String]) {
    var stores: [ObjectStore] = []
    var unreachable: [String] = []
    if remote != nil { stores.append(try await repository.storePlace().open(for: .read, purpose: .verification).store) }
    for other in try repository.remotes() where other.name != remote?.name {
      do { stores.append(try await repository.opening(of: other).open(create: false, asksAgain: true, purpose: .verification)) } catch {
        unreachable.append(other.name)
      }
    }
    return (stores, unreachable)
  }
}

/// The contents that the pointers of a clone name: of all references, the index, stashes, worktrees, and on disk.
struct VerifiedContents {
  private(set) var roots: [TransferRoot] = []

  /// - Parameter paths: only what lies at, below or above these.
  init(of repository: Repository, at paths: [TreePath]) throws {
    var kept = KeptData()
    try kept.add(clone: repository.git.commonDirectory.lexicallyNormalized())
    var met: Set<TransferRoot> = []
    for root in kept.all {
      let plain = TransferRoot(kind: root.kind, oid: root.oid, size: root.size, label: "")
      guard !paths.isEmpty else {
        if met.insert(plain).inserted { roots.append(root) }
        continue
      }
      for label in kept.labels[plain] ?? [root.label] {
        for part in try Self.parts(of: label, root, paths) {
          let unnamed = TransferRoot(kind: part.kind, oid: part.oid, size: part.size, label: "", inside: part.inside)
          if met.insert(unnamed).inserted { roots.append(part) }
        }
      }
    }
    guard roots.isEmpty, !paths.isEmpty else { return }
    throw RepositoryError(
      .usage, "No pointer anywhere in history tracks \(paths.map { "'\($0)'" }.joined(separator: ", ")).",
      remedy: "'dv status' lists what is tracked now.")
  }

  /// Returns what paths select of a content.
  private static func parts(of label: String, _ root: TransferRoot, _ paths: [TreePath]) throws -> [TransferRoot] {
    guard let target = TreePath(Array(label.utf8)) else { return [] }
    if paths.contains(where: { $0 == PointerFile.path(for: target) || target.relative(to: $0) != nil }) {
      return [TransferRoot(kind: root.kind, oid: root.oid, size: root.size, label: label)]
    }
    guard root.kind == .tree else { return [] }
    return try paths.compactMap { $0.relative(to: target) }.map { inside in
      TransferRoot(
        kind: root.kind, oid: root.oid, size: root.size, label: label, inside: try inside.names.map { try TreeName($0) })
    }
  }
}
