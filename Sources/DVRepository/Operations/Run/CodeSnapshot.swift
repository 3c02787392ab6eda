import DVFile
import DVGit
import DVLineage
import DVObject
import DVStore
import DVWorkspace
import SystemPackage

/// The code of a run: the files that git tracks as they are on disk, those of submodules too, and untracked ones that the
/// stage declares. Without dv's own records, without what looks like a secret.
struct CodeSnapshot {
  let writer: ObjectWriter
  /// Files that were left out because they look like secrets.
  private(set) var secrets: [TreePath] = []
  private var memory = CodecMemory()

  /// Untracked inputs up to this size belong to the code; in bytes.
  static let untrackedLimit: UInt64 = 16 << 20

  init(writer: ObjectWriter) { self.writer = writer }

  /// Stores the snapshot and returns its tree.
  ///
  /// - Parameter declared: files and directories that the stage reads.
  mutating func take(of repository: Repository, declared: [TreePath]) async throws -> RunRecord.StoredObject {
    let root = try repository.requireWorkDirectory()
    var folder = Folder()
    try await add(repository.git, root: root, prefix: .root, to: &folder)
    for path in declared where !PointerFile.isPointerName(path) && !folder.contains(path.names[...]) {
      guard try root.kindIfThere(path) == .regular, try repository.pointerSearch().resolve(path) == nil,
        let stat = try root.appending(path).fileStatFollowingLinks(), stat.size <= Self.untrackedLimit
      else { continue }
      try await addFile(path, root: root, to: &folder)
    }
    let stored = try await store(folder)
    return RunRecord.StoredObject(stored.oid, size: stored.totals.bytes)
  }

  /// A directory of the snapshot.
  private struct Folder {
    var files: [[UInt8]: TreeEntry] = [:]
    var folders: [[UInt8]: Folder] = [:]

    mutating func insert(_ entry: TreeEntry, at names: ArraySlice<[UInt8]>) {
      guard let first = names.first, names.count > 1 else { return files[entry.name.bytes] = entry }
      folders[first, default: Folder()].insert(entry, at: names.dropFirst())
    }

    func contains(_ names: ArraySlice<[UInt8]>) -> Bool {
      guard let first = names.first else { return false }
      return names.count == 1 ? files[first] != nil : folders[first]?.contains(names.dropFirst()) ?? false
    }
  }

  private mutating func add(
    _ git: GitRepository, root: FilePath, prefix: TreePath, to folder: inout Folder
  ) async throws {
    for entry in try git.index().entries(under: .root) where entry.stage == 0 {
      guard let inner = TreePath(entry.path.bytes) else { continue }
      let path = prefix.appending(inner)
      if path.names.starts(with: [Array(".dv".utf8), Array("records".utf8)]) { continue }
      if entry.kind == .submodule {
        // By its content: its commit may be on no remote.
        let place = root.appending(inner)
        guard try place.appending(".git").fileStat() != nil else { continue }
        try await add(try GitRepository(discoveringFrom: place), root: place, prefix: path, to: &folder)
      } else {
        try await addFile(inner, root: root, as: path, to: &folder)
      }
    }
  }

  /// Adds a file or link as it is on disk; one that is not there is left out.
  private mutating func addFile(
    _ path: TreePath, root: FilePath, as name: TreePath? = nil, to folder: inout Folder
  ) async throws {
    let name = name ?? path
    if SecretName.isFile(name.lastName) { return secrets.append(name) }
    let file = root.appending(path)
    guard let last = try? TreeName(name.lastName) else { return }
    do throws(FileError) {
      guard let stat = try file.fileStat() else { return }
      switch stat.kind {
      case .symlink:
        let target = try file.readLink()
        let oid = try await ingest(target)
        folder.insert(TreeEntry(name: last, mode: .symlink, oid: oid, size: UInt64(target.count)), at: name.names[...])
      case .regular:
        let (oid, size) = try await ingest(file, stat)
        let mode: EntryMode = stat.isExecutable ? .executable : .file
        folder.insert(TreeEntry(name: last, mode: mode, oid: oid, size: size), at: name.names[...])
      default: return
      }
    } catch {
      if error.code == .notFound || error.code == .notDirectory { return }
      throw error
    }
  }

  private mutating func ingest(_ bytes: [UInt8]) async throws(FileError) -> ObjectID {
    do { return try await ContentIngest(writer: writer).ingest(bytes, memory: &memory) } catch {
      throw FileError(code: .io, path: "", message: "\(error)")
    }
  }

  private mutating func ingest(_ file: FilePath, _ stat: FileStat) async throws(FileError) -> (ObjectID, UInt64) {
    if stat.size <= UInt64(ContentIngest.smallLimit) {
      let bytes = try file.readAll(limit: ContentIngest.smallLimit)
      return (try await ingest(bytes), UInt64(bytes.count))
    }
    let reader = try FileReader(file)
    do {
      let large = try await ContentIngest(writer: writer).ingestLarge(reader)
      return (large.oid, large.size)
    } catch {
      throw FileError(code: .io, path: file, message: "\(error)")
    }
  }

  private func store(_ folder: Folder) async throws -> (oid: ObjectID, totals: TreeTotals) {
    var entries = Array(folder.files.values)
    for (name, inner) in folder.folders {
      let stored = try await store(inner)
      entries.append(
        TreeEntry(
          name: try TreeName(name), mode: .directory, oid: stored.oid, size: stored.totals.bytes, files: stored.totals.files))
    }
    var builder = TreeBuilder()
    var nodes: [(ObjectID, [UInt8])] = []
    for entry in entries.sorted(by: { $0.name < $1.name }) { try builder.append(entry) { nodes.append(($0, $1)) } }
    let root = try builder.finish { nodes.append(($0, $1)) }
    for (id, bytes) in nodes { try await writer.store(bytes, as: ObjectKey(kind: .treeNode, id: id)) }
    return root
  }
}
