import DVBackend

/// What a store needs of the program that uses it, kept under `format/<n>`; the highest *n* counts.
///
///     dv-format 1
///     read packs-1 index-1
///     write packs-1 index-1
///     gc packs-1 index-1
///
/// Each line after the first names the features one must know to read, to write (also needs those to read) and to
/// collect garbage. A program that lacks one refuses that, and only that.
struct StoreFormat: Hashable, Sendable {
  var read: [String]
  var write: [String]
  var gc: [String]

  /// The features of this version of dv.
  static let known: Set<String> = ["packs-1", "index-1", "roots-1"]
  static let current = StoreFormat(
    read: ["packs-1", "index-1"], write: ["packs-1", "index-1", "roots-1"], gc: ["packs-1", "index-1", "roots-1"])

  func encoded() -> [UInt8] {
    let lines = [["dv-format", "1"], ["read"] + read, ["write"] + write, ["gc"] + gc]
    return Array(lines.map { $0.joined(separator: " ") + "\n" }.joined().utf8)
  }

  /// Reads a format, or returns `nil` if the bytes are something else.
  init?(decoding bytes: [UInt8]) {
    guard bytes.count <= 4096 else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count == 5, lines[0] == "dv-format 1", lines[4].isEmpty else { return nil }
    var features: [[String]] = []
    for (line, word) in zip(lines[1...3], ["read", "write", "gc"]) {
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      guard words.first == word[...], !words.contains("") else { return nil }
      features.append(words.dropFirst().map(String.init))
    }
    self.init(read: features[0], write: features[1], gc: features[2])
    // Bytes that are not UTF-8 were repaired.
    guard encoded() == bytes else { return nil }
  }

  /// Whether bytes that are no format of version 1 say that they are one of another version.
  static func isOfAnotherVersion(_ bytes: [UInt8]) -> Bool {
    guard let first = bytes.prefix(64).split(separator: UInt8(ascii: "\n")).first, first.count > 10,
      first.starts(with: "dv-format ".utf8)
    else { return false }
    return !first.elementsEqual("dv-format 1".utf8)
      && first.dropFirst(10).allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  init(read: [String], write: [String], gc: [String]) {
    self.read = read
    self.write = write
    self.gc = gc
  }

  /// Returns the features in `needed` that this dv does not know.
  static func unknown(in needed: [String]) -> [String] { needed.filter { !known.contains($0) } }
}
