import DVBackend
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
final class IndexSet: Sendable {
  private let backend: any Backend
  private let segments = Mutex<[LoadedSegment]>([])
  /// Packs that gc means to delete: not relied on when something is stored.
  private let condemned = Mutex<Set<ObjectID>>([])

  init(backend: any Backend) { self.backend = backend }

  var all: [LoadedSegment] { segments.withLock { $0 } }

  /// Reads the list of segments and those not held yet.
  func refresh() async throws(StoreError) {
    for _ in 0..<16 {
      let listed: [BackendEntry]
      do { listed = try await backend.list(StoreLayout.index) } catch { throw StoreError(error) }
      let held = Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
      var fresh: [LoadedSegment] = []
      var isComplete = true
      for entry in listed {
        // A name that is no segment's is left alone: another program's, or a newer dv's.
        guard let (level, id) = StoreLayout.segment(from: entry.key) else { continue }
        if let segment = held[id], segment.level == level {
          fresh.append(segment)
        } else if let segment = try await LoadedSegment.load(id: id, level: level, size: entry.size, from: backend) {
          fresh.append(segment)
        } else {
          isComplete = false
        }
      }
      if isComplete {
        // Newer and smaller segments first: what was written last is asked for most.
        let sorted = fresh.sorted { $0.level == $1.level ? $0.id < $1.id : $0.level < $1.level }
        segments.withLock { $0 = sorted }
        return
      }
    }
    throw StoreError(.busy, "The index of \(backend.description) keeps changing while it is read. Try again.")
  }

  func insert(_ segment: LoadedSegment) {
    segments.withLock { list in
      if !list.contains(where: { $0.id == segment.id }) { list.insert(segment, at: 0) }
    }
  }

  func remove(_ ids: Set<ObjectID>) { segments.withLock { $0.removeAll { ids.contains($0.id) } } }

  /// Sets which packs are about to be deleted, or are known to be damaged.
  func condemn(_ packs: Set<ObjectID>) { condemned.withLock { $0 = packs } }

  /// Whether a pack is about to be deleted, or known to be damaged.
  func isCondemned(_ pack: ObjectID) -> Bool { condemned.withLock { $0.contains(pack) } }

  /// Whether an object can be relied on: it lies somewhere that gc does not mean to delete.
  func contains(_ key: ObjectKey) async throws(StoreError) -> Bool {
    if condemned.withLock({ $0.isEmpty }) {
      var unread: [LoadedSegment] = []
      for segment in all {
        switch segment.containsWithoutReading(key) {
        case true?: return true
        case false?: continue
        case nil: unread.append(segment)
        }
      }
      if unread.isEmpty { return false }
    }
    return try await container(of: key) != nil
  }

  /// Returns a container that holds an object and that gc does not mean to delete.
  func container(of key: ObjectKey) async throws(StoreError) -> IndexContainer? {
    let doomed = condemned.withLock { $0 }
    for location in try await locations(of: key) where !doomed.contains(location.container.id) {
      return location.container
    }
    return nil
  }

  /// Returns every place the object lies in.
  func locations(of key: ObjectKey) async throws(StoreError) -> [ObjectLocation] {
    for attempt in 0..<4 {
      do {
        var found: [ObjectLocation] = []
        for segment in all {
          for entry in try await segment.entries(of: key, from: backend) {
            found.append(ObjectLocation(entry, in: segment.head.containers[entry.container]))
          }
        }
        return found
      } catch {
        // The segment was merged away under us.
        guard error.code == .missing, attempt < 3 else { throw error }
        try await refresh()
      }
    }
    return []
  }

  /// Returns every place that any of the objects lies in, by the objects' numbers in `keys`.
  ///
  /// - Parameter keys: in ascending order, none twice.
  func locations(ofAll keys: [ObjectKey]) async throws(StoreError) -> LocationList {
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
        guard error.code == .missing, attempt < 3 else { throw error }
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
    let doomed = condemned.withLock { $0 }
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

  fileprivate mutating func append(_ location: ObjectLocation, of index: Int) {
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
