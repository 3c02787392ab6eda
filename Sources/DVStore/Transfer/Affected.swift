import DVObject

/// Finds the paths that cannot be complete without certain objects.
struct Affected {
  let reader: StructureReader

  /// Adds to each failure the paths under `roots` that need its object.
  ///
  /// - Complexity: O(*n*) in the files under the roots: for the rare case of damage.
  func name(_ failures: inout [TransferFailure], roots: [TransferRoot]) async throws {
    var places: [ObjectID: [Int]] = [:]
    for (index, failure) in failures.enumerated() { places[failure.key.id, default: []].append(index) }
    for root in roots {
      switch root.kind {
      case .file: try await visitFile(root.oid, size: root.size, path: root.label, places, &failures)
      case .tree: try await visitTree(root.oid, path: root.label, places, &failures)
      }
    }
  }

  private func visitTree(
    _ oid: ObjectID, path: String, _ places: [ObjectID: [Int]], _ failures: inout [TransferFailure]
  ) async throws {
    // What cannot be read was named when the walk met it.
    guard let node = try? await reader.node(oid) else { return }
    for item in node.items {
      let below = path + "/" + String(decoding: item.name, as: UTF8.self)
      switch item.mode {
      case nil: try await visitTree(item.oid, path: path, places, &failures)
      case .directory?: try await visitTree(item.oid, path: below, places, &failures)
      default: try await visitFile(item.oid, size: item.size, path: below, places, &failures)
      }
    }
  }

  private func visitFile(
    _ oid: ObjectID, size: UInt64, path: String, _ places: [ObjectID: [Int]], _ failures: inout [TransferFailure]
  ) async throws {
    note(oid, path: path, places, &failures)
    if size > UInt64(ChunkLimits.standard.minimum) {
      try await visitList(ObjectKey(kind: .chunkList, id: oid), path: path, places, &failures)
    }
  }

  private func visitList(
    _ key: ObjectKey, path: String, _ places: [ObjectID: [Int]], _ failures: inout [TransferFailure]
  ) async throws {
    guard let bytes = try? await reader.read(key), let node = try? ChunkListNode(decoding: bytes.span) else { return }
    switch node.entries {
    case .chunks(let chunks):
      for chunk in chunks { note(chunk.id, path: path, places, &failures) }
    case .nodes(let nodes):
      for child in nodes {
        try await visitList(ObjectKey(kind: .chunkListNode, id: child.id), path: path, places, &failures)
      }
    }
  }

  private func note(_ id: ObjectID, path: String, _ places: [ObjectID: [Int]], _ failures: inout [TransferFailure]) {
    for index in places[id] ?? [] where failures[index].affects.last != path { failures[index].affects.append(path) }
  }
}
