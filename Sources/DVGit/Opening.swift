import CGit2
import Synchronization
import SystemPackage

/// One attempt to open a repository, with git's rules on whose repositories are trusted.
struct Opening {
  let place: FilePath
  let flags: UInt32
  let ceilings: [FilePath]

  /// Held while a repository is opened, because whether owners are checked is one setting of the whole process.
  private static let lock = Mutex(())

  /// Returns libgit2's repository. The caller frees it.
  func open() throws(GitError) -> OpaquePointer {
    let address = Self.lock.withLock { _ in Result { () throws(GitError) in unsafe try UInt(bitPattern: openLocked()) }
    }
    // An address went in, as a lock lets no pointer out; so one comes out.
    return unsafe OpaquePointer(bitPattern: try address.get())!
  }

  private func openLocked() throws(GitError) -> OpaquePointer {
    do throws(GitError) {
      return unsafe try attempt()
    } catch {
      // libgit2 1.5 does not know the `*` of safe.directory, with which containers are commonly set up.
      guard error.code == .unowned, try Self.trustsAllOwners() else { throw error }
    }
    dv_git_set_owner_validation(0)
    defer { dv_git_set_owner_validation(1) }
    return unsafe try attempt()
  }

  private func attempt() throws(GitError) -> OpaquePointer {
    Libgit2.start()
    let limits = ceilings.map(\.string).joined(separator: ":")
    var opened: OpaquePointer?
    let status = unsafe place.withPlatformString { path in
      unsafe git_repository_open_ext(&opened, path, flags, limits.isEmpty ? nil : limits)
    }
    guard status >= 0, let opened = unsafe opened else { throw refusal(status) }
    return unsafe opened
  }

  /// Whether the user's or the machine's configuration trusts everyone: `*`, unless an empty value after it takes that back.
  private static func trustsAllOwners() throws(GitError) -> Bool {
    let values = try GitConfig.outsideRepositories().entries("safe.directory").map { $0.value ?? "" }
    return values.lastIndex(of: "*").map { !values[$0...].contains("") } ?? false
  }

  private func refusal(_ status: CInt) -> GitError {
    let error = GitError(status: status, operation: "open the git repository at '\(place)'")
    switch error.code {
    // Where safe.directory is set nowhere, libgit2 1.5 says that instead of what follows from it.
    case .unowned,
      .notFound where error.message.contains("'safe.directory'"):
      return GitError(
        .unowned,
        "The git repository at '\(place)' belongs to another user. If you trust it, run "
          + "'git config --global --add safe.directory DIRECTORY' with its top directory.")
    case .notFound:
      return GitError(
        .notRepository, "'\(place)' is not in a git repository. Run 'git init' first, or go to one with -C DIR.")
    case .unsupported:
      return GitError(.unsupported, error.message + " dv cannot read repositories with this extension of git.")
    default:
      return error
    }
  }
}
