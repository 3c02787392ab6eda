import DVBackend
import DVFile
import DVObject

/// Finds where a small part of a large remote lies without its index.
///
///     locator of the pointer ──► root node and its place list, one request ──► node on the path … ──► chunk
///
/// What was found goes into the store's hints, and the nodes too; a transfer then asks for nothing but the content. If anything
/// is not there or not as it should be, the hints are dropped, and the index tells.
struct HintedFetch {
  private let store: ObjectStore

  /// The most files that are looked up this way: more are found with fewer requests through the index.
  private static let fileLimit: UInt64 = 2000
  /// Nodes read at once.
  private static let width = 16

  init(of store: ObjectStore) { self.store = store }

  /// Looks up all that `roots` need.
  ///
  /// - Returns: whether everything was found.
  func prepare(_ roots: [TransferRoot]) async -> Bool {
    do {
      for root in roots { try await prepare(root) }
      return true
    } catch {
      store.index.hints.drop()
      return false
    }
  }

  /// Why the index has to be asked. Nobody is told.
  private struct Unknown: Error {}

  private func prepare(_ root: TransferRoot) async throws {
    guard let bytes = try await store.backend.get(StoreLayout.locator(root.kind, root.oid)) else { throw Unknown() }
    let locator = try Locator(decoding: bytes.span)
    guard locator.id == root.oid else { throw Unknown() }
    let place = Place(locator.place, in: locator.container)
    switch root.kind {
    case .file: try await prepareFile(root.oid, place)
    case .tree: try await prepareTree(root.oid, place, inside: root.inside[...], budget: Self.fileLimit)
    }
  }

  /// A place whose pack is known.
  private struct Place: Sendable {
    let container: IndexContainer
    let place: ObjectPlace

    init(_ place: ObjectPlace, in container: IndexContainer) {
      self.container = container
      self.place = place
    }

    var location: ObjectLocation {
      ObjectLocation(
        IndexEntry(
          key: ObjectKey(kind: place.kind, id: container.id), codec: place.codec, container: 0, offset: UInt64(place.offset),
          storedLength: place.storedLength, length: place.length),
        in: container)
    }
  }

  /// A node or list, and the places of what it names.
  private struct Opened: Sendable {
    let bytes: [UInt8]
    let list: PlaceList
    let container: IndexContainer

    func place(_ index: Int) throws -> Place {
      guard let place = list.places[index] else { throw Unknown() }
      return Place(place, in: place.container.map { list.containers[$0] } ?? container)
    }
  }

  /// Reads a node or list and its place list with one request, and keeps it.
  private func open(_ key: ObjectKey, _ place: Place, count: ([UInt8]) throws -> Int) async throws -> Opened {
    let range = place.place.range
    guard let listed = place.place.listed, place.place.kind == key.kind, range.upperBound <= place.container.size,
      let stored = try await store.backend.get(StoreLayout.container(place.container), range: range)
    else { throw Unknown() }
    var bytes: [UInt8] = []
    try store.decode(
      stored.span.extracting(first: place.place.storedLength), of: key, codec: place.place.codec, length: place.place.length,
      at: place.location, into: &bytes)
    var list: [UInt8] = []
    let decoder = try store.coders.takeDecoder()
    defer { store.coders.give(decoder) }
    try decoder.decode(stored.span.extracting(last: listed.storedLength), codec: listed.codec, length: listed.length, into: &list)
    let places = try PlaceList(decoding: list.span)
    guard places.kind == key.kind, try places.places.count == count(bytes) else { throw Unknown() }
    store.index.hints.keep(bytes, of: key)
    store.index.hints.add(place.location, of: key)
    return Opened(bytes: bytes, list: places, container: place.container)
  }

  // MARK: Trees

  private func prepareTree(
    _ oid: ObjectID, _ place: Place, inside: ArraySlice<TreeName>, budget: UInt64
  ) async throws {
    let opened = try await open(ObjectKey(kind: .treeNode, id: oid), place) { try TreeNode(decoding: $0).count }
    let node = try TreeNode(decoding: opened.bytes)
    guard let wanted = inside.first else {
      guard node.totals.files <= budget else { throw Unknown() }
      return try await prepareAll(of: node, opened)
    }
    let index = node.firstIndex(notBefore: wanted.bytes.span)
    guard index < node.count else { return }
    let item = node.items[index]
    if node.level > 0 {
      return try await prepareTree(item.oid, try opened.place(index), inside: inside, budget: budget)
    }
    guard item.name.elementsEqual(wanted.bytes) else { return }
    if item.mode == .directory {
      try await prepareTree(item.oid, try opened.place(index), inside: inside.dropFirst(), budget: budget)
    } else if inside.count == 1, item.size > 0 {
      try await prepareFile(item.oid, try opened.place(index))
    }
  }

  /// Looks up everything below a node.
  private func prepareAll(of node: TreeNode, _ opened: Opened) async throws {
    let items = Array(node.items.enumerated()).filter { $0.element.mode == nil || $0.element.mode == .directory || $0.element.size > 0 }
    try await items.forEachConcurrently(width: Self.width) { index, item in
      let place = try opened.place(index)
      switch item.mode {
      case nil, .directory?: try await prepareTree(item.oid, place, inside: [], budget: .max)
      default: try await prepareFile(item.oid, place)
      }
    }
  }

  // MARK: Files

  private func prepareFile(_ oid: ObjectID, _ place: Place) async throws {
    let chunk = ObjectKey(kind: .chunk, id: oid)
    if place.place.kind == .chunk {
      store.index.hints.add(place.location, of: chunk)
      store.index.hints.add(nil, of: ObjectKey(kind: .chunkList, id: oid))
    } else {
      store.index.hints.add(nil, of: chunk)
      try await prepareList(ObjectKey(kind: .chunkList, id: oid), place)
    }
  }

  private func prepareList(_ key: ObjectKey, _ place: Place) async throws {
    let opened = try await open(key, place) { try ChunkListNode(decoding: $0.span).count }
    switch try ChunkListNode(decoding: opened.bytes.span).entries {
    case .chunks(let chunks):
      for (index, chunk) in chunks.enumerated() {
        store.index.hints.add(try opened.place(index).location, of: ObjectKey(kind: .chunk, id: chunk.id))
      }
    case .nodes(let nodes):
      try await Array(nodes.enumerated()).forEachConcurrently(width: Self.width) { index, node in
        try await prepareList(ObjectKey(kind: .chunkListNode, id: node.id), try opened.place(index))
      }
    }
  }
}

extension ObjectStore {
  /// Finds out where a small part of this store lies without reading its index, if its backend answers slowly and there are
  /// hints.
  ///
  /// - Returns: whether all was found. If not, a transfer reads the index, as it does without this call.
  public func prepareFetch(of roots: [TransferRoot]) async -> Bool {
    guard !backend.answersAtOnce, roots.count <= 16, roots.allSatisfy({ $0.kind == .file ? $0.size <= Self.hintedLimit : !$0.inside.isEmpty }) else {
      return false
    }
    return await HintedFetch(of: self).prepare(roots)
  }

  /// The largest file that is looked up chunk by chunk, in bytes: the hints take 50 MB of memory.
  private static let hintedLimit: UInt64 = 16 << 30
}
