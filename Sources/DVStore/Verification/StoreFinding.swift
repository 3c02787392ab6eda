public import DVObject

/// Something of a store that is damaged or missing.
public struct StoreFinding: Sendable {
  public enum Kind: String, Hashable, Sendable {
    /// One object at one place, or one that is nowhere.
    case object
    /// A pack as a whole: its header, its table, its name.
    case pack
    case wholeFile = "whole-file"
    /// An index segment.
    case segment
    /// A root, pending or condemned record.
    case record
    case format
    /// A locator: readers do without.
    case locator
    /// The listing for readers that cannot list.
    case listing
  }

  public let kind: Kind
  /// Whether it is not there, rather than damaged.
  public let isMissing: Bool
  /// The object, if it is one.
  public let key: ObjectKey?
  /// The key of the store, and for an object the offset in the pack: `packs/3f/3fa9… at 1234`; empty for an object that
  /// is nowhere.
  public let place: String
  /// What is wrong.
  public let message: String
  /// Whether the store has no other copy of the object that is whole.
  public internal(set) var isLost: Bool

  init(
    _ kind: Kind, isMissing: Bool = false, key: ObjectKey? = nil, place: String, message: String, isLost: Bool = false
  ) {
    self.kind = kind
    self.isMissing = isMissing
    self.key = key
    self.place = place
    self.message = message
    self.isLost = isLost
  }
}

/// How much of a store is looked at.
public enum CheckDepth: Sendable {
  /// All but the stored bytes: every index block, the header and table of every pack, every node and list.
  case structure
  /// A part of the packs besides, byte for byte: of this many percent of their bytes, those that were read the longest ago.
  ///
  /// `readBefore` has when a pack was last read and found whole, in seconds since 1970.
  case sample(percent: Double, readBefore: [ObjectID: UInt64])
  /// Every byte.
  case full
}

/// What was looked at.
public struct CheckedCounts: Hashable, Sendable {
  public var segments = 0
  public var indexEntries = 0
  public var packs = 0
  public var packBytes: UInt64 = 0
  /// Packs of which every byte was read.
  public var packsRead = 0
  public var bytesRead: UInt64 = 0
  /// Objects decoded and proved by their names.
  public var objectsProved = 0
  public var wholeFiles = 0
  public var records = 0
  public var locators = 0
  /// Contents of pointers, or of root records.
  public var contents = 0
  public var nodes = 0
  public var lists = 0
  public var chunks = 0
  /// Files of several chunks whose whole content was hashed.
  public var filesHashed = 0
  public var fileBytesHashed: UInt64 = 0

  public init() {}
}

/// What a check tells about its progress.
public enum CheckStep: Hashable, Sendable {
  public enum Phase: Hashable, Sendable {
    case index
    case packs
    case structure
    case content
  }

  case began(Phase, bytes: UInt64?)
  case did(bytes: UInt64)
}
