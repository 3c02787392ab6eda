/// Where an object's stored bytes lie in a pack, and those of the place list behind it.
public struct ObjectPlace: Hashable, Sendable {
  public let kind: ObjectKind
  public let codec: Codec
  /// Number of the pack in a place list's table; `nil` for the pack that holds the place list itself.
  public let container: Int?
  /// Where the stored bytes begin in the pack, in bytes.
  public let offset: UInt32
  /// Stored length in bytes.
  public let storedLength: Int
  /// Length of the object in bytes.
  public let length: Int
  /// The object's own place list, which is the next entry of the pack; `nil` if there is none.
  public let listed: Listed?

  /// How the place list behind an object is stored.
  public struct Listed: Hashable, Sendable {
    public let codec: Codec
    /// Stored length in bytes.
    public let storedLength: Int
    /// Length in bytes.
    public let length: Int

    public init(codec: Codec, storedLength: Int, length: Int) {
      self.codec = codec
      self.storedLength = storedLength
      self.length = length
    }
  }

  public init(
    kind: ObjectKind, codec: Codec, container: Int?, offset: UInt32, storedLength: Int, length: Int, listed: Listed?
  ) {
    self.kind = kind
    self.codec = codec
    self.container = container
    self.offset = offset
    self.storedLength = storedLength
    self.length = length
    self.listed = listed
  }

  /// The bytes of the pack that hold the object and, behind the header between, its place list.
  public var range: Range<UInt64> {
    let end = UInt64(offset) + UInt64(storedLength)
    return UInt64(offset)..<(end + (listed.map { UInt64(PackEntryHeader.byteCount + $0.storedLength) } ?? 0))
  }
}
