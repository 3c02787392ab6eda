import DVGit
import DVObject

/// One node of the graph by what names it.
enum LineageKey: Hashable {
  case data(path: String, oid: ObjectID)
  /// A record, of whatever kind.
  case record(ObjectID)
  case commit(GitObjectID)
  /// A tag of the registry, or of an attestation about a version.
  case tag(String)
  /// Parameters of runs, by the digest of them.
  case parameters(ObjectID, run: ObjectID)

  static func == (left: Self, right: Self) -> Bool {
    switch (left, right) {
    case (.data(let path, let oid), .data(let path2, let oid2)): path == path2 && oid == oid2
    case (.record(let id), .record(let id2)): id == id2
    case (.commit(let id), .commit(let id2)): id == id2
    case (.tag(let name), .tag(let name2)): name == name2
    // Runs with the same parameters share them.
    case (.parameters(let id, _), .parameters(let id2, _)): id == id2
    default: false
    }
  }

  func hash(into hasher: inout Hasher) {
    switch self {
    case .data(let path, let oid):
      hasher.combine(path)
      hasher.combine(oid)
    case .record(let id), .parameters(let id, _): hasher.combine(id)
    case .commit(let id): hasher.combine(id)
    case .tag(let name): hasher.combine(name)
    }
  }
}
