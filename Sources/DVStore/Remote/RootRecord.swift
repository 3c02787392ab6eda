import DVObject

/// What a push made complete on a remote, or means to: the text of a root or pending record.
///
///     dv-root 1                       (or dv-pending 1)
///     time 1790000000                 seconds since 1970, by the remote's clock
///     file sha256:… 1048576           a file that is complete, its size in bytes
///     tree sha256:… 314572800         a tree that is complete, the bytes of its files
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
  var supersedes: Set<String> = []

  /// A content that is complete.
  struct Root: Hashable, Sendable, Comparable {
    let kind: TransferRoot.Kind
    let oid: ObjectID
    let size: UInt64

    static func < (left: Root, right: Root) -> Bool {
      if left.kind != right.kind { return left.kind == .file }
      return left.oid == right.oid ? left.size < right.size : left.oid < right.oid
    }
  }

  /// The most roots that a writer puts into one record; more go into several.
  static let rootLimit = 100_000
  /// The most bytes of a record that is read.
  static let byteLimit = 64 << 20

  func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(64 + 96 * (roots.count + supersedes.count))
    bytes += "dv-\(kind.rawValue) 1\ntime \(time)\n".utf8
    for root in roots.sorted() { bytes += "\(root.kind.rawValue) \(root.oid.text) \(root.size)\n".utf8 }
    for name in supersedes.sorted() { bytes += "supersedes \(name)\n".utf8 }
    return bytes
  }

  init(kind: Kind, time: UInt64, roots: Set<Root>, supersedes: Set<String> = []) {
    self.kind = kind
    self.time = time
    self.roots = roots
    self.supersedes = supersedes
  }

  /// Reads a record.
  ///
  /// - Throws: ``RecordError`` unless the bytes are exactly what ``encoded()`` gives.
  init(decoding bytes: [UInt8]) throws(RecordError) {
    guard bytes.count <= Self.byteLimit else { throw RecordError("it has \(bytes.count) bytes") }
    // Bytes, not text: a remote may have a hundred thousand roots, which every push reads.
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    guard let first = lines.first, let kind = [Kind.root, .pending].first(where: { first.elementsEqual("dv-\($0) 1".utf8) })
    else { throw RecordError("its first line is neither 'dv-root 1' nor 'dv-pending 1'; a newer dv may have made it") }
    self.init(kind: kind, time: 0, roots: [])
    roots.reserveCapacity(lines.count)
    for line in lines.dropFirst() {
      let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard let word = words.first else { continue }
      if words.count == 3, let kind = Root.kind(word), let size = Self.number(words[2]) {
        do { roots.insert(Root(kind: kind, oid: try ObjectID(text: Self.text(words[1])), size: size)) } catch {
          throw RecordError("a line is malformed: \(error)")
        }
      } else if words.count == 2, word.elementsEqual("time".utf8), let time = Self.number(words[1]) {
        self.time = time
      } else if words.count == 2, word.elementsEqual("supersedes".utf8) {
        supersedes.insert(Self.text(words[1]))
      } else {
        throw RecordError("it has a line of an unknown kind; a newer dv may have made it")
      }
    }
    guard encoded() == bytes else { throw RecordError("it is not in canonical form") }
  }

  private static func text(_ word: ArraySlice<UInt8>) -> String { String(decoding: word, as: UTF8.self) }

  private static func number(_ word: ArraySlice<UInt8>) -> UInt64? { UInt64(text(word)) }
}

extension RootRecord.Root {
  init(_ root: TransferRoot) { self.init(kind: root.kind, oid: root.oid, size: root.size) }

  fileprivate static func kind(_ word: ArraySlice<UInt8>) -> TransferRoot.Kind? {
    word.elementsEqual("tree".utf8) ? .tree : word.elementsEqual("file".utf8) ? .file : nil
  }
}

/// Why a record cannot be read.
struct RecordError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
