/// What kind of object a pack's entry holds.
///
/// Kinds have separate names: the content of a file may happen to be the bytes of a tree node, and is then both.
public enum ObjectKind: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  /// A run of a file's bytes; its ID is the SHA-256 of those bytes.
  case chunk = 1
  /// One node of a directory's tree; its ID is the SHA-256 of its bytes.
  case treeNode = 2
  /// The root node of a file's chunk list; its ID is the object ID of the *file*, which its bytes cannot prove.
  case chunkList = 3
  /// An inner node of a long chunk list; its ID is the SHA-256 of its bytes.
  case chunkListNode = 4
  /// Where the objects lie that a tree node or chunk list names: a hint behind it in the same pack. Its ID is that of the object
  /// it belongs to, which its bytes cannot prove. See ``PlaceList``.
  case placeList = 5

  /// Whether the ID is the SHA-256 of the object's own bytes.
  public var isNamedByContent: Bool { self != .chunkList && self != .placeList }

  /// Whether nothing is lost with the object: what it says can be found out without it.
  public var isHint: Bool { self == .placeList }

  /// The most bytes an object of this kind may have: what a reader allocates at most for one.
  ///
  /// A chunk has up to 4 MiB. A tree node has at most 8,192 entries of 305 bytes, a chunk list node 8,192 of 40.
  public var byteLimit: Int {
    switch self {
    case .chunk: 4 << 20
    case .treeNode: 32 + 8192 * 305
    case .chunkList, .chunkListNode: 24 + 8192 * 40 + 32
    case .placeList: PlaceList.maximumByteCount
    }
  }

  public var description: String {
    switch self {
    case .chunk: "chunk"
    case .treeNode: "tree node"
    case .chunkList: "chunk list"
    case .chunkListNode: "chunk list node"
    case .placeList: "place list"
    }
  }
}
