import DVBackend
import DVObject

/// What pushes say of a store: which contents are complete, which pushes are under way, what was taken back.
///
/// A root counts as soon as the push that wrote it is over, and not before: the push may find that gc took away what it
/// relied on, and take the root back. A push is over when its pending record, which bears the same time-ordered name as its
/// roots, is gone, or, where it may not delete, when a root without content confirms it.
///
///     root is there ─► pending is gone, or confirmed ─► push was not given up ─► root was not retired ─► it is still there ─► it is believed
///
/// The folders are listed in this order. What was believed of a root then holds however late the answer comes. The last look is for
/// a root that was retired and deleted, whose retirement was forgotten too, between two listings: gc forgets one only when its roots
/// are gone. It never forgets all, so that a store where nothing was ever retired is spared that look.
struct RootLedger: Sendable {
  /// All roots, believed or not.
  let roots: RecordList
  /// Pushes that are under way or were killed.
  let pending: [ULID: [BackendKey]]
  let retired: RetiredList
  /// The roots that are believed.
  let believed: [RecordList.Item]

  /// Lists and reads.
  ///
  /// - Parameters:
  ///   - known: what was read before: records never change, so that their keys suffice.
  ///   - isThorough: whether a root that is merged into another during the listing must not be overlooked.
  /// - Throws: ``StoreError`` with code `busy` if others keep changing the roots.
  init(of store: ObjectStore, known: RecordList? = nil, isThorough: Bool = false) async throws(StoreError) {
    var known = known
    for _ in 0..<16 {
      let ledger = try await RootLedger(listing: store, known: known, isThorough: isThorough)
      guard try await ledger.isStanding(on: store) else {
        known = ledger.roots
        continue
      }
      self = ledger
      return
    }
    throw StoreError(.busy, "The roots of \(store.name) keep changing while they are read. Try again.")
  }

  /// Lists and reads all but the last look.
  private init(listing store: ObjectStore, known: RecordList?, isThorough: Bool) async throws(StoreError) {
    var roots = try await RecordList(StoreLayout.roots, of: store, known: known)
    if isThorough {
      // A root that was merged was deleted after its successor appeared: one of the two is in a second listing.
      while true {
        let again = try await RecordList(StoreLayout.roots, of: store, known: roots)
        let keys = Set(again.items.map(\.key))
        let isStable = roots.items.allSatisfy { keys.contains($0.key) }
        roots = again
        if isStable { break }
      }
    }
    self.roots = roots
    guard isThorough || !roots.items.isEmpty else {
      pending = [:]
      retired = RetiredList()
      believed = []
      return
    }
    pending = try await store.list(StoreLayout.pending).reduce(into: [:]) { all, entry in
      if let ulid = StoreLayout.record(from: entry.key)?.ulid { all[ulid, default: []].append(entry.key) }
    }
    retired = try await RetiredList(of: store)
    let confirmed = Set(roots.items.lazy.filter { $0.record.roots.isEmpty }.map(\.ulid))
    let (dead, gone) = (retired.pushes, retired.roots)
    believed = roots.items.filter { [pending] item in
      (pending[item.ulid] == nil || confirmed.contains(item.ulid)) && !dead.contains(item.ulid) && !gone.contains(item.name)
    }
  }

  /// Whether all that is believed is there after the retirements were read.
  private func isStanding(on store: ObjectStore) async throws(StoreError) -> Bool {
    if retired.items.isEmpty || believed.isEmpty { return true }
    let there = Set(try await store.list(StoreLayout.roots).map(\.key))
    return believed.allSatisfy { there.contains($0.key) }
  }

  private var believedCount: Int { believed.reduce(0) { $0 + $1.record.roots.count } }

  /// What they say is complete.
  ///
  /// - Complexity: O(*n*) in what they say, each time.
  var complete: Set<RootRecord.Root> {
    believed.reduce(into: Set(minimumCapacity: believedCount)) { $0.formUnion($1.record.roots) }
  }

  /// The same, to be asked about `questions` contents.
  func recorded(for questions: Int) -> RecordedRoots { RecordedRoots(believed.map(\.record.roots), for: questions) }
}

extension RecordList.Item {
  /// The record's name: its key without the folder.
  var name: String { key.text.split(separator: "/").last.map(String.init) ?? "" }
}
