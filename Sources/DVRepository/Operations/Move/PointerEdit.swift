import DVGit
import DVObject
import DVStore
import DVWorkspace
import Synchronization

/// Changes what pointers say without looking at the disk: a path taken out of a tree, or put into one.
///
/// New nodes are durable before any pointer names them.
struct PointerEdit {
  private let repository: Repository
  private let local: LocalStore
  private let writer: ObjectWriter
  private let editor: TreeEditor
  private var pointers: [TreePath: Pointer] = [:]
  /// In the order in which they are to be written.
  private var order: [TreePath] = []

  init(in repository: Repository) async throws {
    self.repository = repository
    local = try await repository.localStore(for: .write)
    let writer = ObjectWriter(addingTo: local.store)
    self.writer = writer
    let made = MadeNodes()
    let nodes = try repository.dataReader().nodes
    editor = TreeEditor(
      read: { id in if let bytes = made[id] { bytes } else { try await nodes(id) } },
      emit: { id, bytes in
        made.keep(id, bytes)
        try await writer.store(bytes, as: ObjectKey(kind: .treeNode, id: id))
      })
  }

  /// Puts `item` at a path of a target in place of what is there, or nothing.
  mutating func replace(_ inside: TreePath, of data: TrackedData, with item: TreeEditor.Item?) async throws {
    let pointer = pointers[data.target] ?? data.pointer
    let root = try await editor.replacing(inside, in: pointer.oid, with: item)
    if pointers[data.target] == nil { order.append(data.target) }
    pointers[data.target] = Pointer(tree: root.oid, totals: root.totals)
  }

  /// Writes and stages the pointers that changed.
  func finish() async throws {
    _ = try await writer.finish()
    let root = try repository.requireWorkDirectory()
    for target in order {
      guard let pointer = pointers[target] else { continue }
      try PointerFile(path: PointerFile.path(for: target), pointer: pointer).write(in: root)
    }
    try repository.git.stage(adding: try order.map { try GitPath(PointerFile.path(for: $0).bytes) })
  }
}

/// Nodes of a session that is not finished, which no store shows yet.
private final class MadeNodes: Sendable {
  private let nodes = Mutex<[ObjectID: [UInt8]]>([:])

  subscript(id: ObjectID) -> [UInt8]? { nodes.withLock { $0[id] } }

  func keep(_ id: ObjectID, _ bytes: [UInt8]) { nodes.withLock { $0[id] = bytes } }
}
