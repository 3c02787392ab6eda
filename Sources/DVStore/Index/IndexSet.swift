import DVBackend
import DVFile
public import DVObject
import Synchronization

/// Where an object's stored bytes lie.
public struct ObjectLocation: Hashable, Sendable {
  public let container: IndexContainer
  public let codec: Codec
  /// Where the stored bytes begin in the container, in bytes.
  public let offset: UInt64
  /// Stored length in bytes.
  public let storedLength: Int
  /// Length of the object in bytes.
  public let length: Int

  init(_ entry: IndexEntry, in container: IndexContainer) {
    self.container = container
    codec = entry.codec
    offset = entry.offset
    storedLength = entry.storedLength
    length = entry.length
  }

  /// The bytes of the container that hold the stored bytes.
  var range: Range<UInt64> { offset..<(offset + UInt64(storedLength)) }
}

/// The index segments of a store, as they were listed last.
///
/// Segments come and go while other processes write and merge; a segment that was listed and is gone was merged into
/// another, so the list is read again.
///
/// A segment that is damaged is set aside, and the tables of its packs are asked in its place.
final class IndexSet: Sendable {
  let backend: any Backend
  /// Segments up to this size are held whole, in bytes.
  let wholeLimit: UInt64

  private struct State {
    var segments: [LoadedSegment] = []
    /// Segments that are listed although another holds all they held: nobody could delete them, or has not yet.
    var superseded: Set<ObjectID> = []
    /// Packs that gc means to delete, or known to be damaged: not relied on when something is stored.
    var condemned: Set<ObjectID> = []
    /// Segments that cannot be read, and what is asked in their place.
    var damage = SegmentDamage()
    /// Refreshes begun, and the number of the last one that took effect: of two at once, the later listing counts.
    var begun = 0
    var applied = 0
    /// What this process inserted and removed while a refresh is under way, which its listing may not show.
    var underWay = 0
    var inserted: [LoadedSegment] = []
    var removed: Set<ObjectID> = []
  }

  private let state = Mutex(State())
  /// Whether a damaged segment whose packs hold more objects than memory should is left out, instead of an error.
  let leavesOutLarge: Bool

  init(backend: any Backend, wholeLimit: UInt64 = LoadedSegment.wholeLimit, leavesOutLarge: Bool = false) {
    self.backend = backend
    self.wholeLimit = wholeLimit
    self.leavesOutLarge = leavesOutLarge
  }

  /// The segments as they were listed last; none before the first ``load()``.
  var all: [LoadedSegment] { state.withLock { $0.segments } }

  /// Where some objects lie, learnt without the index: see ``PlaceHints``.
  let hints = PlaceHints()

  /// Reads the list of segments unless that was done before.
  ///
  /// A store is opened without it where most commands ask for little: they are told by ``hints``.
  func load() async throws(StoreError) {
    if state.withLock({ $0.applied == 0 }) { try await refresh() }
  }

  /// Segments that are still listed and no longer asked.
  var superseded: Set<ObjectID> { state.withLock { $0.superseded } }

  /// Reads the list of segments and those not held yet.
  func refresh() async throws(StoreError) {
    hints.drop()
    let number = state.withLock { state in
      state.begun += 1
      state.underWay += 1
      return state.begun
    }
    defer {
      state.withLock { state in
        state.underWay -= 1
        guard state.underWay == 0 else { return }
        state.inserted = []
        state.removed = []
      }
    }
    for _ in 0..<16 {
      if let (segments, damaged) = try await listed() {
        let damage = try await damage(of: damaged, beside: segments, before: damage)
        apply(segments, damage, number)
        return
      }
    }
    throw StoreError(.busy, "The index of \(backend.description) keeps changing while it is read. Try again.")
  }

  /// Segments that cannot be read, and what is asked in their place.
  var damage: SegmentDamage { state.withLock { $0.damage } }

  /// Takes note of a segment that turned out to be damaged when it was asked.
  ///
  /// - Returns: whether `error` is that; then a refresh puts the tables of its packs in its place.
  func note(_ error: StoreError) -> Bool {
    guard let block = error.cause as? DamagedBlock else { return false }
    note(block.segment)
    return true
  }

  /// Takes note that a segment is damaged.
  func note(_ segment: DamagedSegment) { state.withLock { $0.damage.found[segment.id] = segment } }

  /// Returns the segments that are listed, and those that are and cannot be read; `nil` if one went away meanwhile.
  private func listed() async throws(StoreError) -> (segments: [LoadedSegment], damaged: [DamagedSegment])? {
    let entries: [BackendEntry]
    do { entries = try await backend.list(StoreLayout.index) } catch { throw StoreError(error) }
    let held = Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let found = damage.found
    // A name that is no segment's is left alone: another program's, or a newer dv's.
    let names = entries.compactMap { entry in StoreLayout.segment(from: entry.key).map { (name: $0, size: entry.size) } }
    let loads: [Load]
    do {
      loads = try await names.mapConcurrently(width: Self.loadWidth) { [backend, wholeLimit] segment in
        let (level, id) = segment.name
        if let known = found[id] { return Load.damaged(known) }
        if let known = held[id], known.level == level { return Load.loaded(known) }
        do throws(StoreError) {
          let loaded = try await LoadedSegment.load(
            id: id, level: level, size: segment.size, from: backend, wholeLimit: wholeLimit)
          return loaded.map { Load.loaded($0) } ?? .gone
        } catch {
          return .damaged(try await self.damagedSegment(id, level: level, size: segment.size, error))
        }
      }
    } catch {
      throw StoreError(wrapping: error)
    }
    var segments: [LoadedSegment] = []
    var damaged: [DamagedSegment] = []
    for load in loads {
      switch load {
      case .loaded(let segment): segments.append(segment)
      case .damaged(let segment): damaged.append(segment)
      case .gone: return nil
      }
    }
    return (segments, damaged)
  }

  /// What became of a segment that is listed.
  private enum Load: Sendable {
    case loaded(LoadedSegment)
    case damaged(DamagedSegment)
    case gone
  }

  /// Segments read at once: a remote answers each after a round trip.
  private static let loadWidth = 16

  /// Takes over a listing and what happened in this process since it was begun.
  private func apply(_ listed: [LoadedSegment], _ damage: SegmentDamage, _ number: Int) {
    state.withLock { state in
      guard number > state.applied else { return }
      state.applied = number
      state.damage = damage
      var segments = listed
      let ids = Set(listed.map(\.id))
      segments += state.inserted.filter { !ids.contains($0.id) }
      segments.removeAll { state.removed.contains($0.id) }
      // Names are hashes, so that no two segments can supersede each other.
      let heads = segments.map(\.head) + damage.current.compactMap(\.head)
      let superseded = Set(heads.flatMap { $0.superseded.lazy.filter { $0.kind == .segment }.map(\.id) })
      state.superseded = superseded.intersection(ids)
      // Newer and smaller segments first: what was written last is asked for most.
      segments += damage.standIns
      state.segments = segments.filter { !superseded.contains($0.id) }.sorted {
        $0.level == $1.level ? $0.id < $1.id : $0.level < $1.level
      }
    }
  }

  func insert(_ segment: LoadedSegment) {
    state.withLock { state in
      if !state.segments.contains(where: { $0.id == segment.id }) { state.segments.insert(segment, at: 0) }
      state.removed.remove(segment.id)
      if state.underWay > 0 { state.inserted.append(segment) }
    }
  }

  func remove(_ ids: Set<ObjectID>) {
    state.withLock { state in
      state.segments.removeAll { ids.contains($0.id) }
      if state.underWay > 0 {
        state.inserted.removeAll { ids.contains($0.id) }
        state.removed.formUnion(ids)
      }
    }
  }

  /// Notes that segments stay listed although they are not asked any more.
  func setAside(_ ids: Set<ObjectID>) { state.withLock { $0.superseded.formUnion(ids) } }

  /// Sets which packs are about to be deleted, or are known to be damaged.
  func condemn(_ packs: Set<ObjectID>) { state.withLock { $0.condemned = packs } }

  /// Whether a pack is about to be deleted, or known to be damaged.
  func isCondemned(_ pack: ObjectID) -> Bool { state.withLock { $0.condemned.contains(pack) } }

  /// Whether an object can be relied on: it lies somewhere that gc does not mean to delete.
  func contains(_ key: ObjectKey) async throws(StoreError) -> Bool {
    switch hints.answer(for: key) {
    case .at?: return true
    case .absent?: return false
    case nil: try await load()
    }
    let (segments, isSimple) = state.withLock { ($0.segments, $0.condemned.isEmpty) }
    if isSimple {
      var needsReading = false
      for segment in segments {
        switch segment.containsWithoutReading(key) {
        case true?: return true
        case false?: continue
        case nil: needsReading = true
        }
      }
      if !needsReading { return false }
    }
    return try await container(of: key) != nil
  }

  /// Returns a container that holds an object and that gc does not mean to delete.
  func container(of key: ObjectKey) async throws(StoreError) -> IndexContainer? {
    let doomed = state.withLock { $0.condemned }
    for location in try await locations(of: key) where !doomed.contains(location.container.id) {
      return location.container
    }
    return nil
  }

  /// Returns every place the object lies in.
  func locations(of key: ObjectKey) async throws(StoreError) -> [ObjectLocation] {
    switch hints.answer(for: key) {
    case .at(let location)?: return [location]
    case .absent?: return []
    case nil: try await load()
    }
    var attempt = 0
    while true {
      do {
        var found: [ObjectLocation] = []
        for segment in all where segment.containsWithoutReading(key) != false {
          for entry in try await segment.entries(of: key, from: backend) {
            found.append(ObjectLocation(entry, in: segment.head.containers[entry.container]))
          }
        }
        return found
      } catch {
        // The segment was merged away under us, or is damaged.
        guard error.code == .missing || note(error), attempt < 3 else { throw error }
        attempt += 1
        try await refresh()
      }
    }
  }

  /// Returns every place that any of the objects lies in, by the objects' numbers in `keys`.
  ///
  /// - Parameter keys: in ascending order, none twice.
  func locations(ofAll keys: [ObjectKey]) async throws(StoreError) -> LocationList {
    if let hinted = hints.locations(ofAll: keys) { return hinted }
    try await load()
    for attempt in 0..<4 {
      do {
        var list = LocationList()
        for segment in all {
          let containers = segment.head.containers
          try await segment.forEachEntry(of: keys, from: backend) { index, entry in
            list.append(ObjectLocation(entry, in: containers[entry.container]), of: index)
          }
        }
        list.sort()
        return list
      } catch {
        guard error.code == .missing || note(error), attempt < 3 else { throw error }
        try await refresh()
      }
    }
    return LocationList()
  }

  /// Returns, for each of many objects, a container that holds it and that gc does not mean to delete.
  ///
  /// - Parameter keys: in ascending order, none twice.
  func containers(ofAll keys: [ObjectKey]) async throws(StoreError) -> [IndexContainer?] {
    var found = [IndexContainer?](repeating: nil, count: keys.count)
    let doomed = state.withLock { $0.condemned }
    for place in try await locations(ofAll: keys).all where found[place.index] == nil {
      if doomed.isEmpty || !doomed.contains(place.location.container.id) { found[place.index] = place.location.container }
    }
    return found
  }
}

/// The places of many objects, by the objects' numbers.
struct LocationList: Sendable {
  private(set) var all: [(index: Int, location: ObjectLocation)] = []
  private var isSorted = true

  mutating func append(_ location: ObjectLocation, of index: Int) {
    if let last = all.last, index < last.index { isSorted = false }
    all.append((index, location))
  }

  /// Brings the places into the order of the objects; those of one object stay in the order of the segments.
  fileprivate mutating func sort() {
    if !isSorted { all.sort { $0.index < $1.index } }
    isSorted = true
  }

  /// Calls `body` with each object's number, ascending, and its places; objects without a place are left out.
  func forEachObject<E: Error>(_ body: (Int, ArraySlice<(index: Int, location: ObjectLocation)>) throws(E) -> Void) throws(E) {
    var start = 0
    while start < all.count {
      var end = start + 1
      while end < all.count, all[end].index == all[start].index { end += 1 }
      try body(all[start].index, all[start..<end])
      start = end
    }
  }
}
