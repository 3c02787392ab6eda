import CGit2

/// Why git could not be read or written.
public struct GitError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure this is, for code to decide on.
  public enum Code: Sendable {
    /// There is no git repository here.
    case notRepository
    /// The name, path or object is not in the repository.
    case notFound
    /// The name fits several objects.
    case ambiguous
    /// Another process holds the lock of what is to be written.
    case busy
    /// The repository uses a feature of git that dv cannot read.
    case unsupported
    /// An object, a reference or the index is damaged.
    case corrupt
    /// What was asked for, or a configuration file, is not well formed.
    case invalid
    /// The repository belongs to another user, and git was not told that this is fine.
    case unowned
    /// Anything else, such as a failed system call.
    case other
  }

  public let code: Code
  /// What was being done with which path or name, why it failed, and what the person can do about it.
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}

extension GitError.Code {
  /// Derives the code from what a libgit2 call returned and from the reason it left behind.
  init(status: CInt, category: git_error_t, reason: String) {
    switch git_error_code(status) {
    case GIT_ENOTFOUND: self = .notFound
    case GIT_EAMBIGUOUS: self = .ambiguous
    case GIT_ELOCKED: self = .busy
    case GIT_EMISMATCH: self = .corrupt
    case GIT_EOWNER: self = .unowned
    case GIT_EINVALIDSPEC, GIT_EINVALID, GIT_EPEEL, GIT_EDIRECTORY, GIT_EEXISTS: self = .invalid
    default:
      // libgit2 has one code for the rest: what failed is told by the part of it that did.
      switch category {
      case _ where reason.hasPrefix("unsupported"): self = .unsupported
      case GIT_ERROR_ZLIB, GIT_ERROR_INDEX, GIT_ERROR_OBJECT, GIT_ERROR_TREE, GIT_ERROR_ODB, GIT_ERROR_REFERENCE:
        self = .corrupt
      case GIT_ERROR_CONFIG, GIT_ERROR_INVALID: self = .invalid
      default: self = .other
      }
    }
  }
}
