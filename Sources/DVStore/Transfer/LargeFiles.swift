public import DVObject

/// A file of a version, by its content.
public struct ContainedFile: Hashable, Sendable {
  public let oid: ObjectID
  public let size: UInt64
  /// Names that lead to it from the version's root; empty for a version that is one file.
  public let names: [[UInt8]]
}

extension ObjectStore {
  /// Returns the files under a root that have `minimum` bytes or more, of a version that holds few enough nodes to look.
  ///
  /// Directories that have fewer bytes in all are passed over. After 256 nodes the search ends: such a version has many files,
  /// and its large ones are no hurry.
  ///
  /// - Parameter helper: a store to read nodes from first, as far as it has them.
  /// - Throws: ``StoreError`` if a store cannot be read. What is damaged or missing is passed over.
  public func largeFiles(
    under root: TransferRoot, minimum: UInt64, readingFrom helper: ObjectStore
  ) async throws(StoreError) -> [ContainedFile] {
    guard root.size >= minimum else { return [] }
    guard root.kind == .tree else { return [ContainedFile(oid: root.oid, size: root.size, names: [])] }
    let reader = StructureReader(stores: [helper, self])
    var found: [ContainedFile] = []
    var waiting: [(oid: ObjectID, names: [[UInt8]])] = [(root.oid, [])]
    var read = 0
    while let (oid, names) = waiting.popLast(), read < 256 {
      read += 1
      let node: TreeNode
      do throws(StoreError) { node = try await reader.node(oid) } catch {
        guard error.code == .corrupt || error.code == .missing else { throw error }
        continue
      }
      for item in node.items where item.size >= minimum {
        guard let mode = item.mode else {
          waiting.append((item.oid, names))
          continue
        }
        let depth = names.count
        if depth < root.inside.count, !item.name.elementsEqual(root.inside[depth].bytes) { continue }
        let path = names + [Array(item.name)]
        switch mode {
        case .directory: waiting.append((item.oid, path))
        case .symlink: break
        case .file, .executable:
          if path.count >= root.inside.count { found.append(ContainedFile(oid: item.oid, size: item.size, names: path)) }
        }
      }
    }
    return found
  }
}
