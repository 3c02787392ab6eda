/// One node of a chunk list: the chunks of a file in order or, for a file of many chunks, the nodes that hold them.
///
/// Integers are big-endian:
///
///     offset  size  meaning
///          0     8  "dvchunks"
///          8     1  version: 1
///          9     1  level: 0 lists chunks, a level above lists nodes of the level below; at most 4
///         10     2  feature bits a reader must know: 0
///         12     4  number of entries n, 1 to 8192
///         16     8  bytes of the file that the entries cover
///         24        n entries, 36 bytes each at level 0: ID of the chunk (32), its length in bytes (4);
///                   40 bytes each above: ID of the node (32), bytes of the file it covers (8)
///        end    32  SHA-256 of everything before
///
/// A list has exactly one form: each node but the last of its level holds 8192 entries, and the root at least two. See
/// `docs/format/chunk-list.md`.
public struct ChunkListNode: Hashable, Sendable {
  /// What a node lists.
  public enum Entries: Hashable, Sendable {
    case chunks([ChunkReference])
    case nodes([ChunkListChild])
  }

  /// Where in a list a node stands, which decides how many entries it must have.
  public enum Place: Hashable, Sendable {
    /// The top of a list for a file of `bytes` bytes.
    case root(bytes: UInt64)
    /// Below another node, which says how many bytes it covers. Only the last node of a level may be short.
    case inner(level: Int, bytes: UInt64, isLast: Bool)
  }

  /// The most entries of a node.
  public static let maximumCount = 8192
  /// The highest level: enough for 2^64 bytes in chunks of one byte.
  public static let maximumLevel = 4
  /// The most bytes of a node's encoding.
  public static let maximumByteCount = headerLength + maximumCount * 40 + ObjectID.byteCount

  static let magic = Array("dvchunks".utf8)
  static let headerLength = 24

  /// How many levels lie below this node.
  public let level: Int
  /// How many bytes of the file the entries cover.
  public let bytes: UInt64
  public let entries: Entries

  /// How many entries the node has.
  public var count: Int {
    switch entries {
    case .chunks(let chunks): chunks.count
    case .nodes(let nodes): nodes.count
    }
  }

  init(level: Int, bytes: UInt64, entries: Entries) {
    self.level = level
    self.bytes = bytes
    self.entries = entries
  }

  /// Returns the place of the node that entry `index` names, to decode it with.
  ///
  /// - Parameter place: The place of this node.
  /// - Precondition: This node is above level 0 and has that entry.
  public func place(ofNode index: Int, in place: Place) -> Place {
    guard case .nodes(let nodes) = entries else { preconditionFailure("A node of level 0 has no nodes below it.") }
    let isLastHere = index == nodes.count - 1
    return switch place {
    case .root: .inner(level: level - 1, bytes: nodes[index].bytes, isLast: isLastHere)
    case .inner(_, _, let isLast): .inner(level: level - 1, bytes: nodes[index].bytes, isLast: isLast && isLastHere)
    }
  }
}
