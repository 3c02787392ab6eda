/// Where something lies in a tree: names joined by `/`, as raw bytes, relative to some root. Empty means the root itself.
///
/// Names need not be valid UTF-8, so a path is bytes; ``description`` makes it fit for messages.
public struct TreePath: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The bytes, without a slash at either end.
  public let bytes: [UInt8]

  /// The root.
  public static let root = TreePath()

  private init() { bytes = [] }

  init(unchecked bytes: [UInt8]) { self.bytes = bytes }

  /// Reads a relative path, dropping empty and `.` parts.
  ///
  /// - Returns: `nil` if the path is absolute, holds a zero byte or goes up with `..`.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.first != .slash, !bytes.contains(0) else { return nil }
    let names = bytes.split(separator: .slash).filter { Array($0) != [UInt8(ascii: ".")] }
    let up = [UInt8](repeating: UInt8(ascii: "."), count: 2)
    guard !names.contains(where: { Array($0) == up }) else { return nil }
    self.bytes = Array(names.joined(separator: [.slash]))
  }

  /// Reads a relative path; see ``init(_:)-(Collection)``.
  public init?(_ text: String) { self.init(Array(text.utf8)) }

  /// Whether this is the root itself.
  public var isRoot: Bool { bytes.isEmpty }

  /// The names from the root downwards.
  public var names: [[UInt8]] { bytes.split(separator: .slash).map(Array.init) }

  /// The last name; empty for the root.
  public var lastName: [UInt8] { Array(bytes[(lastSlash.map { $0 + 1 } ?? 0)...]) }

  /// The path without its last name; the root's is the root.
  public var parent: TreePath { TreePath(unchecked: Array(bytes[..<(lastSlash ?? 0)])) }

  /// Returns the path of `name` below this one.
  public func appending(_ name: some Collection<UInt8>) -> TreePath {
    var joined: [UInt8] = []
    joined.reserveCapacity(bytes.count + 1 + name.count)
    joined += bytes
    if !bytes.isEmpty && !name.isEmpty { joined.append(.slash) }
    joined += name
    return TreePath(unchecked: joined)
  }

  /// Returns the path of `other` below this one.
  public func appending(_ other: TreePath) -> TreePath { appending(other.bytes) }

  /// Returns this path relative to `directory`, or `nil` if it does not lie there. A path lies in itself.
  public func relative(to directory: TreePath) -> TreePath? {
    if directory.isRoot { return self }
    guard bytes.starts(with: directory.bytes) else { return nil }
    if bytes.count == directory.bytes.count { return .root }
    guard bytes[directory.bytes.count] == .slash else { return nil }
    return TreePath(unchecked: Array(bytes[(directory.bytes.count + 1)...]))
  }

  private var lastSlash: Int? { bytes.lastIndex(of: .slash) }

  /// Orders as the tree does: name by name.
  public static func < (left: TreePath, right: TreePath) -> Bool { precedes(left.bytes.span, right.bytes.span) }

  /// Whether one path comes before another, both as bytes.
  static func precedes(_ first: Span<UInt8>, _ second: Span<UInt8>) -> Bool {
    for index in 0..<min(first.count, second.count) where first[index] != second[index] {
      // A slash ends a name, and a name that ends is less than one that goes on.
      if first[index] == .slash { return true }
      if second[index] == .slash { return false }
      return first[index] < second[index]
    }
    return first.count < second.count
  }

  /// The path for messages: bytes that are not printable UTF-8 are escaped as in C.
  public var description: String {
    if bytes.isEmpty { return "." }
    if bytes.allSatisfy({ (0x20..<0x7f).contains($0) }) { return String(decoding: bytes, as: UTF8.self) }
    var text = ""
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
        let digits = String(scalar.value, radix: 8)
        text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
