import DVObject

/// Finds which chunks a destination lacks of the files it is given, and where the source has them.
///
///     files of one chunk, 65,536 at a time:  which does the destination lack? where does the source have them?
///     files with a list:                     read the lists together, store those that are new
///     chunks of lists, 65,536 at a time:     as the files of one chunk
///
/// Questions are asked in sorted batches, so that an index of any size is gone through rather than searched.
struct ContentWalk {
  let writer: ObjectWriter
  private let reader: StructureReader
  private let source: ObjectStore
  /// Takes over what is to be copied.
  private let handOn: ([CopyPlan.Piece]) async throws -> Void

  private var files: [File] = []
  private var lists: [List] = []
  private var chunks: [ChunkReference] = []
  private var pieces: [CopyPlan.Piece] = []
  private var pieceBytes = 0
  /// Files whose lists were read before.
  private var met: Set<ObjectID> = []
  private(set) var skipped = 0
  private(set) var failures: [TransferFailure] = []
  /// What records say was erased, and what of it was met: it is neither copied nor missed.
  private let erased: Set<ObjectID>
  private(set) var metErased: Set<ObjectID> = []

  private struct File {
    let oid: ObjectID
    let size: UInt64
  }

  /// A node of a chunk list to read.
  private struct List {
    let key: ObjectKey
    let place: ChunkListNode.Place
    /// Bytes of the file that it covers: how long the node is follows from that.
    let bytes: UInt64

    var expectedByteCount: Int { min(ChunkListNode.maximumByteCount, 100 + Int(clamping: bytes >> 10)) }
  }

  /// Files and chunks asked for at a time: some megabytes of memory.
  private static let batchCount = 1 << 16
  /// Pieces handed on at a time, by number and by stored bytes.
  private static let handOnCount = 1 << 17
  private static let handOnBytes = 1 << 30
  /// Bytes of lists read at a time.
  private static let listBytes = 16 << 20

  init(
    reader: StructureReader, source: ObjectStore, writer: ObjectWriter,
    handOn: @escaping ([CopyPlan.Piece]) async throws -> Void
  ) {
    self.reader = reader
    self.source = source
    self.writer = writer
    self.handOn = handOn
    erased = source.erased.union(writer.store.erased)
  }

  /// Adds a file, or a symlink with its target's bytes.
  mutating func add(_ oid: ObjectID, size: UInt64) async throws {
    guard size > 0 else { return }
    if erased.contains(oid) {
      metErased.insert(oid)
      return
    }
    files.append(File(oid: oid, size: size))
    if files.count >= Self.batchCount { try await resolveFiles() }
  }

  /// Hands on what is left.
  mutating func finish() async throws {
    try await resolveFiles()
    try await resolveChunks()
    if !pieces.isEmpty { try await handOnPieces() }
  }

  // MARK: Files

  private mutating func resolveFiles() async throws {
    var batch = files
    files.removeAll(keepingCapacity: true)
    batch.sort { $0.oid < $1.oid }
    batch.removeRepeats { $0.oid == $1.oid }
    // Longer ones have a list: no chunk is that long.
    let short = batch.filter { $0.size <= UInt64(ObjectKind.chunk.byteLimit) }
    let rest = try await resolve(short.map { ChunkReference(id: $0.oid, length: Int($0.size)) })
    for chunk in rest { enterList(chunk.id, size: UInt64(chunk.length)) }
    for file in batch where file.size > UInt64(ObjectKind.chunk.byteLimit) { enterList(file.oid, size: file.size) }
    try await readLists()
  }

  private mutating func resolveChunks() async throws {
    var batch = chunks
    chunks.removeAll(keepingCapacity: true)
    batch.sort { $0.id < $1.id }
    batch.removeRepeats { $0.id == $1.id }
    for chunk in try await resolve(batch) {
      let key = ObjectKey(kind: .chunk, id: chunk.id)
      failures.append(TransferFailure(StoreError(.missing, "The \(key) is not in \(source.name)."), key: key))
    }
  }

  /// Plans to copy what the destination lacks.
  ///
  /// - Parameter wanted: in ascending order of IDs.
  /// - Returns: what neither store has as a chunk of that length.
  private mutating func resolve(_ wanted: [ChunkReference]) async throws -> [ChunkReference] {
    let keys = wanted.map { ObjectKey(kind: .chunk, id: $0.id) }
    let claims = try await writer.claim(ascending: keys)
    var lacking: [Int] = []
    for index in keys.indices {
      if claims[index] { lacking.append(index) } else { skipped += 1 }
    }
    var found = [Bool](repeating: false, count: lacking.count)
    var last: IndexContainer?
    try await source.index.locations(ofAll: lacking.map { keys[$0] }).forEachObject { number, places in
      let chunk = wanted[lacking[number]]
      // Out of several places the one that goes on from the last.
      let fitting = places.filter { $0.location.length == chunk.length }
      guard let place = fitting.first(where: { $0.location.container == last }) ?? fitting.first else { return }
      last = place.location.container
      found[number] = true
      pieces.append(CopyPlan.Piece(key: keys[lacking[number]], location: place.location))
      pieceBytes += place.location.storedLength
    }
    if pieces.count >= Self.handOnCount || pieceBytes >= Self.handOnBytes { try await handOnPieces() }
    return lacking.indices.filter { !found[$0] }.map { wanted[lacking[$0]] }
  }

  private mutating func handOnPieces() async throws {
    let batch = pieces
    pieces = []
    pieceBytes = 0
    try await handOn(batch)
  }

  // MARK: Lists

  private mutating func enterList(_ oid: ObjectID, size: UInt64) {
    guard met.insert(oid).inserted else { return }
    lists.append(List(key: ObjectKey(kind: .chunkList, id: oid), place: .root(bytes: size), bytes: size))
  }

  private mutating func readLists() async throws {
    while !lists.isEmpty {
      var taken: [List] = []
      var bytes = 0
      while let list = lists.last, taken.isEmpty || bytes < Self.listBytes {
        bytes += list.expectedByteCount
        taken.append(lists.removeLast())
      }
      taken.sort { $0.key < $1.key }
      taken.removeRepeats { $0.key == $1.key }
      try await open(taken)
    }
  }

  private mutating func open(_ taken: [List]) async throws {
    let results = try await reader.read(ascending: taken.map(\.key))
    var readable: [(key: ObjectKey, bytes: [UInt8])] = []
    for (list, result) in zip(taken, results) {
      do throws(StoreError) {
        let bytes = try result.get()
        let node = try StructureReader.list(list.key, bytes, at: list.place)
        readable.append((list.key, bytes))
        enter(node, of: list)
      } catch {
        note(error, list)
      }
      // In the order of the files: so most packs go whole.
      if chunks.count >= Self.batchCount { try await resolveChunks() }
    }
    let claims = try await writer.claim(ascending: readable.map(\.key))
    for (list, isClaimed) in zip(readable, claims) {
      guard isClaimed else {
        skipped += 1
        continue
      }
      try writer.putStructure(list.bytes.span, as: list.key)
    }
  }

  private mutating func enter(_ node: ChunkListNode, of list: List) {
    switch node.entries {
    case .chunks(let references): chunks += references
    case .nodes(let nodes):
      for (index, child) in nodes.enumerated() {
        let key = ObjectKey(kind: .chunkListNode, id: child.id)
        lists.append(List(key: key, place: node.place(ofNode: index, in: list.place), bytes: child.bytes))
      }
    }
  }

  /// Keeps a failure. A short file without a list is a chunk that is missing.
  private mutating func note(_ error: StoreError, _ list: List) {
    if error.code == .missing, list.key.kind == .chunkList, list.bytes <= UInt64(ChunkLimits.standard.minimum) {
      let key = ObjectKey(kind: .chunk, id: list.key.id)
      failures.append(TransferFailure(StoreError(.missing, "The \(key) is not in \(source.name)."), key: key))
    } else {
      failures.append(TransferFailure(error, key: list.key))
    }
  }
}

extension Array {
  /// Leaves out every element that is the same as the one before it.
  fileprivate mutating func removeRepeats(_ isSame: (Element, Element) -> Bool) {
    var kept = 0
    for index in indices where kept == 0 || !isSame(self[kept - 1], self[index]) {
      self[kept] = self[index]
      kept += 1
    }
    removeLast(count - kept)
  }
}
