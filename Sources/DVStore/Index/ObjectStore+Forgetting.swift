public import DVObject

extension ObjectStore {
  /// Takes packs out of the index.
  func dropFromIndex(_ packs: Set<ObjectID>) async throws(StoreError) {
    for segment in index.all where segment.head.containers.contains(where: { packs.contains($0.id) }) {
      var merge = SegmentMerge(store: self)
      merge.dropped = packs
      try await merge.run([segment], level: segment.level)
    }
  }

  /// Takes packs that are damaged or gone out of the index, each if all that it held lies in other packs too.
  ///
  /// The files stay: what is damaged is not deleted but by gc.
  ///
  /// - Returns: how many there were.
  @discardableResult
  public func forgetPacks(_ packs: Set<ObjectID>) async throws(StoreError) -> Int {
    try await refresh()
    // A damaged index is for a repair to make again first.
    guard damagedSegments.isEmpty else { return 0 }
    var held: [ObjectID: [ObjectKey]] = [:]
    for segment in index.all where segment.head.containers.contains(where: { packs.contains($0.id) }) {
      let containers = segment.head.containers
      try await segment.forEachEntry(from: backend) { entry in
        let id = containers[entry.container].id
        if packs.contains(id) { held[id, default: []].append(entry.key) }
      }
    }
    var healed: Set<ObjectID> = []
    for (pack, keys) in held {
      let sorted = Set(keys).sorted()
      let others = try await index.locations(ofAll: sorted)
      var covered = 0
      others.forEachObject { _, places in
        if places.contains(where: { !packs.contains($0.location.container.id) }) { covered += 1 }
      }
      if covered == sorted.count { healed.insert(pack) }
    }
    if !healed.isEmpty { try await dropFromIndex(healed) }
    return healed.count
  }
}
