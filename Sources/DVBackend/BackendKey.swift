/// The name under which a backend keeps bytes, such as `packs/3f/3fa9…`.
///
/// Parts of `a`-`z`, `0`-`9`, `.`, `_` and `-`, with `/` between them, at most 512 bytes. No part is empty or begins with a
/// dot, and the first is not `tmp`: a directory keeps there what is not complete yet.
public struct BackendKey: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let text: String

  public static let maximumLength = 512

  /// - Throws: ``BackendError`` with code `invalid` unless `text` is as described above.
  public init(_ text: String) throws(BackendError) {
    guard Self.isValid(text.utf8) else { throw .invalidKey(text) }
    self.text = text
  }

  /// Joins parts that are known to be valid.
  init(unchecked text: String) { self.text = text }

  public var description: String { text }

  public static func < (left: BackendKey, right: BackendKey) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }

  /// Whether other bytes may be stored under this key later. These keys are caches that any reader can do without; all
  /// others keep what they were given until they are deleted.
  public var isReplaceable: Bool {
    text.hasPrefix("files/") || text.hasPrefix("trees/") || text.hasPrefix("listing/")
  }

  /// The parts between the slashes.
  var parts: [String] { text.split(separator: "/").map(String.init) }

  /// Returns whether `name` may be one part of a key.
  static func isValidPart(_ name: some Collection<UInt8>) -> Bool {
    guard let first = name.first, first != UInt8(ascii: ".") else { return false }
    return name.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
      default: false
      }
    }
  }

  private static func isValid(_ bytes: String.UTF8View) -> Bool {
    guard bytes.count <= maximumLength else { return false }
    let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return parts.allSatisfy { $0.count <= 255 && isValidPart($0) } && !parts[0].elementsEqual("tmp".utf8)
  }
}

/// What a listing says of one key.
public struct BackendEntry: Hashable, Sendable {
  public let key: BackendKey
  /// Bytes.
  public let size: UInt64
  /// When it was stored, in nanoseconds since 1970 by the backend's clock; `nil` where the backend does not tell.
  public let modified: Int64?

  public init(key: BackendKey, size: UInt64, modified: Int64?) {
    self.key = key
    self.size = size
    self.modified = modified
  }
}
