/// Where the objects lie that a tree node or a chunk list names, in its order.
///
/// A hint that saves a reader the index of a large store: it is stored behind the node or list in the same pack, so that one
/// request brings both. What lies elsewhere by now is found through the index, and whatever is read is proved by its ID.
/// Integers are big-endian:
///
///     offset  size  meaning
///          0     8  "dv-where"
///          8     1  version: 1
///          9     1  kind of the object it belongs to: 2 tree node, 3 or 4 chunk list
///         10     2  bits of features that a reader must know: 0
///         12     4  number of packs p, at most the number of places
///         16     4  number of places n, 0 to 8192: one for each item of the node or list
///         20   40p  packs: name (32), size in bytes (8)
///             28n   places
///         end   32  SHA-256 of all before
///
/// A place that is not known is 28 zeros. Otherwise:
///
///     offset  size  meaning
///          0     1  kind of the object
///          1     1  codec of the object
///          2     2  number of the pack, from 1 on; 0 is the pack that holds this place list
///          4     4  where its stored bytes begin in the pack
///          8     4  stored length in bytes
///         12     4  length of the object in bytes
///         16     4  stored length of the object's own place list, which is the pack's next entry; 0 if it has none
///         20     4  length of that place list in bytes
///         24     1  codec of that place list
///         25     3  0
public struct PlaceList: Hashable, Sendable {
  static let magic = Array("dv-where".utf8)
  private static let headerSize = 20
  private static let packSize = 40
  private static let placeSize = 28
  private static let countLimit = 8192
  /// The most bytes a place list has.
  public static let maximumByteCount = headerSize + countLimit * (packSize + placeSize) + ObjectID.byteCount

  /// The kind of the object it belongs to.
  public let kind: ObjectKind
  /// The packs that places are in.
  public let containers: [IndexContainer]
  /// One for each item of the object; `nil` where it is not known.
  public let places: [ObjectPlace?]

  /// - Precondition: at most 8,192 places, in packs of `containers`.
  public init(of kind: ObjectKind, containers: [IndexContainer], places: [ObjectPlace?]) {
    precondition(places.count <= Self.countLimit && containers.count <= places.count)
    self.kind = kind
    self.containers = containers
    self.places = places
  }

  /// Returns the bytes as they are stored, before compression.
  public func encoded() -> [UInt8] {
    var bytes = Self.magic
    bytes.reserveCapacity(
      Self.headerSize + Self.packSize * containers.count + Self.placeSize * places.count + ObjectID.byteCount)
    bytes += [1, kind.rawValue, 0, 0]
    bytes.append(bigEndian: UInt32(containers.count))
    bytes.append(bigEndian: UInt32(places.count))
    for container in containers {
      container.id.append(to: &bytes)
      bytes.append(bigEndian: container.size)
    }
    for place in places {
      guard let place else {
        bytes.append(contentsOf: repeatElement(0, count: Self.placeSize))
        continue
      }
      bytes += [place.kind.rawValue, place.codec.rawValue]
      bytes.append(bigEndian: UInt16(place.container.map { $0 + 1 } ?? 0))
      bytes.append(bigEndian: place.offset)
      bytes.append(bigEndian: UInt32(place.storedLength))
      bytes.append(bigEndian: UInt32(place.length))
      bytes.append(bigEndian: UInt32(place.listed?.storedLength ?? 0))
      bytes.append(bigEndian: UInt32(place.listed?.length ?? 0))
      bytes += [place.listed?.codec.rawValue ?? 0, 0, 0, 0]
    }
    ObjectID(hashing: bytes.span).append(to: &bytes)
    return bytes
  }

  /// Reads a place list.
  ///
  /// - Throws: ``PackFormatError`` unless `bytes` are what ``encoded()`` gives for some list.
  public init(decoding bytes: Span<UInt8>) throws(PackFormatError) {
    let end = bytes.count - ObjectID.byteCount
    guard end >= Self.headerSize, bytes.count <= Self.maximumByteCount, bytes.starts(with: Self.magic) else {
      throw .damaged("a place list")
    }
    guard ObjectID(bytes, at: end) == ObjectID(hashing: bytes.extracting(0..<end)), bytes[8] == 1,
      bytes.bigEndian(UInt16.self, at: 10) == 0, let kind = ObjectKind(rawValue: bytes[9]),
      kind != .chunk, kind != .placeList
    else { throw .damaged("a place list") }
    let packs = Int(bytes.bigEndian(UInt32.self, at: 12))
    let count = Int(bytes.bigEndian(UInt32.self, at: 16))
    guard count <= Self.countLimit, packs <= count,
      end == Self.headerSize + packs * Self.packSize + count * Self.placeSize
    else { throw .damaged("a place list") }
    var containers: [IndexContainer] = []
    for number in 0..<packs {
      let at = Self.headerSize + number * Self.packSize
      containers.append(
        IndexContainer(kind: .pack, id: ObjectID(bytes, at: at), size: bytes.bigEndian(UInt64.self, at: at + 32)))
    }
    var places: [ObjectPlace?] = []
    places.reserveCapacity(count)
    for number in 0..<count {
      let at = Self.headerSize + packs * Self.packSize + number * Self.placeSize
      places.append(try Self.place(bytes.extracting(at..<(at + Self.placeSize)), packs: packs))
    }
    self.init(of: kind, containers: containers, places: places)
  }

  /// Reads one place.
  static func place(_ bytes: Span<UInt8>, packs: Int) throws(PackFormatError) -> ObjectPlace? {
    var isUnknown = true
    for index in 0..<Self.placeSize where bytes[index] != 0 { isUnknown = false }
    if isUnknown { return nil }
    let container = Int(bytes.bigEndian(UInt16.self, at: 2))
    let (listStored, listLength) = (bytes.bigEndian(UInt32.self, at: 16), bytes.bigEndian(UInt32.self, at: 20))
    guard let kind = ObjectKind(rawValue: bytes[0]), kind != .placeList, let codec = Codec(rawValue: bytes[1]),
      let listCodec = Codec(rawValue: bytes[24]), bytes[25] == 0, bytes[26] == 0, bytes[27] == 0, container <= packs
    else { throw .damaged("a place") }
    try checkLengths(stored: bytes.bigEndian(UInt32.self, at: 8), length: bytes.bigEndian(UInt32.self, at: 12), of: kind)
    try checkLengths(stored: listStored, length: listLength, of: .placeList)
    guard (listStored == 0) == (listLength == 0), listStored > 0 || listCodec == .raw else { throw .damaged("a place") }
    return ObjectPlace(
      kind: kind, codec: codec, container: container == 0 ? nil : container - 1, offset: bytes.bigEndian(UInt32.self, at: 4),
      storedLength: Int(bytes.bigEndian(UInt32.self, at: 8)), length: Int(bytes.bigEndian(UInt32.self, at: 12)),
      listed: listStored == 0
        ? nil : ObjectPlace.Listed(codec: listCodec, storedLength: Int(listStored), length: Int(listLength)))
  }

  /// A reader takes memory by these numbers.
  private static func checkLengths(stored: UInt32, length: UInt32, of kind: ObjectKind) throws(PackFormatError) {
    guard length <= kind.byteLimit, stored <= UInt64(length) + 1024 else { throw .damaged("a place's lengths") }
  }
}
