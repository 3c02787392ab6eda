import DVObject

/// What a push made complete on a remote, or means to: the text of a root or pending record.
///
///     dv-root 1                       (or dv-pending 1)
///     time 1790000000                 seconds since 1970, by the remote's clock
///     file sha256:… 1048576           a file that is complete, its size in bytes
///     tree sha256:… 314572800         a tree that is complete, the bytes of its files
///     pack sha256:…                   (pending) a pack that the push relies on and did not write
///     supersedes 01k…-9c41…           (root) the name of a root that this one stands in for
///
/// Lines of one kind stand together, in this order, each kind ascending; every line ends with LF. The record's key ends
/// with the SHA-256 of these bytes.
struct RootRecord: Hashable, Sendable {
  enum Kind: String, Hashable, Sendable {
    case root
    case pending
  }

  var kind: Kind
  /// Seconds since 1970.
  var time: UInt64
  var roots: Set<Root>
  var packs: Set<ObjectID> = []
  var supersedes: Set<String> = []

  /// A content that is complete.
  struct Root: Hashable, Sendable, Comparable {
    let kind: TransferRoot.Kind
    let oid: ObjectID
    let size: UInt64

    static func < (left: Root, right: Root) -> Bool {
      if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
      return left.oid == right.oid ? left.size < right.size : left.oid < right.oid
    }
  }

  /// The most bytes of a record that is read: 200,000 roots.
  static let byteLimit = 32 << 20

  func encoded() -> [UInt8] {
    var lines = ["dv-\(kind.rawValue) 1", "time \(time)"]
    lines += roots.sorted().map { "\($0.kind.rawValue) \($0.oid.text) \($0.size)" }
    lines += packs.sorted().map { "pack \($0.text)" }
    lines += supersedes.sorted().map { "supersedes \($0)" }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  init(kind: Kind, time: UInt64, roots: Set<Root>, packs: Set<ObjectID> = [], supersedes: Set<String> = []) {
    self.kind = kind
    self.time = time
    self.roots = roots
    self.packs = packs
    self.supersedes = supersedes
  }

  /// Reads a record.
  ///
  /// - Throws: ``ObjectFormatError`` unless the bytes are exactly what ``encoded()`` gives.
  init(decoding bytes: [UInt8]) throws {
    guard bytes.count <= Self.byteLimit else { throw RecordError("it has \(bytes.count) bytes") }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard let first = lines.first, first.hasPrefix("dv-"), first.hasSuffix(" 1"),
      let kind = Kind(rawValue: String(first.dropFirst(3).dropLast(2)))
    else { throw RecordError("its first line is neither 'dv-root 1' nor 'dv-pending 1'; a newer dv may have made it") }
    self.init(kind: kind, time: 0, roots: [])
    for line in lines.dropFirst() {
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      switch (words.first, words.count) {
      case ("time"?, 2):
        guard let time = UInt64(words[1]) else { throw RecordError("its time is not a number") }
        self.time = time
      case ("file"?, 3), ("tree"?, 3):
        guard let kind = TransferRoot.Kind(rawValue: String(words[0])), let size = UInt64(words[2]) else {
          throw RecordError("a line is malformed")
        }
        roots.insert(Root(kind: kind, oid: try ObjectID(text: words[1]), size: size))
      case ("pack"?, 2): packs.insert(try ObjectID(text: words[1]))
      case ("supersedes"?, 2): supersedes.insert(String(words[1]))
      default: throw RecordError("it has a line of an unknown kind; a newer dv may have made it")
      }
    }
    guard encoded() == bytes else { throw RecordError("it is not in canonical form") }
  }
}

/// Why a record cannot be read.
struct RecordError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
