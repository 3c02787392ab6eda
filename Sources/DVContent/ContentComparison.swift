import DVObject

/// Compares two contents by what they mean.
///
///     .json                     values, whatever the order of keys, spaces and the form of numbers
///     .safetensors              tensors by name; metadata does not count
///     .npy                      type, shape and elements
///     zip: .npz .pt .pth .keras entries by name and content, whatever their order, time and compression; what is inside by its kind
///     .gz                       what is inside
///     pickle                    objects as far as they can be told apart without making them, see ``PickleTokens``
///
/// The kind is told by the first bytes and by the name. What is none of these, or cannot be read as what it seems to be, is
/// equal only bit for bit. Nothing is executed; memory is bounded by the limits below, whatever the contents say.
public struct ContentComparison {
  /// Texts, pickles and headers up to this size are read whole; in bytes.
  static let wholeLimit = 64 << 20

  private let tolerances: Tolerances
  /// Of the output, as rules may name it.
  private let path: String

  public init(of path: String, _ tolerances: Tolerances = Tolerances()) {
    self.path = path
    self.tolerances = tolerances
  }

  /// Compares what was recorded with what was made now.
  ///
  /// - Throws: ``ContentError/Code/unreadable`` if bytes cannot be had. A content that is not what it seems to be is no error.
  public func compare(_ old: ContentSource, _ new: ContentSource) throws(ContentError) -> ContentDifference {
    if old.size == new.size, try ContentStream.areEqual(old.stream(), new.stream()) { return ContentDifference(.identical) }
    do throws(ContentError) {
      if let found = try byKind(old, new) { return found }
    } catch {
      if error.code == .unreadable { throw error }
      return ContentDifference(.different, "\(try firstByte(old, new)); it could not be compared further: \(error)")
    }
    return ContentDifference(.different, try firstByte(old, new))
  }

  private func byKind(_ old: ContentSource, _ new: ContentSource) throws(ContentError) -> ContentDifference? {
    let (before, after) = (try start(of: old), try start(of: new))
    let (first, second) = (ContentKind(before, named: path), ContentKind(after, named: path))
    guard first == second else { return nil }
    switch first {
    case .zip: return try ZipComparison(tolerances: tolerances, path: path).compare(old, new)
    case .gzip:
      let isSame = try ContentStream.areEqual(GzipStream.stream(old), GzipStream.stream(new))
      return isSame ? ContentDifference(.equivalent, "what is inside is the same") : nil
    case .safetensors: return try SafetensorsComparison(tolerances: tolerances, path: path).compare(old, new)
    case .numpy: return try ArrayComparison(tolerances: tolerances, path: path).compare(old.stream(), new.stream(), named: "")
    case .json, .pickle:
      return try Self.compareWhole(
        first, try old.all(limit: Self.wholeLimit), try new.all(limit: Self.wholeLimit), tolerances, path)
    case .other: return nil
    }
  }

  /// Compares texts or pickles that are in memory; `nil` if nothing better than bytes can be said.
  static func compareWhole(
    _ kind: ContentKind, _ old: [UInt8], _ new: [UInt8], _ tolerances: Tolerances, _ path: String
  ) throws(ContentError) -> ContentDifference? {
    switch kind {
    case .json:
      return ValueComparison(tolerances, in: path).compare(try JSONText.value(old), try JSONText.value(new))
    case .pickle:
      return try PickleComparison().compare(old, new)
    default: return nil
    }
  }

  private func start(of source: ContentSource) throws(ContentError) -> [UInt8] {
    try source.read(0, Int(min(source.size, 16)))
  }

  /// Says where two contents part.
  private func firstByte(_ old: ContentSource, _ new: ContentSource) throws(ContentError) -> String {
    if old.size != new.size { return "\(new.size) bytes, was \(old.size)" }
    let (one, other) = (old.stream(), new.stream())
    var position = 0
    while true {
      let (left, right) = (try one.next(), try other.next())
      if left.isEmpty { return "other bytes" }
      for (index, pair) in zip(left, right).enumerated() where pair.0 != pair.1 { return "other bytes from byte \(position + index) on" }
      position += left.count
    }
  }
}

/// What a content is, by its first bytes and its name.
enum ContentKind: Hashable {
  case zip, gzip, safetensors, numpy, json, pickle, other

  init(_ start: [UInt8], named name: String) {
    let suffix = name.split(separator: "/").last?.split(separator: ".").dropFirst().last.map { $0.lowercased() } ?? ""
    if start.starts(with: [0x50, 0x4b, 0x03, 0x04]) || start.starts(with: [0x50, 0x4b, 0x05, 0x06]) {
      self = .zip
    } else if start.starts(with: [0x1f, 0x8b]) {
      self = .gzip
    } else if start.starts(with: [0x93] + "NUMPY".utf8) {
      self = .numpy
    } else if suffix == "safetensors" {
      self = .safetensors
    } else if suffix == "json" || suffix == "ipynb" {
      self = .json
    } else if start.count > 2, start[0] == 0x80, (2...5).contains(start[1]) {
      self = .pickle
    } else {
      self = .other
    }
  }
}

/// JSON as Python writes it too, with bare `NaN` and `Infinity`.
enum JSONText {
  static func value(_ bytes: [UInt8]) throws(ContentError) -> JSONValue {
    do throws(ObjectFormatError) {
      return try JSONValue(parsing: quotingBareNumbers(bytes), named: "it")
    } catch {
      throw ContentError(.malformed, error.message)
    }
  }

  private static func quotingBareNumbers(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.contains(UInt8(ascii: "N")) || bytes.contains(UInt8(ascii: "I")) else { return bytes }
    let words = ["NaN", "-Infinity", "Infinity"].map { Array($0.utf8) }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var (position, isInText) = (0, false)
    while position < bytes.count {
      let byte = bytes[position]
      if isInText {
        result.append(byte)
        if byte == UInt8(ascii: "\\"), position + 1 < bytes.count {
          result.append(bytes[position + 1])
          position += 1
        } else if byte == UInt8(ascii: "\"") {
          isInText = false
        }
      } else if let word = words.first(where: { bytes[position...].starts(with: $0) }) {
        result += [UInt8(ascii: "\"")] + word + [UInt8(ascii: "\"")]
        position += word.count - 1
      } else {
        isInText = byte == UInt8(ascii: "\"")
        result.append(byte)
      }
      position += 1
    }
    return result
  }
}
