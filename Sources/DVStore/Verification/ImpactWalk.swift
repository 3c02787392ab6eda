public import DVObject

/// A path that cannot be complete without an object.
public struct Impact: Hashable, Sendable {
  /// The number of the content, as it was given.
  public let root: Int
  /// The path below the content, in bytes; empty for the content itself.
  public let path: [UInt8]
  /// What is at that path: a file or symlink by its content, a directory by its tree.
  public let kind: TransferRoot.Kind
  public let oid: ObjectID
  public let size: UInt64
}

/// Finds the paths that cannot be complete without certain objects.
///
/// Goes through all the directories under the contents, each once for as long as nothing in it failed, and through the lists of
/// their files: that is for the rare case of damage.
struct ImpactWalk {
  private let store: ObjectStore
  private let failed: Set<ObjectKey>
  private(set) var impacts: [ObjectKey: [Impact]] = [:]

  /// Trees of which nothing failed below, and files of which nothing failed.
  private var sound: Set<ObjectID> = []
  private var root = 0
  /// Which of the failed objects a list needs: a file may be met many times.
  private var listNeeds: [ObjectID: Set<ObjectKey>] = [:]

  init(in store: ObjectStore, of failed: Set<ObjectKey>) {
    self.store = store
    self.failed = failed
  }

  /// Looks for what failed under one content.
  mutating func visit(_ content: TransferRoot, number: Int) async throws {
    root = number
    switch content.kind {
    case .file: _ = try await visitFile(content.oid, size: content.size, path: [])
    case .tree: _ = try await visitTree(content.oid, size: content.size, inside: content.inside[...], path: [])
    }
  }

  /// - Returns: whether nothing failed here or below.
  private mutating func visitTree(
    _ oid: ObjectID, size: UInt64, inside: ArraySlice<TreeName>, path: [UInt8]
  ) async throws -> Bool {
    if sound.contains(oid) { return true }
    let key = ObjectKey(kind: .treeNode, id: oid)
    if failed.contains(key) {
      note(key, Impact(root: root, path: path, kind: .tree, oid: oid, size: size))
      return false
    }
    // What cannot be read and did not fail need not be here.
    guard let node = try await node(key) else { return true }
    var isSound = true
    for item in node.items {
      let isNode = item.mode == nil
      if !isNode, let wanted = inside.first, !item.name.elementsEqual(wanted.bytes) { continue }
      let below = isNode ? path : path + (path.isEmpty ? [] : [UInt8(ascii: "/")]) + item.name
      let isWhole: Bool
      switch item.mode {
      case nil: isWhole = try await visitTree(item.oid, size: item.size, inside: inside, path: path)
      case .directory?:
        isWhole = try await visitTree(item.oid, size: item.size, inside: inside.dropFirst(), path: below)
      default: isWhole = try await visitFile(item.oid, size: item.size, path: below)
      }
      isSound = isSound && isWhole
    }
    if isSound, inside.isEmpty { sound.insert(oid) }
    return isSound
  }

  private func node(_ key: ObjectKey) async throws -> TreeNode? {
    guard try await store.contains(key) else { return nil }
    do throws(StoreError) {
      let bytes = try await store.read(key)
      return try? TreeNode(decoding: bytes)
    } catch {
      guard error.code == .corrupt || error.code == .missing else { throw error }
      return nil
    }
  }

  private mutating func visitFile(_ oid: ObjectID, size: UInt64, path: [UInt8]) async throws -> Bool {
    if sound.contains(oid) { return true }
    let impact = Impact(root: root, path: path, kind: .file, oid: oid, size: size)
    let chunk = ObjectKey(kind: .chunk, id: oid)
    if failed.contains(chunk) {
      note(chunk, impact)
      return false
    }
    guard size > UInt64(ChunkLimits.standard.minimum) else { return true }
    let needs: Set<ObjectKey>
    if let known = listNeeds[oid] {
      needs = known
    } else {
      var found: Set<ObjectKey> = []
      try await collect(ObjectKey(kind: .chunkList, id: oid), into: &found)
      needs = found
      if found.isEmpty { sound.insert(oid) } else { listNeeds[oid] = found }
    }
    for key in needs { note(key, impact) }
    return needs.isEmpty
  }

  /// Finds which of the failed objects a list needs.
  private mutating func collect(_ key: ObjectKey, into needs: inout Set<ObjectKey>) async throws {
    if failed.contains(key) {
      needs.insert(key)
      return
    }
    guard try await store.contains(key), let bytes = try? await store.read(key),
      let node = try? ChunkListNode(decoding: bytes.span)
    else { return }
    switch node.entries {
    case .chunks(let chunks):
      for chunk in chunks {
        let chunkKey = ObjectKey(kind: .chunk, id: chunk.id)
        if failed.contains(chunkKey) { needs.insert(chunkKey) }
      }
    case .nodes(let nodes):
      for child in nodes { try await collect(ObjectKey(kind: .chunkListNode, id: child.id), into: &needs) }
    }
  }

  private mutating func note(_ key: ObjectKey, _ impact: Impact) {
    // Nodes of one directory lead to the same path.
    if impacts[key]?.last != impact { impacts[key, default: []].append(impact) }
  }
}
