import DVObject

/// Finds the paths that cannot be complete without certain objects.
///
/// Goes through all the files under the roots, which is for the rare case of damage.
struct Affected {
  private let reader: StructureReader
  /// The failures, each with the paths it affects.
  private(set) var failures: [TransferFailure]
  /// The numbers of the roots that are not complete.
  private(set) var roots: Set<Int> = []
  /// Chunk lists that name a chunk or node that failed.
  private(set) var lists: Set<ObjectKey> = []

  private var places: [ObjectKey: [Int]] = [:]
  /// Trees of which nothing failed below.
  private var sound: Set<ObjectID> = []
  private var root = 0

  init(reader: StructureReader, failures: [TransferFailure]) {
    self.reader = reader
    self.failures = failures
    for (index, failure) in failures.enumerated() { places[failure.key, default: []].append(index) }
  }

  /// Looks for what failed under one root.
  mutating func visit(_ root: TransferRoot, number: Int) async throws {
    self.root = number
    switch root.kind {
    case .file: _ = try await visitFile(root.oid, size: root.size, path: root.label)
    case .tree: _ = try await visitTree(root.oid, inside: root.inside[...], path: root.label)
    }
  }

  /// - Returns: whether nothing failed here or below.
  private mutating func visitTree(
    _ oid: ObjectID, inside: ArraySlice<TreeName>, path: String
  ) async throws -> Bool {
    if sound.contains(oid) { return true }
    if note(ObjectKey(kind: .treeNode, id: oid), path: path) { return false }
    let node: TreeNode
    do throws(StoreError) { node = try await reader.node(oid) } catch {
      // Damaged or missing, but not walked over: another base had it.
      guard error.code == .corrupt || error.code == .missing else { throw error }
      return true
    }
    var isSound = true
    for item in node.items {
      let isNode = item.mode == nil
      if !isNode, let wanted = inside.first, !item.name.elementsEqual(wanted.bytes) { continue }
      let below = isNode ? path : path + "/" + String(decoding: item.name, as: UTF8.self)
      let isWhole: Bool
      switch item.mode {
      case nil: isWhole = try await visitTree(item.oid, inside: inside, path: path)
      case .directory?: isWhole = try await visitTree(item.oid, inside: inside.dropFirst(), path: below)
      default: isWhole = try await visitFile(item.oid, size: item.size, path: below)
      }
      isSound = isSound && isWhole
    }
    if isSound, inside.isEmpty { sound.insert(oid) }
    return isSound
  }

  private mutating func visitFile(_ oid: ObjectID, size: UInt64, path: String) async throws -> Bool {
    if note(ObjectKey(kind: .chunk, id: oid), path: path) { return false }
    guard size > UInt64(ChunkLimits.standard.minimum) else { return true }
    let key = ObjectKey(kind: .chunkList, id: oid)
    guard try await reader.holds(key) || places[key] != nil else { return true }
    let isSound = try await visitList(key, path: path)
    if !isSound { lists.insert(key) }
    return isSound
  }

  private mutating func visitList(_ key: ObjectKey, path: String) async throws -> Bool {
    if note(key, path: path) { return false }
    guard let bytes = try? await reader.read(key), let node = try? ChunkListNode(decoding: bytes.span) else { return true }
    var isSound = true
    switch node.entries {
    case .chunks(let chunks):
      for chunk in chunks where note(ObjectKey(kind: .chunk, id: chunk.id), path: path) { isSound = false }
    case .nodes(let nodes):
      for child in nodes {
        let key = ObjectKey(kind: .chunkListNode, id: child.id)
        if try await !visitList(key, path: path) {
          lists.insert(key)
          isSound = false
        }
      }
    }
    return isSound
  }

  /// Adds a path to the failures of an object.
  ///
  /// - Returns: whether there are any.
  private mutating func note(_ key: ObjectKey, path: String) -> Bool {
    guard let failed = places[key] else { return false }
    for index in failed where failures[index].affects.last != path { failures[index].affects.append(path) }
    roots.insert(root)
    return true
  }
}

extension StructureReader {
  /// Whether one of the stores has the object, by its index.
  func holds(_ key: ObjectKey) async throws(StoreError) -> Bool {
    for store in stores {
      if try await store.contains(key) { return true }
    }
    return false
  }
}
