import DVObject

/// Finds what a destination lacks of the objects under some roots.
///
/// Directories are opened many at a time and their nodes read together, because a remote answers a hundred questions in the
/// time of a few. New nodes are stored at the destination on the way; files go on to ``ContentWalk``. A subtree that equals
/// one of a base tree, which the destination is known to have whole, is not entered: the cost is that of what changed.
struct ClosureWalk {
  private let reader: StructureReader
  private let writer: ObjectWriter
  private var content: ContentWalk
  /// Directories to open.
  private var waiting: [Visit] = []
  /// Trees entered before: a dataset may hold one directory many times.
  private var met: Set<ObjectID> = []
  private var ownSkipped = 0
  private var ownFailures: [TransferFailure] = []

  /// A directory to open.
  private struct Visit {
    let oid: ObjectID
    /// A directory that the destination has whole.
    let base: ObjectID?
    /// The part that is wanted; empty for all.
    let inside: ArraySlice<TreeName>
    let files: UInt64
  }

  /// Directories opened at a time, and the files below them that are reason enough to open no more.
  private static let openCount = 512
  private static let openFiles: UInt64 = 1 << 17

  init(reader: StructureReader, content: ContentWalk) {
    self.reader = reader
    self.content = content
    writer = content.writer
  }

  /// Objects that the destination had.
  var skipped: Int { ownSkipped + content.skipped }

  /// Nodes, lists and chunks that are damaged or missing; what they affect is not known yet.
  var failures: [TransferFailure] { ownFailures + content.failures }

  /// What was met that records say was erased.
  var metErased: Set<ObjectID> { content.metErased }

  /// Walks all under one root.
  ///
  /// - Parameter base: the tree that the destination has whole.
  mutating func walk(_ root: TransferRoot, base: ObjectID?) async throws {
    switch root.kind {
    case .file: try await content.add(root.oid, size: root.size)
    case .tree:
      enter(Visit(oid: root.oid, base: base, inside: root.inside[...], files: .max))
      while !waiting.isEmpty { try await open(take()) }
    }
  }

  /// Hands on what is left.
  mutating func finish() async throws { try await content.finish() }

  // MARK: Directories

  private mutating func enter(_ visit: Visit) {
    if visit.oid == visit.base { return }
    if visit.inside.isEmpty, !met.insert(visit.oid).inserted { return }
    waiting.append(visit)
  }

  /// Takes the directories to open next, the deepest first: few wait then.
  private mutating func take() -> [Visit] {
    var taken: [Visit] = []
    var files: UInt64 = 0
    while let visit = waiting.last, taken.isEmpty || (taken.count < Self.openCount && files < Self.openFiles) {
      files = files.addingReportingOverflow(visit.files).partialValue
      taken.append(waiting.removeLast())
    }
    return taken
  }

  /// A directory whose nodes are being read, beside its base.
  private struct OpenDirectory {
    let visit: Visit
    /// Nodes to read next, of the directory and of its base: never one that both have.
    var fresh: [ObjectID]
    var old: [ObjectID]
    /// Entries that may differ, in order of names.
    var entries: [TreeNode.Item] = []
    var oldEntries: [TreeNode.Item] = []

    init(_ visit: Visit) {
      self.visit = visit
      fresh = [visit.oid]
      old = visit.base.map { [$0] } ?? []
    }

    mutating func take(fresh nodes: [TreeNode?], old oldNodes: [TreeNode?]) {
      (fresh, old) = ([], [])
      for case let node? in nodes {
        if node.level == 0 {
          entries += node.items
        } else if let wanted = visit.inside.first {
          // Only the node that may hold the name: the first whose last name is not before it.
          let index = node.firstIndex(notBefore: wanted.bytes.span)
          if index < node.count { fresh.append(node.items[index].oid) }
        } else {
          fresh += node.items.map(\.oid)
        }
      }
      for case let node? in oldNodes {
        if node.level == 0 { oldEntries += node.items } else { old += node.items.map(\.oid) }
      }
      if !fresh.isEmpty, !old.isEmpty {
        let (shared, unchanged) = (Set(old), Set(fresh))
        fresh.removeAll { shared.contains($0) }
        old.removeAll { unchanged.contains($0) }
      }
    }
  }

  private mutating func open(_ visits: [Visit]) async throws {
    var directories = visits.map { OpenDirectory($0) }
    while directories.contains(where: { !$0.fresh.isEmpty }) {
      let fresh = try await nodes(Set(directories.flatMap(\.fresh)), isNew: true)
      // A base that cannot be read saves nothing, and costs nothing else.
      let old = try await nodes(Set(directories.flatMap(\.old)), isNew: false)
      for index in directories.indices {
        let wanted = directories[index].fresh.map { fresh[$0] }
        directories[index].take(fresh: wanted, old: directories[index].old.map { old[$0] })
      }
    }
    for directory in directories { try await enter(entriesOf: directory) }
  }

  /// Reads nodes, and stores at the destination those that are new to it.
  private mutating func nodes(_ ids: Set<ObjectID>, isNew: Bool) async throws -> [ObjectID: TreeNode] {
    guard !ids.isEmpty else { return [:] }
    let keys = ids.sorted().map { ObjectKey(kind: .treeNode, id: $0) }
    let results = try await reader.read(ascending: keys)
    var nodes: [ObjectID: TreeNode] = [:]
    var readable: [ObjectKey] = []
    for (key, result) in zip(keys, results) {
      do throws(StoreError) {
        nodes[key.id] = try StructureReader.node(key, try result.get())
        readable.append(key)
      } catch {
        if isNew { ownFailures.append(TransferFailure(error, key: key)) }
      }
    }
    guard isNew else { return nodes }
    let claims = try await writer.claim(ascending: readable)
    for (key, isClaimed) in zip(readable, claims) {
      guard isClaimed, let node = nodes[key.id] else {
        ownSkipped += 1
        continue
      }
      try writer.putStructure(node.encoded.span, as: key)
    }
    return nodes
  }

  /// Goes on with the entries that differ from the base: both lists are in order of names.
  private mutating func enter(entriesOf directory: OpenDirectory) async throws {
    let inside = directory.visit.inside
    let oldEntries = directory.oldEntries
    var place = 0
    for entry in directory.entries {
      let name = entry.name
      if let wanted = inside.first, !name.elementsEqual(wanted.bytes) { continue }
      while place < oldEntries.count, oldEntries[place].name.lexicographicallyPrecedes(name) { place += 1 }
      let old = place < oldEntries.count && oldEntries[place].name == name ? oldEntries[place] : nil
      if let old, old.oid == entry.oid, old.mode == entry.mode, old.size == entry.size { continue }
      if entry.mode == .directory {
        enter(
          Visit(
            oid: entry.oid, base: old?.mode == .directory ? old?.oid : nil, inside: inside.dropFirst(),
            files: entry.files))
      } else if inside.count <= 1 {
        try await content.add(entry.oid, size: entry.size)
      }
    }
  }
}

extension TransferFailure {
  /// A failure that concerns one object.
  init(_ error: StoreError, key: ObjectKey) {
    self.init(key: key, isCorrupt: error.code == .corrupt, message: error.message, affects: [])
  }
}
