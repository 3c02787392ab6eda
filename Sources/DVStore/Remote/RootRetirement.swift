import DVBackend
public import DVObject

/// What pushes made complete on a store, with the time of the last push of each, so that some of it can be retired.
///
/// Retiring says that nothing need be kept for the sake of a content: from then on no push takes it for complete, and one grace
/// later gc frees what nothing else needs. Pushing the content again keeps it.
public struct RootRetirement: Sendable {
  /// A content that pushes made complete.
  public struct Content: Hashable, Sendable {
    public let kind: TransferRoot.Kind
    public let oid: ObjectID
    /// Bytes of the file, or of all files of the tree.
    public let size: UInt64
    /// When it was pushed last, in seconds since 1970 by the store's clock.
    public let time: UInt64
  }

  /// What a retirement did.
  public struct Report: Hashable, Sendable {
    /// Contents that no root names any more.
    public var contents = 0
    /// Roots that were retired.
    public var roots = 0
  }

  private let store: ObjectStore
  private let ledger: RootLedger

  /// Reads what there is.
  public init(of store: ObjectStore) async throws(StoreError) {
    self.store = store
    ledger = try await RootLedger(of: store, isThorough: true)
  }

  /// The contents, ascending by oid.
  public var contents: [Content] {
    var times: [RootRecord.Root: UInt64] = [:]
    for item in ledger.believed {
      for root in item.record.roots { times[root] = max(times[root] ?? 0, item.record.time) }
    }
    return times.map { Content(kind: $0.key.kind, oid: $0.key.oid, size: $0.key.size, time: $0.value) }
      .sorted { $0.oid == $1.oid ? $0.size < $1.size : $0.oid < $1.oid }
  }

  /// Retires contents.
  ///
  /// A root that names other contents too is replaced by one that names only those, which is believed before the old one
  /// is retired.
  ///
  /// - Throws: ``StoreError`` with code `busy` if others keep changing the roots.
  public func retire(_ contents: some Sequence<Content>) async throws -> Report {
    if let refusal = store.writeRefusal ?? store.collectionRefusal { throw refusal }
    let retiring = Set(contents.map { RootRecord.Root(kind: $0.kind, oid: $0.oid, size: $0.size) })
    var report = Report()
    var ledger = ledger
    report.contents = ledger.complete.intersection(retiring).count
    for _ in 0..<8 {
      var affected = ledger.believed.filter { $0.record.roots.contains { retiring.contains($0) } }
      // Of a push that ended when it was given up: not believed, and kept.
      let dead = ledger.retired.pushes
      affected += ledger.roots.items.filter { item in
        dead.contains(item.ulid) && ledger.pending[item.ulid] == nil && !item.record.roots.isEmpty
          && item.record.roots.allSatisfy { retiring.contains($0) } && !ledger.retired.roots.contains(item.name)
      }
      if affected.isEmpty {
        try? await BackendListing.publish(on: store.backend)
        return report
      }
      let kept = affected.reduce(into: Set<RootRecord.Root>()) { $0.formUnion($1.record.roots) }.subtracting(retiring)
      if try await replace(kept, ledger) {
        let time: Int64
        do { time = try await store.backend.clock() } catch { throw StoreError(error) }
        for part in Set(affected.map(\.name)).parts(ofAtMost: RootRecord.rootLimit) {
          try await store.write(
            record: RetiredList.encode(time: UInt64(max(0, time)), roots: part), in: StoreLayout.retired, time: time)
        }
        report.roots += affected.count
      }
      // Somebody may have merged them into another meanwhile.
      ledger = try await RootLedger(of: store, isThorough: true)
    }
    throw StoreError(.busy, "The roots of \(store.name) keep changing. Try again.")
  }

  /// Writes roots of what is to stay.
  ///
  /// - Returns: whether they are believed.
  private func replace(_ kept: Set<RootRecord.Root>, _ ledger: RootLedger) async throws -> Bool {
    if kept.isEmpty { return true }
    let commit = try await RootCommit(of: [], on: store)
    return try await commit.finish(kept.sorted()) {
      try await RootLedger(of: store, known: ledger.roots).complete.isSuperset(of: kept)
    }
  }
}
