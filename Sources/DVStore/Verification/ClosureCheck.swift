import DVObject

/// Finds everything that a store lacks of what some contents need, by its index, reading all nodes and lists.
///
/// Unlike ``Completeness`` it goes on past what is missing, holds every node and list to what is said of it, and names each
/// failure. Chunks are asked for in sorted batches and not read.
struct ClosureCheck {
  /// Why an object cannot be relied on.
  struct Failure: Sendable {
    let isMissing: Bool
    let message: String
  }

  private let store: ObjectStore
  private let reader: StructureReader
  /// Objects that the index names and that have no good copy.
  private let lost: [ObjectKey: Failure]
  /// Whether nodes are held to the rule where they end, which takes a hash per name.
  private let isFull: Bool

  private(set) var failures: [ObjectKey: Failure] = [:]
  /// What is not here, under contents that need not be here.
  private(set) var absent: Set<ObjectKey> = []
  /// The files that have a chunk list.
  private(set) var listed: Set<ContentName> = []
  /// Files that records say were erased, which need not be here.
  private(set) var erased: Set<ContentName> = []
  private(set) var nodes = 0
  private(set) var lists = 0
  private(set) var chunks = 0
  /// The packs that hold what was asked for, if they are wanted.
  private(set) var packs: Set<ObjectID> = []
  private let wantsPacks: Bool

  private var isWhole = true
  /// Directories met, with their totals and levels: one may be named in many places.
  private var met: [ObjectID: TreeTotals] = [:]
  private var metInner: Set<InnerPlace> = []
  private var metFiles: Set<ContentName> = []
  private var waiting: [Visit] = []
  private var files: [ContentName] = []
  private var references: [ChunkReference] = []
  private var openLists: [OpenList] = []

  private static let batchCount = 1 << 16
  private static let nodesAtOnce = 512
  private static let listsAtOnce = 64

  /// A node below another, and what the other says of it.
  private struct Inner {
    let item: TreeNode.Item
    let previous: TreeNode.Item?
    let parentLevel: Int
    let isLast: Bool
  }

  private struct InnerPlace: Hashable {
    let oid: ObjectID
    let previous: ArraySlice<UInt8>?
    let level: Int
    let isLast: Bool
  }

  private struct Visit {
    let oid: ObjectID
    /// What names it: nothing for the root of a directory.
    let inner: Inner?
    /// What is said of the root of a directory.
    let totals: TreeTotals?
    let bytes: UInt64?
    let inside: ArraySlice<TreeName>
  }

  private struct OpenList {
    let key: ObjectKey
    let place: ChunkListNode.Place
  }

  init(of store: ObjectStore, lost: [ObjectKey: Failure], isFull: Bool, wantsPacks: Bool = false) {
    self.store = store
    self.lost = lost
    self.isFull = isFull
    self.wantsPacks = wantsPacks
    reader = StructureReader(stores: [store])
  }

  /// Walks all under some contents.
  ///
  /// - Parameter isWhole: whether everything must be here; if not, what is missing is counted and no failure.
  mutating func check(_ roots: [TransferRoot], isWhole: Bool) async throws {
    self.isWhole = isWhole
    for root in roots {
      try Task.checkCancellation()
      switch root.kind {
      case .file: try await add(ContentName(oid: root.oid, size: root.size))
      case .tree:
        enter(Visit(oid: root.oid, inner: nil, totals: nil, bytes: root.size, inside: root.inside[...]))
        while !waiting.isEmpty { try await open() }
      }
    }
    try await resolveFiles()
    try await resolveReferences()
  }

  private mutating func fail(_ key: ObjectKey, isMissing: Bool, _ message: @autoclosure () -> String) {
    if isMissing, !isWhole {
      absent.insert(key)
    } else if failures[key] == nil {
      failures[key] = Failure(isMissing: isMissing, message: message())
    }
  }

  // MARK: Trees

  private mutating func enter(_ visit: Visit) {
    if let inner = visit.inner {
      let place = InnerPlace(
        oid: visit.oid, previous: inner.previous?.name, level: inner.parentLevel, isLast: inner.isLast)
      if visit.inside.isEmpty, !metInner.insert(place).inserted { return }
    } else if visit.inside.isEmpty, let totals = met[visit.oid] {
      return check(totals, visit)
    }
    waiting.append(visit)
  }

  /// Holds a directory to what is said of it.
  private mutating func check(_ totals: TreeTotals, _ visit: Visit) {
    let key = ObjectKey(kind: .treeNode, id: visit.oid)
    if let said = visit.totals, said != totals {
      fail(key, isMissing: false, "the tree has \(totals.files) files and \(totals.bytes) bytes, and another says "
        + "\(said.files) and \(said.bytes)")
    }
    if let bytes = visit.bytes, bytes != totals.bytes {
      fail(key, isMissing: false, "the tree has \(totals.bytes) bytes, and its pointer says \(bytes)")
    }
  }

  private mutating func open() async throws {
    let visits = Array(waiting.suffix(Self.nodesAtOnce))
    waiting.removeLast(visits.count)
    let keys = Set(visits.map { ObjectKey(kind: .treeNode, id: $0.oid) }).sorted()
    let read = try await readPresent(keys)
    for visit in visits {
      guard let bytes = read[visit.oid] else { continue }
      do throws(ObjectFormatError) {
        let node = try TreeNode(decoding: bytes, isRoot: visit.inner == nil)
        if let inner = visit.inner {
          try node.check(as: inner.item, ofLevel: inner.parentLevel, after: inner.previous)
        }
        if isFull { try node.checkCuts(isLast: visit.inner?.isLast ?? true) }
        nodes += 1
        enter(node, of: visit)
      } catch {
        fail(ObjectKey(kind: .treeNode, id: visit.oid), isMissing: false, error.message)
      }
    }
    if files.count >= Self.batchCount { try await resolveFiles() }
  }

  /// Reads the objects that the index has; the others fail.
  private mutating func readPresent(_ keys: [ObjectKey]) async throws -> [ObjectID: [UInt8]] {
    var present: [ObjectKey] = []
    for (key, container) in zip(keys, try await store.index.containers(ofAll: keys)) {
      if let container {
        present.append(key)
        if wantsPacks { packs.insert(container.id) }
      } else {
        fail(key, isMissing: true, "it is not in the index")
      }
    }
    var bytes: [ObjectID: [UInt8]] = [:]
    for (key, result) in zip(present, try await reader.read(ascending: present)) {
      switch result {
      case .success(let content): bytes[key.id] = content
      case .failure(let error):
        let isMissing = error.code == .missing
        // What the index names must be there, whoever needs it.
        if failures[key] == nil { failures[key] = lost[key] ?? Failure(isMissing: isMissing, message: error.message) }
      }
    }
    return bytes
  }

  private mutating func enter(_ node: TreeNode, of visit: Visit) {
    if visit.inner == nil {
      if visit.inside.isEmpty { met[visit.oid] = node.totals }
      check(node.totals, visit)
    }
    var previous: TreeNode.Item?
    for (index, item) in node.items.enumerated() {
      defer { previous = item }
      if item.mode == nil {
        let isLast = (visit.inner?.isLast ?? true) && index == node.count - 1
        // Between nodes of different parents the order follows from the parents' own.
        let inner = Inner(
          item: item, previous: previous ?? visit.inner?.previous, parentLevel: node.level, isLast: isLast)
        if let wanted = visit.inside.first, item.name.lexicographicallyPrecedes(wanted.bytes) { continue }
        enter(Visit(oid: item.oid, inner: inner, totals: nil, bytes: nil, inside: visit.inside))
        if !visit.inside.isEmpty { break }
        continue
      }
      if let wanted = visit.inside.first, !item.name.elementsEqual(wanted.bytes) { continue }
      if item.mode == .directory {
        enter(Visit(oid: item.oid, inner: nil, totals: item.totals, bytes: nil, inside: visit.inside.dropFirst()))
      } else {
        append(ContentName(oid: item.oid, size: item.size))
      }
    }
  }

  // MARK: Files

  private mutating func append(_ file: ContentName) {
    if metFiles.insert(file).inserted { files.append(file) }
  }

  private mutating func add(_ file: ContentName) async throws {
    append(file)
    if files.count >= Self.batchCount { try await resolveFiles() }
  }

  /// Asks for the files that were met: each is a chunk of that length, or has a list.
  private mutating func resolveFiles() async throws {
    let empty = ObjectID(hashing: [UInt8]().span)
    var short: [ContentName] = []
    let gone = store.erased
    for file in files {
      if gone.contains(file.oid) {
        erased.insert(file)
      } else if file.size == 0 {
        let key = ObjectKey(kind: .chunk, id: file.oid)
        if file.oid != empty { fail(key, isMissing: false, "no bytes have this hash") }
      } else if file.size <= UInt64(ObjectKind.chunk.byteLimit) {
        short.append(file)
      } else {
        enterList(file)
      }
    }
    files.removeAll(keepingCapacity: true)
    short.sort { $0.oid == $1.oid ? $0.size < $1.size : $0.oid < $1.oid }
    let wanted = short.map { ChunkReference(id: $0.oid, length: Int($0.size)) }
    let found = try await resolve(wanted)
    for (file, isFound) in zip(short, found) where !isFound { enterList(file) }
    while !openLists.isEmpty { try await readLists() }
  }

  /// Asks which chunks are there. One that is there and has no good copy fails here.
  ///
  /// - Parameter wanted: in ascending order of IDs.
  private mutating func resolve(_ wanted: [ChunkReference]) async throws -> [Bool] {
    var keys: [ObjectKey] = []
    var numbers: [Int] = []
    for reference in wanted {
      if keys.last?.id != reference.id { keys.append(ObjectKey(kind: .chunk, id: reference.id)) }
      numbers.append(keys.count - 1)
    }
    chunks += keys.count
    var lengths = [Int?](repeating: nil, count: keys.count)
    try await store.index.locations(ofAll: keys).forEachObject { number, places in
      lengths[number] = places.first?.location.length
      if wantsPacks { for place in places { packs.insert(place.location.container.id) } }
    }
    return wanted.indices.map { index in
      let key = keys[numbers[index]]
      guard let length = lengths[numbers[index]] else { return false }
      if let failure = lost[key] {
        if failures[key] == nil { failures[key] = failure }
      } else if length != wanted[index].length {
        fail(key, isMissing: false, "it has \(length) bytes, and \(wanted[index].length) are expected")
      }
      return true
    }
  }

  private mutating func resolveReferences() async throws {
    var batch = references
    references.removeAll(keepingCapacity: true)
    batch.sort { $0.id == $1.id ? $0.length < $1.length : $0.id < $1.id }
    let found = try await resolve(batch)
    for (reference, isFound) in zip(batch, found) where !isFound {
      fail(ObjectKey(kind: .chunk, id: reference.id), isMissing: true, "it is not in the index")
    }
  }

  // MARK: Lists

  private mutating func enterList(_ file: ContentName) {
    openLists.append(OpenList(key: ObjectKey(kind: .chunkList, id: file.oid), place: .root(bytes: file.size)))
  }

  private mutating func readLists() async throws {
    let taken = Array(openLists.suffix(Self.listsAtOnce))
    openLists.removeLast(taken.count)
    var keys = Set(taken.map(\.key)).sorted()
    // A file as short as one chunk that has no list is a chunk that is missing.
    let held = try await store.index.containers(ofAll: keys)
    var lacking: Set<ObjectKey> = []
    for (key, container) in zip(keys, held) where container == nil { lacking.insert(key) }
    for list in taken where lacking.contains(list.key) {
      if case .root(let bytes) = list.place, bytes <= UInt64(ChunkLimits.standard.minimum) {
        fail(ObjectKey(kind: .chunk, id: list.key.id), isMissing: true, "it is not in the index")
      } else {
        fail(list.key, isMissing: true, "it is not in the index")
      }
    }
    keys.removeAll { lacking.contains($0) }
    let read = try await readPresent(keys)
    for list in taken {
      guard let bytes = read[list.key.id] else { continue }
      do throws(ObjectFormatError) {
        let node = try ChunkListNode(decoding: bytes.span, at: list.place)
        lists += 1
        if case .root(let size) = list.place { listed.insert(ContentName(oid: list.key.id, size: size)) }
        switch node.entries {
        case .chunks(let entries): references += entries
        case .nodes(let children):
          for (index, child) in children.enumerated() {
            openLists.append(
              OpenList(
                key: ObjectKey(kind: .chunkListNode, id: child.id), place: node.place(ofNode: index, in: list.place)))
          }
        }
      } catch {
        fail(list.key, isMissing: false, error.message)
      }
    }
    if references.count >= Self.batchCount { try await resolveReferences() }
  }
}
