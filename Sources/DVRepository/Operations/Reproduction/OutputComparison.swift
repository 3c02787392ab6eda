import DVContent
import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// Compares outputs as they were recorded with those that were made again.
struct OutputComparison {
  let reader: DataReader
  /// A directory for recorded files.
  let scratch: FilePath
  let tolerances: Tolerances

  /// Compares one output.
  ///
  /// - Parameter file: where the new one is.
  func compare(_ recorded: PathState, _ made: ContentState, at file: FilePath) async throws -> ContentDifference {
    if recorded.content.isSame(as: made) { return ContentDifference(.identical) }
    let path = recorded.path.text
    switch (recorded.content.mode, made.mode) {
    case (.file, .file), (.exec, .exec), (.file, .exec), (.exec, .file):
      var found = try await compareFile(recorded.content.oid, recorded.content.size, file, path)
      if recorded.content.mode != made.mode {
        let reason = made.mode == .exec ? "it is executable now" : "it is no longer executable"
        found = ContentDifference(.different, reason, largest: found.largest)
      }
      return found
    case (.tree, .tree): return try await compareTrees(recorded.content.oid, made.oid, file, path)
    case (.directory, .directory):
      return ContentDifference(.different, "its files are others; git and dv keep only the digest of this directory")
    case (let old, let new): return ContentDifference(.different, "it is a \(new.rawValue), was a \(old.rawValue)")
    }
  }

  private func compareFile(_ oid: ObjectID, _ size: UInt64, _ file: FilePath, _ path: String) async throws -> ContentDifference {
    let old = scratch.appending(RandomName.letters())
    defer { try? old.removeFile() }
    do {
      try await TreePlacement.write(oid, size: size, to: old, from: reader)
    } catch let error as StoreError where error.code == .missing {
      return ContentDifference(.different, "it has other bytes, and what was recorded is not to be had for a closer look")
    }
    if let found = try values(old, file, path) { return found }
    return try ContentComparison(of: path, tolerances).compare(try Self.source(old), try Self.source(file))
  }

  /// Compares files of values that are no JSON by these; `nil` if they are none.
  private func values(_ old: FilePath, _ new: FilePath, _ path: String) throws -> ContentDifference? {
    let suffix = path.split(separator: ".").last?.lowercased() ?? ""
    guard ["yaml", "yml", "toml", "csv", "tsv"].contains(suffix),
      let before = try? ValueFile.read(old.readAll(limit: ValueFile.maximumByteCount), named: path),
      let after = try? ValueFile.read(new.readAll(limit: ValueFile.maximumByteCount), named: path)
    else { return nil }
    return ValueComparison(tolerances, in: path).compare(before, after)
  }

  private static func source(_ file: FilePath) throws -> ContentSource {
    let opened = OpenedFile(try FileReader(file, followingLink: false))
    return ContentSource(size: try opened.reader.stat().size) { offset, count in
      try opened.reader.read(at: offset, count: count)
    }
  }

  private final class OpenedFile {
    let reader: FileReader
    init(_ reader: consuming FileReader) { self.reader = reader }
  }

  /// Compares two trees file by file.
  private func compareTrees(_ old: ObjectID, _ new: ObjectID, _ root: FilePath, _ path: String) async throws -> ContentDifference {
    let (before, after): ([TreePath: TreeEntry], [TreePath: TreeEntry])
    do {
      before = try await files(of: old)
      after = try await files(of: new)
    } catch let error as WorkspaceError where error.code == .missing {
      return ContentDifference(.different, "its files are others, and what was recorded is not to be had for a closer look")
    }
    var worst = ContentDifference(.equivalent, "the same files")
    func add(_ verdict: ContentVerdict, _ reason: String, _ largest: Double? = nil) {
      if let largest { worst.largest = max(worst.largest ?? 0, largest) }
      if verdict > worst.verdict {
        worst.verdict = verdict
        worst.reason = reason
      }
    }
    for (name, entry) in before.sorted(by: { $0.key < $1.key }) {
      guard let other = after[name] else {
        add(.different, "'\(name)' is gone")
        continue
      }
      guard entry.mode == other.mode else {
        add(.different, "'\(name)' is of another kind")
        continue
      }
      if entry.oid == other.oid { continue }
      guard entry.mode == .file || entry.mode == .executable else {
        add(.different, "'\(name)' leads elsewhere")
        continue
      }
      let found = try await compareFile(entry.oid, entry.size, root.appending(name), "\(path)/\(name)")
      add(found.verdict, "'\(name)': \(found.reason ?? "other bytes")", found.largest)
    }
    if let name = after.keys.filter({ before[$0] == nil }).min() { add(.different, "'\(name)' is new") }
    return worst
  }

  /// All files and links, and directories that have nothing in them.
  private func files(of tree: ObjectID) async throws -> [TreePath: TreeEntry] {
    var found: [TreePath: TreeEntry] = [:]
    try await TreeBrowser(read: reader.nodes).forEachEntry(of: tree, entering: { _, _ in true }) { path, entry in
      if entry.mode != .directory || entry.files == 0 { found[path] = entry }
    }
    return found
  }
}
