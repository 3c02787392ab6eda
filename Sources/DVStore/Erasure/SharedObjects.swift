public import DVObject

extension ObjectStore {
  /// Returns the paths of contents that need some objects, each once: why these are not erased with a file that has them too.
  ///
  /// - Parameters:
  ///   - oids: the files that are erased, which do not count.
  ///   - limit: paths that are returned at most.
  public func paths(
    needing keys: Set<ObjectKey>, in roots: [TransferRoot], without oids: Set<ObjectID>, limit: Int
  ) async throws -> [String] {
    if keys.isEmpty { return [] }
    var walk = ImpactWalk(in: self, of: keys)
    for (number, root) in roots.enumerated() { try await walk.visit(root, number: number) }
    var paths: Set<String> = []
    for impact in walk.impacts.values.joined() where impact.kind == .file && !oids.contains(impact.oid) {
      paths.insert(roots[impact.root].label + (impact.path.isEmpty ? "" : "/" + String(decoding: impact.path, as: UTF8.self)))
    }
    return Array(paths.sorted().prefix(limit))
  }
}
