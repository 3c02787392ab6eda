/// A path inside a repository: bytes relative to its top, `/` between names, in no particular encoding.
public struct GitPath: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let bytes: [UInt8]

  /// The top of the repository.
  public static let root = GitPath(unchecked: [])

  /// Makes a path from its bytes; no bytes are the top.
  ///
  /// - Throws: ``GitError/Code/invalid`` for a NUL byte, an empty name (so no `/` at either end), `.` or `..`.
  public init(_ bytes: [UInt8]) throws(GitError) {
    self.init(unchecked: bytes)
    guard !bytes.isEmpty else { return }
    guard !bytes.contains(0) else {
      throw GitError(.invalid, "'\(self)' is no path in a repository: it has a NUL byte.")
    }
    for name in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      guard !name.isEmpty, !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8) else {
        throw GitError(.invalid, "'\(self)' is no path in a repository: expected names with one '/' between them.")
      }
    }
  }

  /// Makes a path from text.
  ///
  /// - Throws: as ``init(_:)-(_)``.
  public init(_ text: String) throws(GitError) {
    try self.init(Array(text.utf8))
  }

  /// Takes over a path that git itself keeps.
  init(unchecked bytes: [UInt8]) { self.bytes = bytes }

  /// Returns this path with one more name.
  func appending(_ name: [UInt8]) -> GitPath {
    GitPath(unchecked: bytes.isEmpty ? name : bytes + [UInt8(ascii: "/")] + name)
  }

  public var isRoot: Bool { bytes.isEmpty }

  /// Returns whether this is `other` or lies below it.
  public func isInside(_ other: GitPath) -> Bool {
    other.isRoot
      || (bytes.starts(with: other.bytes)
        && (bytes.count == other.bytes.count || bytes[other.bytes.count] == UInt8(ascii: "/")))
  }

  /// Whether this is named like a pointer: something, then `.dv`.
  public var isPointerName: Bool { Self.isPointerName(bytes.split(separator: UInt8(ascii: "/")).last ?? []) }

  static func isPointerName(_ name: some Collection<UInt8>) -> Bool {
    name.count > 3 && name.suffix(3).elementsEqual(".dv".utf8)
  }

  /// The path for people; bytes that are no UTF-8 are replaced.
  public var description: String { String(decoding: bytes, as: UTF8.self) }

  public static func < (left: Self, right: Self) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }

  /// Calls `body` with the path as C has it.
  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    let characters = bytes.map { CChar(bitPattern: $0) } + [0]
    return unsafe characters.withUnsafeBufferPointer { buffer in
      // The buffer holds the final 0 at least, so it has an address.
      unsafe body(buffer.baseAddress!)
    }
  }
}

/// Returns the bytes of a C string.
func bytes(of string: UnsafePointer<CChar>) -> [UInt8] {
  var bytes: [UInt8] = []
  var next = unsafe string
  while unsafe next.pointee != 0 {
    unsafe bytes.append(UInt8(bitPattern: next.pointee))
    unsafe next += 1
  }
  return bytes
}
