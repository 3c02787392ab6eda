import DVFile
import DVObject

extension Span<UInt8> {
  /// Whether this is `.git` in any case, which is never part of a dataset.
  var isGitDirectory: Bool {
    count == 4 && self[0] == UInt8(ascii: ".") && self[1] | 0x20 == UInt8(ascii: "g")
      && self[2] | 0x20 == UInt8(ascii: "i") && self[3] | 0x20 == UInt8(ascii: "t")
  }

  /// Whether this is the name of a temporary file of dv.
  var isTemporary: Bool { count >= 8 && starts(with: ".dv-") && ends(with: ".tmp") }

  /// Whether this is the name of a pointer.
  var isPointerName: Bool { count > 3 && ends(with: ".dv") }

  private func starts(with text: StaticString) -> Bool { matches(text, at: 0) }

  private func ends(with text: StaticString) -> Bool { matches(text, at: count - text.utf8CodeUnitCount) }

  private func matches(_ text: StaticString, at start: Int) -> Bool {
    guard start >= 0, start + text.utf8CodeUnitCount <= count else { return false }
    return text.withUTF8Buffer { wanted in
      for index in 0..<wanted.count where unsafe self[start + index] != wanted[index] { return false }
      return true
    }
  }

  /// Returns a negative number if these bytes come before `other`'s, 0 if they are the same, else a positive one.
  func order(to other: Span<UInt8>) -> Int {
    let shared = Swift.min(count, other.count)
    for index in 0..<shared where self[index] != other[index] {
      return Int(self[index]) - Int(other[index])
    }
    return count - other.count
  }
}

extension [UInt8] {
  /// Appends the bytes of a span.
  mutating func append(span: Span<UInt8>) {
    unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}
