/// Where a store keeps one object: a container, and the stored bytes' place in it.
public struct IndexEntry: Hashable, Sendable {
  public let key: ObjectKey
  public let codec: Codec
  /// Number of the container in the segment's table.
  public let container: Int
  /// Where the stored bytes begin in the container, in bytes.
  public let offset: UInt64
  /// Stored length in bytes.
  public let storedLength: Int
  /// Length of the object in bytes.
  public let length: Int

  public init(key: ObjectKey, codec: Codec, container: Int, offset: UInt64, storedLength: Int, length: Int) {
    self.key = key
    self.codec = codec
    self.container = container
    self.offset = offset
    self.storedLength = storedLength
    self.length = length
  }

  /// Returns this entry with its container's number in another segment.
  public func inContainer(_ number: Int) -> IndexEntry {
    IndexEntry(
      key: key, codec: codec, container: number, offset: offset, storedLength: storedLength, length: length)
  }
}

/// A file of a store that holds the stored bytes of objects.
public struct IndexContainer: Hashable, Sendable {
  public enum Kind: UInt8, Hashable, Sendable {
    /// A pack; its name is the SHA-256 of its bytes.
    case pack = 1
    /// A whole file as it is; its name is the file's object ID.
    case wholeFile = 2
  }

  public let kind: Kind
  public let id: ObjectID
  /// Size in bytes.
  public let size: UInt64

  public init(kind: Kind, id: ObjectID, size: UInt64) {
    self.kind = kind
    self.id = id
    self.size = size
  }
}

/// What a merged segment stands in for: it holds all they held.
public struct IndexSupersession: Hashable, Sendable {
  public enum Kind: UInt8, Hashable, Sendable {
    case segment = 1
    case pack = 2
  }

  public let kind: Kind
  public let id: ObjectID

  public init(kind: Kind, id: ObjectID) {
    self.kind = kind
    self.id = id
  }
}
