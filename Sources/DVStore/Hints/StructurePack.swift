import DVFile
import DVObject

/// The pack that a push writes nodes and lists into; a full one is followed by the next.
struct StructurePack {
  private let store: ObjectStore
  private var pack: OpenPack?
  /// Which of the session's packs this is, from 0.
  private(set) var number = 0
  /// The packs before this one.
  private var sealed: [IndexContainer] = []
  private var memory = CodecMemory()

  init(store: ObjectStore, continuing pack: OpenPack?) {
    self.store = store
    self.pack = pack
  }

  /// Encodes and adds an object.
  mutating func append(_ bytes: [UInt8], as key: ObjectKey) throws(StoreError) -> PackTableEntry {
    var pack: OpenPack
    if let open = self.pack { pack = open } else { pack = try OpenPack(in: store.scratch) }
    self.pack = nil
    let encoder = try store.coders.takeEncoder()
    defer { store.coders.give(encoder) }
    let codec = try encoder.encode(bytes.span, memory: &memory)
    let stored = codec == .raw ? bytes : encoder.stored
    try pack.append(key, codec: codec, stored: stored.span, length: bytes.count)
    self.pack = pack
    return PackTableEntry(
      header: PackEntryHeader(key: key, codec: codec, storedLength: stored.count, length: bytes.count),
      offset: pack.length - stored.count)
  }

  /// Returns the list of places for an object that is added next to this pack.
  func list(of kind: ObjectKind, _ found: [SessionPlaces.Found?]) -> PlaceList {
    var containers: [IndexContainer] = []
    var numbers: [IndexContainer: Int] = [:]
    let places = found.map { found -> ObjectPlace? in
      guard let found, let offset = UInt32(exactly: found.offset) else { return nil }
      let container: IndexContainer?
      switch found.pack {
      case .known(let known): container = known
      case .structure(let number): container = number == self.number ? nil : sealed[number]
      }
      let index = container.map { container -> Int in
        if let known = numbers[container] { return known }
        numbers[container] = containers.count
        containers.append(container)
        return containers.count - 1
      }
      return ObjectPlace(
        kind: found.kind, codec: found.codec, container: index, offset: offset, storedLength: found.storedLength,
        length: found.length, listed: found.listed)
    }
    return PlaceList(of: kind, containers: containers, places: places)
  }

  var isFull: Bool { pack?.isFull ?? false }

  /// Makes the pack durable and gives it its name; `nil` if there is none.
  mutating func seal() async throws -> SealedPack? {
    guard let full = pack else { return nil }
    pack = nil
    let sealed = try await BlockingThreads.run { () throws(StoreError) in try full.seal() }
    try await store.install(sealed)
    self.sealed.append(sealed.container)
    number += 1
    return sealed
  }
}
