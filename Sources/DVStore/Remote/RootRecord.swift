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
  /// In ascending order, none twice.
  let roots: [Root]
  var supersedes: Set<String> = []

  /// A content that is complete.
  struct Root: Hashable, Sendable, Comparable {
    let kind: TransferRoot.Kind
    let oid: ObjectID
    let size: UInt64

    // Without the kind, which would be hashed by its name. With the size: a record may name one oid with many.
    func hash(into hasher: inout Hasher) {
      hasher.combine(oid)
      hasher.combine(size)
    }

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
    for root in roots { bytes += "\(root.kind.rawValue) \(root.oid.text) \(root.size)\n".utf8 }
    for name in supersedes.sorted() { bytes += "supersedes \(name)\n".utf8 }
    return bytes
  }

  init(kind: Kind, time: UInt64, roots: Set<Root>, supersedes: Set<String> = []) {
    self.kind = kind
    self.time = time
    self.roots = roots.sorted()
    self.supersedes = supersedes
  }

  /// Reads a record.
  ///
  /// - Throws: ``RecordError`` unless the bytes are exactly what ``encoded()`` gives.
  init(decoding bytes: [UInt8]) throws(RecordError) {
    guard bytes.count <= Self.byteLimit else { throw RecordError("it has \(bytes.count) bytes") }
    // Read byte by byte: a remote may have a hundred thousand roots, and every push reads them all.
    var cursor = TextCursor(bytes)
    if cursor.takes("dv-root 1\n") { kind = .root } else if cursor.takes("dv-pending 1\n") { kind = .pending } else {
      throw RecordError("its first line is neither 'dv-root 1' nor 'dv-pending 1'; a newer dv may have made it")
    }
    guard cursor.takes("time "), let time = cursor.number(), cursor.takes("\n") else {
      throw RecordError("its second line is no time")
    }
    self.time = time
    var roots: [Root] = []
    roots.reserveCapacity(cursor.rest / 80)
    while let kind: TransferRoot.Kind = cursor.takes("file ") ? .file : cursor.takes("tree ") ? .tree : nil {
      guard let oid = cursor.objectID(), cursor.takes(" "), let size = cursor.number(), cursor.takes("\n") else {
        throw RecordError("the line of a \(kind.rawValue) is malformed")
      }
      let root = Root(kind: kind, oid: oid, size: size)
      if let last = roots.last, root <= last { throw RecordError("it is not in canonical form: its lines are not in order") }
      roots.append(root)
    }
    self.roots = roots
    var lastName = ""
    while cursor.takes("supersedes ") {
      guard let name = cursor.line() else { throw RecordError("its last line is cut off") }
      guard lastName < name, !name.contains(" ") else { throw RecordError("it is not in canonical form") }
      supersedes.insert(name)
      lastName = name
    }
    guard cursor.rest == 0 else { throw RecordError("it has a line of an unknown kind; a newer dv may have made it") }
  }
}

extension RootRecord.Root {
  init(_ root: TransferRoot) { self.init(kind: root.kind, oid: root.oid, size: root.size) }
}

/// Why a record cannot be read.
struct RecordError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
