import DVFile
import DVObject
import DVWorkspace

/// What is on disk at the place of one target, compared with its stat cache.
struct TargetLook: Sendable {
  let target: TreePath
  let scan: TreeScan
  let cache: StatCache?
  /// What was found; `nil` if nothing is there.
  let found: ScanResult?

  /// Whether the cache vouches that what is on disk is the version of `pointer` and that dv put or added it there.
  ///
  /// Then there is nothing to do and nothing to ask the store.
  func isKnown(as pointer: Pointer) -> Bool {
    found?.pointer == pointer.withoutRun && cache?.saved == pointer.oid
  }

  /// Returns what is on disk with all oids, having read what the cache does not vouch for; `nil` if nothing is there.
  func hashed(progress: ProgressSink) async throws -> IngestResult? {
    guard let found else { return nil }
    progress.expect(bytes: found.bytesToHash, items: UInt64(found.toHash))
    return try await TreeIngest(of: scan, writer: nil) { files, bytes in
      progress.advance(bytes: bytes, items: UInt64(files))
    }.run(found, cache: cache)
  }
}

extension Repository {
  /// Looks at what is on disk at the place of `target`.
  ///
  /// - Parameters:
  ///   - path: the part of it that is asked about, relative to it; of all else the cache may be believed.
  ///   - cache: what to compare with; `nil` for the cache that is kept.
  func look(at target: TreePath, only path: TreePath = .root, cache: StatCache? = nil) async throws -> TargetLook {
    let location = try requireWorkDirectory().appending(target)
    let scan = TreeScan(location: location, target: target, rules: try ignoreRules(above: target))
    let cache = try cache ?? statCaches.load(target)
    return TargetLook(target: target, scan: scan, cache: cache, found: try await scan.run(only: path, cache: cache))
  }
}
