/// The name of an entry in a tree: 1 to 255 bytes that can name a file in a directory.
///
/// Names are bytes, never Unicode-normalised, and order as their bytes do, a shorter name before one it begins. Not allowed
/// are the zero byte, `/`, `.`, `..` and `.git` in any case, with which a tree could write outside its place or into a git
/// directory.
public struct TreeName: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The most bytes of a name, as on common file systems.
  public static let maximumByteCount = 255

  public let bytes: [UInt8]

  /// Takes `bytes` as a name.
  ///
  /// - Throws: ``ObjectFormatError`` with code `.name` if no tree may hold that name.
  public init(_ bytes: [UInt8]) throws(ObjectFormatError) {
    try Self.check(bytes.span)
    self.bytes = bytes
  }

  /// Takes bytes that were checked before.
  init(checked bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
  }

  /// The name for messages: bytes that are not UTF-8 are replaced.
  public var description: String { String(decoding: bytes, as: UTF8.self) }

  public static func < (left: Self, right: Self) -> Bool {
    left.bytes.span.precedes(right.bytes.span)
  }

  /// Throws unless `bytes` may name an entry.
  static func check(_ bytes: Span<UInt8>) throws(ObjectFormatError) {
    guard bytes.count > 0 else { throw ObjectFormatError(.name, "A name in a tree is empty.") }
    guard bytes.count <= maximumByteCount else {
      throw ObjectFormatError(.name, "A name in a tree has \(bytes.count) bytes: at most \(maximumByteCount) are allowed.")
    }
    for index in bytes.indices where bytes[index] == 0 || bytes[index] == UInt8(ascii: "/") {
      throw ObjectFormatError(.name, "The name '\(bytes.text)' has a zero byte or a '/', which no name in a tree may have.")
    }
    guard bytes[0] == UInt8(ascii: "."), bytes.count <= 4 else { return }
    // The bit that tells capitals apart is set, so that `.GIT` is seen too.
    let isGit =
      bytes.count == 4 && bytes[1] | 0x20 == UInt8(ascii: "g") && bytes[2] | 0x20 == UInt8(ascii: "i")
      && bytes[3] | 0x20 == UInt8(ascii: "t")
    let isDots = bytes.count == 1 || (bytes.count == 2 && bytes[1] == UInt8(ascii: "."))
    guard !isGit, !isDots else {
      throw ObjectFormatError(.name, "The name '\(bytes.text)' is not allowed in a tree: rename or ignore it.")
    }
  }
}

extension Span where Element == UInt8 {
  /// Whether these bytes come before `other` in the order of names: by byte, a shorter one before one it begins.
  func precedes(_ other: Span<UInt8>) -> Bool {
    let common = Swift.min(count, other.count)
    for index in 0..<common where self[index] != other[index] {
      return self[index] < other[index]
    }
    return count < other.count
  }

  /// The bytes as text for a message: what is not UTF-8 is replaced.
  var text: String {
    unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }
}
