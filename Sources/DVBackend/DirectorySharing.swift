import DVFile

/// Who besides its owner may use a directory backend, as git's `core.sharedRepository`.
public enum DirectorySharing: Hashable, Sendable {
  /// Whom the umask allows.
  case none
  /// All of the group may read and write.
  case group
  /// All of the group may write, everybody may read and write.
  case all

  /// The permission bits of a directory. The set-group-ID bit gives what is made below the same group.
  var directoryMode: UInt32 {
    switch self {
    case .none: 0o777 & ~Machine.umask
    case .group: 0o2775
    case .all: 0o2777
    }
  }

  /// The permission bits of a file; without any for writing where its bytes never change.
  func fileMode(replaceable: Bool) -> UInt32 {
    let all: UInt32 = replaceable ? 0o666 : 0o444
    return switch self {
    case .none: all & ~Machine.umask & 0o755 | 0o400
    case .group: all & 0o664
    case .all: all
    }
  }
}
