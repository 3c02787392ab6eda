/// The name of a model in the registry: letters, digits, `-`, `_` and `/`, with a letter or digit at both ends; before a colon
/// it may have the directory of a project in a monorepo.
///
/// The grammar is that of GTO 1.10, whose tags these are. In a tag a `=` stands for the colon, which git forbids there.
public struct ModelName: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Such as `churn` or `services/risk:churn`.
  public let text: String

  /// The most bytes of a name: a tag with it still fits a file name.
  public static let maximumByteCount = 150

  /// - Returns: `nil` if `text` is no name.
  public init?(_ text: String) {
    guard text.utf8.count <= Self.maximumByteCount else { return nil }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard let name = parts.last, parts.count <= 2, Self.isWord(name) else { return nil }
    if parts.count == 2 {
      guard !parts[0].isEmpty, parts[0].utf8.allSatisfy({ Self.isLetterOrDigit($0) || "-_./".utf8.contains($0) }) else { return nil }
    }
    // What git takes for no reference.
    let components = text.split(separator: "/", omittingEmptySubsequences: false)
    guard components.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".lock") }), !text.contains("..") else {
      return nil
    }
    self.text = text
  }

  /// Reads the name as it stands in a tag.
  init?(inTag text: some StringProtocol) {
    self.init(String(text).replacing("=", with: ":"))
  }

  /// The name as it stands in a tag.
  public var inTag: String { text.replacing(":", with: "=") }

  public var description: String { text }

  public static func < (left: Self, right: Self) -> Bool { left.text < right.text }

  /// Whether `text` is a name without a directory, which is what an alias is too.
  static func isWord(_ text: some StringProtocol) -> Bool {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, let last = bytes.last else { return false }
    return isLetterOrDigit(first) && isLetterOrDigit(last)
      && bytes.allSatisfy { isLetterOrDigit($0) || "-_/".utf8.contains($0) }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: false
    }
  }
}

extension String {
  /// Returns the text with every `old` character replaced.
  fileprivate func replacing(_ old: Character, with new: Character) -> String { String(map { $0 == old ? new : $0 }) }
}
