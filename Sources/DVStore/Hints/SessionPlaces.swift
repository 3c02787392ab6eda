import DVObject

/// Where the objects lie that a push wrote, and those that it found on the remote.
struct SessionPlaces {
  /// A place by the pack it is in.
  struct Found {
    enum Pack: Hashable {
      case known(IndexContainer)
      /// A pack of structure by its number; it has no name before it is full.
      case structure(Int)
    }

    let pack: Pack
    let kind: ObjectKind
    let codec: Codec
    let offset: UInt64
    let storedLength: Int
    let length: Int
    let listed: ObjectPlace.Listed?
  }

  /// A chunk of a pack that is in no index yet: there may be a million, so its entry is not copied.
  private struct Chunk {
    /// The first bytes of its ID, by which most comparisons end.
    let prefix: UInt64
    let pack: Int32
    let entry: Int32
  }

  /// By their IDs.
  private var chunks: [Chunk] = []
  private var packs: [(name: Found.Pack, entries: [PackTableEntry])] = []
  /// Nodes and lists that were written.
  private var structure: [ObjectKey: Found] = [:]

  init(of sealed: [SealedPack]) {
    chunks.reserveCapacity(sealed.reduce(0) { $0 + $1.entries.count })
    for pack in sealed { append(pack.entries, in: .known(pack.container)) }
    sort()
  }

  /// Adds the chunks of a pack that structure goes on in.
  mutating func add(_ entries: [PackTableEntry], in number: Int) {
    chunks.reserveCapacity(chunks.count + entries.count)
    append(entries, in: .structure(number))
    sort()
  }

  private mutating func append(_ entries: [PackTableEntry], in pack: Found.Pack) {
    packs.append((pack, entries))
    for (index, entry) in entries.enumerated() where entry.key.kind == .chunk {
      chunks.append(Chunk(prefix: entry.key.id.prefix64, pack: Int32(packs.count - 1), entry: Int32(index)))
    }
  }

  private mutating func sort() {
    let packs = packs
    func id(_ chunk: Chunk) -> ObjectID { packs[Int(chunk.pack)].entries[Int(chunk.entry)].key.id }
    chunks.sort { $0.prefix != $1.prefix ? $0.prefix < $1.prefix : id($0) < id($1) }
  }

  private func entry(_ chunk: Chunk) -> PackTableEntry { packs[Int(chunk.pack)].entries[Int(chunk.entry)] }

  /// Adds a node or list.
  mutating func add(_ entry: PackTableEntry, in number: Int, listed: ObjectPlace.Listed?) {
    structure[entry.key] = Found(entry, in: .structure(number), listed: listed)
  }

  /// Returns where each object lies, a file's chunk list in place of a chunk that is not there; `nil` where that is not
  /// known.
  func find(_ keys: [ObjectKey], in store: ObjectStore) async throws -> [Found?] {
    var found: [Found?] = keys.map { own($0) ?? ($0.kind == .chunk ? own($0.list) : nil) }
    // What the remote had before. Several items may name one object.
    var asked: Set<ObjectKey> = []
    for (index, key) in keys.enumerated() where found[index] == nil {
      asked.insert(key)
      if key.kind == .chunk { asked.insert(key.list) }
      asked.insert(key.placeList)
    }
    guard !asked.isEmpty else { return found }
    let sorted = asked.sorted()
    var places: [ObjectKey: ObjectLocation] = [:]
    try await store.index.locations(ofAll: sorted).forEachObject { number, all in
      if let place = all.first(where: { $0.location.container.kind == .pack && !store.index.isCondemned($0.location.container.id) }) {
        places[sorted[number]] = place.location
      }
    }
    for (index, key) in keys.enumerated() where found[index] == nil {
      let (kind, place) =
        if let chunk = places[key] { (key.kind, Optional(chunk)) } else { (ObjectKind.chunkList, key.kind == .chunk ? places[key.list] : nil) }
      if let place { found[index] = Found(place, kind: kind, list: kind == .chunk ? nil : places[key.placeList]) }
    }
    return found
  }

  private func own(_ key: ObjectKey) -> Found? {
    if key.kind != .chunk { return structure[key] }
    let prefix = key.id.prefix64
    var low = 0
    var high = chunks.count
    while low < high {
      let middle = (low + high) / 2
      let chunk = chunks[middle]
      if chunk.prefix != prefix ? chunk.prefix < prefix : entry(chunk).key.id < key.id { low = middle + 1 } else { high = middle }
    }
    guard low < chunks.count, chunks[low].prefix == prefix else { return nil }
    let found = entry(chunks[low])
    return found.key == key ? Found(found, in: packs[Int(chunks[low].pack)].name, listed: nil) : nil
  }
}

extension SessionPlaces.Found {
  init(_ entry: PackTableEntry, in pack: Pack, listed: ObjectPlace.Listed?) {
    self.pack = pack
    kind = entry.key.kind
    codec = entry.codec
    offset = UInt64(entry.offset)
    storedLength = entry.storedLength
    length = entry.length
    self.listed = listed
  }

  /// - Parameter list: where a place list of the object lies; it counts if it is the next entry.
  init(_ location: ObjectLocation, kind: ObjectKind, list: ObjectLocation?) {
    pack = .known(location.container)
    self.kind = kind
    codec = location.codec
    offset = location.offset
    storedLength = location.storedLength
    length = location.length
    let next = location.range.upperBound + UInt64(PackEntryHeader.byteCount)
    listed = list.flatMap { list in
      list.container == location.container && list.offset == next
        ? ObjectPlace.Listed(codec: list.codec, storedLength: list.storedLength, length: list.length) : nil
    }
  }
}

extension ObjectKey {
  /// The chunk list of the file whose only chunk this would be.
  var list: ObjectKey { ObjectKey(kind: .chunkList, id: id) }

  /// The place list of this object.
  var placeList: ObjectKey { ObjectKey(kind: .placeList, id: id) }
}
