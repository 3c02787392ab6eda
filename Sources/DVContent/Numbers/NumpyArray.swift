/// The header of an array in numpy's format.
///
///     offset  size  meaning
///          0     6  93 "NUMPY"
///          6     2  version: 1, 2 or 3, and 0
///          8  2, 4  length of the rest of the header, little-endian; 2 bytes in version 1
///                   a dictionary as Python writes it, with `descr`, `fortran_order` and `shape`, and spaces
///                   the elements
///
/// Format: numpy's `numpy.lib.format`.
struct NumpyHeader: Equatable {
  /// What `descr` is: text such as `<f4`, or a list for records, as it is written.
  let descr: String
  let isFortranOrder: Bool
  let shape: String

  static let maximumByteCount = 1 << 20

  /// Reads it, and leaves the stream where the elements begin.
  init(_ stream: ContentStream) throws(ContentError) {
    let start = Array(try stream.next(8))
    guard start.count == 8, start.starts(with: [0x93] + "NUMPY".utf8), (1...3).contains(start[6]) else {
      throw ContentError(.malformed, "it is no array of numpy")
    }
    let lengthCount = start[6] == 1 ? 2 : 4
    let length = try stream.next(lengthCount).littleEndian
    guard length <= UInt64(Self.maximumByteCount) else { throw ContentError(.malformed, "its header would have \(length) bytes") }
    let header = try stream.next(Int(length))
    guard header.count == Int(length) else { throw ContentError(.malformed, "its header is cut short") }
    let text = String(decoding: header, as: UTF8.self)
    guard let descr = Self.value("descr", in: text), let order = Self.value("fortran_order", in: text),
      let shape = Self.value("shape", in: text)
    else { throw ContentError(.malformed, "its header lacks a member") }
    self.descr = descr.first == "'" ? String(descr.dropFirst().dropLast()) : descr
    isFortranOrder = order == "True"
    self.shape = shape
  }

  /// The text of a member's value, without spaces: up to the comma or brace outside of brackets and quotes.
  private static func value(_ key: String, in text: String) -> String? {
    guard let found = text.firstRange(of: "'\(key)':") else { return nil }
    var value = ""
    var depth = 0
    var quote: Character?
    for character in text[found.upperBound...] {
      if let open = quote {
        if character == open { quote = nil }
      } else if character == "'" || character == "\"" {
        quote = character
      } else if "([{".contains(character) {
        depth += 1
      } else if ")]}".contains(character) {
        if depth == 0 { return value }
        depth -= 1
      } else if character == ",", depth == 0 {
        return value
      }
      if quote != nil || !character.isWhitespace { value.append(character) }
      if value.utf8.count > maximumByteCount { return nil }
    }
    return nil
  }
}

/// Compares two arrays of numpy.
struct ArrayComparison {
  let tolerances: Tolerances
  let path: String

  /// - Parameter name: of the array in an archive; empty for a file of its own.
  func compare(_ old: ContentStream, _ new: ContentStream, named name: String) throws(ContentError) -> ContentDifference {
    let title = name.isEmpty ? "the array" : "array '\(name)'"
    let (before, after) = (try NumpyHeader(old), try NumpyHeader(new))
    guard before == after else {
      return ContentDifference(
        .different, "\(title) is \(after.descr) \(after.shape), was \(before.descr) \(before.shape)")
    }
    guard !before.descr.contains("O") else {
      // Objects of Python, pickled.
      let (one, other) = (try old.rest(limit: ContentComparison.wholeLimit), try new.rest(limit: ContentComparison.wholeLimit))
      return one == other
        ? ContentDifference(.equivalent, "the same objects") : try PickleComparison(title: title).compare(one, other)
    }
    return try ElementComparison(
      type: ElementType(numpy: before.descr), allowed: tolerances.allowed(name, in: path), title: title
    ).compare(old, new)
  }
}
