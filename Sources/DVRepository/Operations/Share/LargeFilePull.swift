import DVFile
import DVObject
import DVStore
import DVWorkspace
import SystemPackage

/// Brings the large files of a pull into the store and, in the same pass, beside the targets that a checkout will make.
///
/// Whatever goes wrong with a file here is left to the fetch that follows: it looks in every place and names what is lost.
struct LargeFilePull {
  private let repository: Repository
  /// How many runs of chunks are read ahead at most; `nil` for what suits the remote.
  private let width: Int?
  /// What was written and proved, by target.
  private(set) var prepared: [TreePath: PreparedFiles] = [:]

  /// From this size on, in bytes, a second pass costs more than asking for a file by itself.
  private static let minimumSize: UInt64 = 64 << 20

  init(of repository: Repository, width: Int?) {
    self.repository = repository
    self.width = width
  }

  /// Brings what is new of the data that the local store lacks.
  ///
  /// - Returns: what was added to the local store.
  mutating func run(
    _ lacking: [SharedItem], from source: ObjectStore, to local: ObjectStore, progress: ProgressSink
  ) async throws -> WriteReport {
    var total = WriteReport()
    let stream = FileStream(from: source, to: local, width: width) { progress.count($0) }
    for item in lacking {
      let location = try repository.requireWorkDirectory().appending(item.data.target)
      var met = source.erased.union(local.erased)
      for file in try await source.largeFiles(under: item.root, minimum: Self.minimumSize, readingFrom: local) {
        try Task.checkCancellation()
        guard met.insert(file.oid).inserted, try await !local.containsFile(file.oid) else { continue }
        // A file of that size that is there is mostly the same one, and a checkout would not write it.
        let there = file.names.reduce(location) { $0.appending(name: $1) }
        guard try there.fileStat()?.size != file.size else { continue }
        guard let report = try await bring(file, of: item.data.target, at: location, by: stream) else { continue }
        total.objects += report.objects
        total.storedBytes += report.storedBytes
        total.packs += report.packs
      }
    }
    return total
  }

  private mutating func bring(
    _ file: ContainedFile, of target: TreePath, at location: FilePath, by stream: FileStream
  ) async throws -> WriteReport? {
    let files: PreparedFiles
    if let open = prepared[target] { files = open } else {
      try location.containingDirectory.createDirectories()
      files = try PreparedFiles(for: location)
      prepared[target] = files
    }
    let written = try files.create(file.oid)
    do {
      guard let report = try await stream.run(file.oid, size: file.size, into: { try written.append($0) }) else {
        written.discard()
        return nil
      }
      try files.add(file.oid, written)
      return report
    } catch let error as StoreError where error.code == .corrupt || error.code == .missing {
      written.discard()
      return nil
    }
  }

  /// Removes what the checkout had no use for.
  func removeRest() { for files in prepared.values { files.remove() } }
}
