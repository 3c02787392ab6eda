/// Where the content of a pointer lies on a remote: of a tree its root node, of a file its chunk or chunk list.
///
/// A replaceable hint under `trees/<aa>/<oid>` or `files/<aa>/<oid>`, 142 bytes, integers big-endian:
///
///     offset  size  meaning
///          0     8  "dv-locat"
///          8     1  version: 1
///          9     1  0
///         10    40  pack: name (32), size in bytes (8)
///         50    28  place in that pack, as in a ``PlaceList`` whose pack 0 it is
///         78    32  ID of the object
///        110    32  SHA-256 of all before
public struct Locator: Hashable, Sendable {
  static let magic = Array("dv-locat".utf8)
  public static let byteCount = 142

  public let id: ObjectID
  public let container: IndexContainer
  /// The place in ``container``.
  public let place: ObjectPlace

  /// - Precondition: `place` has no container number.
  public init(id: ObjectID, container: IndexContainer, place: ObjectPlace) {
    precondition(place.container == nil)
    self.id = id
    self.container = container
    self.place = place
  }

  public func encoded() -> [UInt8] {
    var bytes = Self.magic + [1, 0]
    container.id.append(to: &bytes)
    bytes.append(bigEndian: container.size)
    // The place of a list of one, without what stands around it.
    let list = PlaceList(of: .treeNode, containers: [], places: [place]).encoded()
    bytes += list[20..<48]
    id.append(to: &bytes)
    ObjectID(hashing: bytes.span).append(to: &bytes)
    return bytes
  }

  /// Reads a locator.
  ///
  /// - Throws: ``PackFormatError`` unless `bytes` are what ``encoded()`` gives for some locator.
  public init(decoding bytes: Span<UInt8>) throws(PackFormatError) {
    guard bytes.count == Self.byteCount, bytes.starts(with: Self.magic), bytes[8] == 1, bytes[9] == 0,
      ObjectID(bytes, at: 110) == ObjectID(hashing: bytes.extracting(0..<110)),
      let place = try PlaceList.place(bytes.extracting(50..<78), packs: 0)
    else { throw .damaged("a locator") }
    self.init(
      id: ObjectID(bytes, at: 78),
      container: IndexContainer(kind: .pack, id: ObjectID(bytes, at: 10), size: bytes.bigEndian(UInt64.self, at: 42)),
      place: place)
  }
}
