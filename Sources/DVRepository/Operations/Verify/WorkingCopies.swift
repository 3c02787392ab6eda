import DVFile
import DVObject
import DVStore
import DVWorkspace
import SystemPackage

/// Files of the working tree that are what a damaged store should have.
struct WorkingCopies {
  private let repository: Repository
  private let root: FilePath?
  private let report: StoreCheckReport
  /// Files that were hashed, with what they are.
  private var hashed: [FilePath: ObjectID] = [:]

  init(of report: StoreCheckReport, in repository: Repository) {
    self.report = report
    self.repository = repository
    root = repository.workDirectory
  }

  /// Returns a file whose content needs the object, and is what it should be.
  mutating func file(for key: ObjectKey) async throws -> (path: TreePath, impact: Impact)? {
    for impact in report.impacts[key] ?? [] where impact.kind == .file {
      guard let path = path(of: impact), try await holds(path, impact) else { continue }
      return (path, impact)
    }
    return nil
  }

  private func path(of impact: Impact) -> TreePath? {
    let label = Array(report.contents[impact.root].label.utf8)
    return TreePath(impact.path.isEmpty ? label : label + [UInt8(ascii: "/")] + impact.path)
  }

  private mutating func holds(_ path: TreePath, _ impact: Impact) async throws -> Bool {
    guard let root else { return false }
    let place = root.appending(path)
    if let known = hashed[place] { return known == impact.oid }
    guard let stat = try place.fileStat(), stat.kind == .regular, stat.size == impact.size else { return false }
    guard let oid = try? await Self.ingest(place, writer: nil) else { return false }
    hashed[place] = oid
    return oid == impact.oid
  }

  private static func ingest(_ place: FilePath, writer: ObjectWriter?) async throws -> ObjectID {
    let content = ContentIngest(writer: writer)
    let reader = try FileReader(place)
    if try reader.stat().size <= UInt64(ContentIngest.smallLimit) {
      var bytes: [UInt8] = []
      try reader.readAll(into: &bytes, limit: 2 * ContentIngest.smallLimit)
      var memory = CodecMemory()
      return try await content.ingest(bytes, memory: &memory)
    }
    return try await content.ingestLarge(reader).oid
  }

  // MARK: - Healing

  /// Stores again what files of the working tree have of `keys`.
  ///
  /// Whole files that are what a pointer says are ingested: their chunks and lists come with them. Nodes are built of
  /// directories that are what a pointer says.
  mutating func heal(_ keys: Set<ObjectKey>, into writer: ObjectWriter) async throws {
    guard let root else { return }
    var ingested: Set<FilePath> = []
    for key in keys.sorted() where key.kind != .treeNode {
      guard let (path, _) = try await file(for: key) else { continue }
      let place = root.appending(path)
      if ingested.insert(place).inserted { _ = try await Self.ingest(place, writer: writer) }
    }
    for (key, bytes) in try await nodes(keys.filter { $0.kind == .treeNode }) { try await writer.store(bytes, as: key) }
  }

  /// Returns those of some tree nodes that directories of the working tree are made of, with their bytes.
  func nodes(_ keys: Set<ObjectKey>) async throws -> [ObjectKey: [UInt8]] {
    guard root != nil else { return [:] }
    var targets: [TreePath] = []
    for impact in keys.flatMap({ report.impacts[$0] ?? [] }) {
      guard let target = TreePath(Array(report.contents[impact.root].label.utf8)), !targets.contains(target) else { continue }
      targets.append(target)
    }
    var found: [ObjectKey: [UInt8]] = [:]
    for target in targets where found.count < keys.count {
      for (key, bytes) in try await Self.nodes(keys.filter { found[$0] == nil }, of: target, in: repository) {
        found[key] = bytes
      }
    }
    return found
  }

  /// Returns those of `keys` that the directory on disk is made of.
  private static func nodes(
    _ keys: Set<ObjectKey>, of target: TreePath, in repository: Repository
  ) async throws -> [ObjectKey: [UInt8]] {
    let location = try repository.requireWorkDirectory().appending(target)
    guard try location.fileStat() != nil else { return [:] }
    let scan = TreeScan(location: location, target: target, rules: try repository.ignoreRules(above: target))
    guard let found = try await scan.run(cache: nil) else { return [:] }
    let made = try await TreeIngest(of: scan, writer: nil).run(found)
    let read = made.reader { id in
      throw StoreError(.missing, "The directory has no node \(id).")
    }
    var nodes: [ObjectKey: [UInt8]] = [:]
    for key in keys {
      if let bytes = try? await read(key.id) { nodes[key] = bytes }
    }
    return nodes
  }
}
