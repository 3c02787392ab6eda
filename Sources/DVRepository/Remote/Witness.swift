import DVLineage
import DVObject

/// What pushes saw of git, kept where whoever rewrites git's history cannot reach: the text of a witness record.
///
///     dv-witness 1
///     chain 1790000000 9f3c… 17 3e23…           a clone's newest record: the clone, its number, its name
///     commit 1790000000 8c0b…                    the tip of the branch that all share, as git's remote had it
///     tag 1790000000 51aa… churn@v0.2.0          a tag of the registry: the tag object, the name
///
/// After the kind stands when it was seen, in seconds since 1970 by the remote's clock. Lines ascend by their bytes, each
/// ends with LF. The record's key is `witness/` and the SHA-256 of these bytes.
struct Witness: Hashable, Sendable {
  /// One thing that was seen.
  enum Statement: Hashable, Sendable {
    case chain(clone: String, number: Int64, record: ObjectID)
    /// Hex digits.
    case commit(String)
    /// The tag object, as hex digits, and the short name.
    case tag(object: String, name: String)
  }

  /// What was seen, and when first, in seconds since 1970.
  private(set) var seen: [Statement: UInt64] = [:]

  /// The most bytes of a record that is read.
  static let byteLimit = 16 << 20
  /// The most statements that a writer puts into one record; more go into several.
  static let statementLimit = 50_000

  /// Whether tags of this name are borne witness to: those of the registry, and what is said of its versions.
  static func isWitnessed(tag name: String) -> Bool {
    RegistryTag(name) != nil || name.hasPrefix(RemovalRecord.tagPrefix)
      || Attestation.Kind.allCases.contains { name.hasPrefix(Attestation.tagPrefix($0)) }
  }

  init() {}

  /// - Parameter time: in seconds since 1970, for all of them.
  init(_ statements: some Sequence<Statement>, at time: UInt64) {
    for statement in statements { add(statement, at: time) }
  }

  /// Adds what was seen; of the same thing twice, the earlier time counts.
  mutating func add(_ statement: Statement, at time: UInt64) { seen[statement] = min(seen[statement] ?? .max, time) }

  mutating func add(_ other: Witness) {
    for (statement, time) in other.seen { add(statement, at: time) }
  }

  /// The objects that a tag was seen as, with times, the earliest first.
  var tags: [String: [(object: String, time: UInt64)]] {
    var found: [String: [(object: String, time: UInt64)]] = [:]
    for case (.tag(let object, let name), let time) in seen { found[name, default: []].append((object, time)) }
    return found.mapValues { $0.sorted { ($0.time, $0.object) < ($1.time, $1.object) } }
  }

  func encoded() -> [UInt8] {
    let lines = seen.map { statement, time in
      switch statement {
      case .chain(let clone, let number, let record): "chain \(time) \(clone) \(number) \(record.hex)"
      case .commit(let commit): "commit \(time) \(commit)"
      case .tag(let object, let name): "tag \(time) \(object) \(name)"
      }
    }
    let sorted = lines.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    return Array("dv-witness 1\n".utf8) + sorted.flatMap { $0 + [UInt8(ascii: "\n")] }
  }

  /// Reads a record.
  ///
  /// - Returns: `nil` unless the bytes are exactly what ``encoded()`` gives.
  init?(decoding bytes: [UInt8]) {
    guard bytes.count <= Self.byteLimit else { return nil }
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    guard let first = lines.first, first.elementsEqual("dv-witness 1".utf8) else { return nil }
    for line in lines.dropFirst() {
      let words = String(decoding: line, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      guard words.count >= 3, let time = UInt64(words[1]) else { return nil }
      switch (words[0], words.count) {
      case ("chain", 5):
        guard Self.isWord(words[2]), let number = Int64(words[3]), number > 0, let record = try? ObjectID(hex: words[4]) else { return nil }
        add(.chain(clone: words[2], number: number, record: record), at: time)
      case ("commit", 3):
        guard Self.isHash(words[2]) else { return nil }
        add(.commit(words[2]), at: time)
      case ("tag", 4):
        guard Self.isHash(words[2]), !words[3].isEmpty else { return nil }
        add(.tag(object: words[2], name: words[3]), at: time)
      default: return nil
      }
    }
    guard encoded() == bytes else { return nil }
  }

  private static func isHash(_ text: String) -> Bool {
    (text.utf8.count == 40 || text.utf8.count == 64) && isWord(text)
  }

  private static func isWord(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}
