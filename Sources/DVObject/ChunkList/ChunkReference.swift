/// One chunk of a file, as a chunk list names it.
public struct ChunkReference: Hashable, Sendable {
  /// The most bytes a chunk may have, whatever the limits of its writer: 4 MiB. A reader takes no more memory than this.
  public static let maximumLength = 4 << 20

  /// The SHA-256 of the chunk's bytes.
  public let id: ObjectID
  /// How many bytes the chunk has, 1 to ``maximumLength``.
  public let length: Int

  /// - Precondition: `length` is 1 to ``maximumLength``.
  public init(id: ObjectID, length: Int) {
    precondition((1...Self.maximumLength).contains(length))
    self.id = id
    self.length = length
  }
}

/// One node below another in a chunk list.
public struct ChunkListChild: Hashable, Sendable {
  /// The SHA-256 of the node's bytes.
  public let id: ObjectID
  /// How many bytes of the file the chunks below the node have.
  public let bytes: UInt64

  public init(id: ObjectID, bytes: UInt64) {
    self.id = id
    self.bytes = bytes
  }
}
