import DVBackend
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage

/// The datasets of the model, made once: versions of two directories that share most of their files, and single files.
struct ModelData: Sendable {
  /// A store with everything.
  let full: ObjectStore
  let roots: [TransferRoot]
  /// For each root, a version of the same directory to build on, if there is one.
  let bases: [ObjectID?]
  /// For each root with a base, a store that lacks the files which the base has: a partial clone's.
  let partial: [ObjectStore?]
  /// What each root holds.
  let contents: [[[UInt8]]]
  let scratch: FilePath

  init(scratch: FilePath) async throws {
    self.scratch = scratch
    full = try await openStore(MemoryBackend(), scratch: scratch)
    var random = SeededGenerator(seed: 4)
    var (roots, bases, partial, contents): ([TransferRoot], [ObjectID?], [ObjectStore?], [[[UInt8]]]) = ([], [], [], [])
    for family in 0..<2 {
      var directories: [String: [String: [UInt8]]] = [
        "a": ["one": .init(randomCount: 300, using: &random), "large": .init(randomCount: 70_000 + family, using: &random)],
        "b": ["two": .init(randomCount: 200, using: &random), "three": .init(randomCount: 4_000, using: &random)],
      ]
      for version in 0..<4 {
        let fresh: [UInt8] = .init(randomCount: 1_000 + version, using: &random)
        directories["b"]?["v\(version)"] = fresh
        let root = try await TransferFixture.add(directories, to: full, label: "\(family).\(version)")
        roots.append(root)
        bases.append(version > 0 ? roots[roots.count - 2].oid : nil)
        contents.append(directories.values.flatMap(\.values))
        guard version > 0 else {
          partial.append(nil)
          continue
        }
        // The nodes, and of the files the one that is new.
        let store = try await openStore(MemoryBackend(), scratch: scratch)
        try await store.add([fresh])
        let writer = ObjectWriter(store: store)
        for segment in full.index.all {
          var keys: [ObjectKey] = []
          try await segment.forEachEntry(from: full.backend) { if $0.key.kind == .treeNode { keys.append($0.key) } }
          for key in keys { try await writer.store(try await full.read(key), as: key) }
        }
        _ = try await writer.finish()
        partial.append(store)
      }
    }
    for size in [40, 900, 50_000] {
      let content = [UInt8](randomCount: size, using: &random)
      try await full.add([content])
      roots.append(TransferRoot(kind: .file, oid: ObjectID(hashing: content.span), size: UInt64(size), label: "file \(size)"))
      bases.append(nil)
      partial.append(nil)
      contents.append([content])
    }
    (self.roots, self.bases, self.partial, self.contents) = (roots, bases, partial, contents)
  }
}
