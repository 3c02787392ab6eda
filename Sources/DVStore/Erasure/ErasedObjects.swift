public import DVObject

/// The objects that some files are made of, by their names: what is to go when the files are erased, as far as nothing else needs it.
///
/// As bytes, to be kept until all stores were reached: a header of 8 bytes `dv-erase`, then 33 bytes for each object: its kind, its ID.
/// Whoever holds it can tell by nothing but digests what the files were.
public struct ErasedObjects: Sendable {
  public private(set) var keys: Set<ObjectKey> = []

  private static let magic = Array("dv-erase".utf8)
  /// The most bytes that are read of one.
  public static let byteLimit = 1 << 30

  /// Those that a file has whatever store it lies in: itself as one chunk, its list.
  public init(of oids: some Sequence<ObjectID>) {
    for oid in oids {
      for kind in [ObjectKind.chunk, .chunkList, .placeList] { keys.insert(ObjectKey(kind: kind, id: oid)) }
    }
  }

  /// Adds what the lists in a store say.
  ///
  /// - Throws: ``StoreError/Code/corrupt`` if a list is damaged.
  public mutating func add(_ oids: some Sequence<ObjectID>, listedIn store: ObjectStore) async throws(StoreError) {
    var waiting = oids.map { ObjectKey(kind: .chunkList, id: $0) }
    var met = Set(waiting)
    while let key = waiting.popLast() {
      guard try await store.contains(key) else { continue }
      let node: ChunkListNode
      let bytes = try await store.read(key)
      do { node = try ChunkListNode(decoding: bytes.span) } catch {
        throw StoreError(.corrupt, "The \(key) in \(store.name) is damaged: \(error).", key: key, cause: error)
      }
      switch node.entries {
      case .chunks(let chunks): for chunk in chunks { keys.insert(ObjectKey(kind: .chunk, id: chunk.id)) }
      case .nodes(let nodes):
        for child in nodes {
          let inner = ObjectKey(kind: .chunkListNode, id: child.id)
          keys.formUnion([inner, ObjectKey(kind: .placeList, id: child.id)])
          if met.insert(inner).inserted { waiting.append(inner) }
        }
      }
    }
  }

  /// Adds others.
  public mutating func add(_ other: ErasedObjects) { keys.formUnion(other.keys) }

  /// Reads what ``encoded`` wrote; `nil` if it is anything else.
  public init?(decoding bytes: [UInt8]) {
    guard bytes.starts(with: Self.magic), (bytes.count - Self.magic.count) % 33 == 0 else { return nil }
    for start in stride(from: Self.magic.count, to: bytes.count, by: 33) {
      guard let kind = ObjectKind(rawValue: bytes[start]),
        let id = try? ObjectID(bytes: bytes.span.extracting((start + 1)..<(start + 33)))
      else { return nil }
      keys.insert(ObjectKey(kind: kind, id: id))
    }
  }

  public var encoded: [UInt8] {
    var bytes = Self.magic
    bytes.reserveCapacity(bytes.count + 33 * keys.count)
    for key in keys.sorted() {
      bytes.append(key.kind.rawValue)
      key.id.append(to: &bytes)
    }
    return bytes
  }
}
