import DVBackend
import DVFile
public import DVObject

/// An index segment whose bytes are not those that were written.
public struct DamagedSegment: Sendable {
  public let id: ObjectID
  let level: Int
  let key: BackendKey
  /// What is wrong.
  public let message: String
  /// What it names, if its head can be read.
  let head: IndexSegmentHead?

  init(id: ObjectID, level: Int, message: String, head: IndexSegmentHead?) {
    self.id = id
    self.level = level
    key = StoreLayout.segment(id, level: level)
    self.message = message
    self.head = head
  }

  /// A segment whose head is right and whose blocks are not.
  init(_ segment: LoadedSegment, message: String) {
    self.init(id: segment.id, level: segment.level, message: message, head: segment.head)
  }
}

/// The cause of a failure to read a block of a segment.
struct DamagedBlock: Error {
  let segment: DamagedSegment
}

/// The segments of a store that cannot be read, and what is asked in their place.
struct SegmentDamage: Sendable {
  /// By name; may hold segments that are not listed any more.
  var found: [ObjectID: DamagedSegment] = [:]
  /// Those that are listed and that no other segment stands in for.
  var current: [DamagedSegment] = []
  /// Segments in memory, made of the tables of packs.
  var standIns: [LoadedSegment] = []
  /// What the stand-ins were made for.
  fileprivate var madeFor: Set<ObjectID> = []
}

extension IndexSet {
  /// Objects that the stand-ins hold at most: half a gigabyte of memory.
  private static let standInLimit = 8 << 20
  /// The level of a stand-in: no compaction takes it up.
  private static let standInLevel = 62

  /// Looks into why a segment could not be loaded.
  ///
  /// - Throws: `error` itself if it is no damage: the place cannot be reached, or a newer dv wrote the segment.
  func damagedSegment(
    _ id: ObjectID, level: Int, size: UInt64, _ error: StoreError
  ) async throws(StoreError) -> DamagedSegment {
    guard error.code == .corrupt else { throw error }
    let key = StoreLayout.segment(id, level: level)
    switch error.cause as? PackFormatError {
    case .unknownVersion, .unknownFeatures, .unknownKind, .unknownCodec:
      // Bytes that are as they were written are not damaged but newer than this dv.
      if try await backend.digest(of: key, size: size) == id { throw error }
    default: break
    }
    return DamagedSegment(id: id, level: level, message: error.message, head: await head(of: key, size))
  }

  /// Reads the head of a segment by itself; `nil` if it is damaged.
  private func head(of key: BackendKey, _ size: UInt64) async -> IndexSegmentHead? {
    guard size >= UInt64(IndexSegmentHead.fixedByteCount),
      let fixed = try? await backend.get(key, range: 0..<UInt64(IndexSegmentHead.fixedByteCount)),
      let count = try? IndexSegmentHead.byteCount(fixed: fixed.span), UInt64(count) <= size,
      let bytes = try? await backend.get(key, range: 0..<UInt64(count))
    else { return nil }
    return try? IndexSegmentHead(decoding: bytes.span)
  }

  /// Decides what is asked in place of damaged segments.
  ///
  /// - Parameters:
  ///   - segments: those that are listed and can be read.
  ///   - before: what was decided at the last listing.
  func damage(
    of damaged: [DamagedSegment], beside segments: [LoadedSegment], before: SegmentDamage
  ) async throws(StoreError) -> SegmentDamage {
    if damaged.isEmpty { return SegmentDamage() }
    let superseded = Set(segments.flatMap { $0.head.superseded.lazy.filter { $0.kind == .segment }.map(\.id) })
    var damage = SegmentDamage()
    for segment in damaged { damage.found[segment.id] = segment }
    damage.current = damaged.filter { !superseded.contains($0.id) }
    damage.madeFor = Set(damage.current.map(\.id))
    if damage.madeFor == before.madeFor {
      damage.standIns = before.standIns
    } else if !damage.current.isEmpty {
      let packs = try await packs(of: damage.current, beside: segments.filter { !superseded.contains($0.id) })
      if let standIn = try await standIn(for: packs) { damage.standIns = [standIn] }
    }
    return damage
  }

  /// Returns the packs that damaged segments may have named.
  ///
  /// Where the head is damaged too: all packs that no other segment names. Segments that were merged together share packs,
  /// so that for one above level 0 those of its neighbours count as well.
  func packs(
    of damaged: [DamagedSegment], beside segments: [LoadedSegment]
  ) async throws(StoreError) -> [IndexContainer] {
    var packs: Set<IndexContainer> = []
    for segment in damaged { packs.formUnion(segment.head?.containers.filter { $0.kind == .pack } ?? []) }
    let headless = damaged.filter { $0.head == nil }
    guard !headless.isEmpty else { return packs.sorted { $0.id < $1.id } }
    let listed: [BackendEntry]
    do { listed = try await backend.list(StoreLayout.packs) } catch { throw StoreError(error) }
    var named: Set<ObjectID> = []
    for segment in segments where segment.level == 0 || headless.allSatisfy({ $0.level == 0 }) {
      for container in segment.head.containers where container.kind == .pack { named.insert(container.id) }
    }
    for entry in listed {
      guard let id = StoreLayout.pack(from: entry.key), !named.contains(id) else { continue }
      packs.insert(IndexContainer(kind: .pack, id: id, size: entry.size))
    }
    return packs.sorted { $0.id < $1.id }
  }

  /// Makes a segment in memory of the tables of packs. A pack that is gone or whose table is damaged is left out.
  private func standIn(for packs: [IndexContainer]) async throws(StoreError) -> LoadedSegment? {
    var entries: [IndexEntry] = []
    var containers: [IndexContainer] = []
    for start in stride(from: 0, to: packs.count, by: 64) {
      let part = packs[start..<min(start + 64, packs.count)]
      let backend = backend
      let tables: [PackTable?]
      do {
        // The tables alone: where this returned `(pack, try await …)`, an optimised build (Swift 6.3.1) gave other bytes for the pack.
        tables = try await part.mapConcurrently(width: Machine.coreCount + 2) { pack in
          do { return try await backend.table(of: pack) } catch is PackFormatError {
            return nil
          } catch let error as BackendError where error.code == .corrupt {
            return nil
          }
        }
      } catch {
        throw (error as? BackendError).map { StoreError($0) } ?? StoreError(.other, "\(error)", cause: error)
      }
      for (pack, table) in zip(part, tables) {
        guard let table else { continue }
        for entry in table.entries { entries.append(IndexEntry(entry, inContainer: containers.count)) }
        containers.append(pack)
      }
      guard entries.count <= Self.standInLimit else {
        if leavesOutLarge { return nil }
        throw StoreError(
          .corrupt,
          "The index of \(backend.description) is damaged, and its packs hold too many objects to do without it. "
            + "'dv repair' makes it again from the packs.")
      }
    }
    guard !entries.isEmpty else { return nil }
    let (id, bytes) = SegmentWriter.segment(of: entries, containers: containers)
    do throws(PackFormatError) {
      return try LoadedSegment(id: id, level: Self.standInLevel, bytes: bytes, wholeLimit: .max)
    } catch {
      throw StoreError(.corrupt, "An index just made of packs cannot be read: \(error).", cause: error)
    }
  }
}

extension IndexEntry {
  /// The place a pack's table gives.
  init(_ entry: PackTableEntry, inContainer container: Int) {
    self.init(
      key: entry.key, codec: entry.codec, container: container, offset: UInt64(entry.offset),
      storedLength: entry.storedLength, length: entry.length)
  }
}

extension Backend {
  /// Reads a pack's table.
  ///
  /// - Returns: `nil` if the pack is gone or too short to be one.
  /// - Throws: ``PackFormatError`` if it is damaged, ``BackendError`` if it cannot be read.
  func table(of container: IndexContainer) async throws -> PackTable? {
    let key = StoreLayout.container(container)
    let size = container.size
    guard size >= UInt64(PackHeader.byteCount + PackTable.trailerByteCount) else { return nil }
    // One read suffices for most packs.
    let start = size - min(size, 64 << 10)
    guard let tail = try await get(key, range: start..<size) else { return nil }
    let trailer = tail.span.extracting((tail.count - PackTable.trailerByteCount)..<tail.count)
    let range = try PackTable.range(trailer: trailer, packSize: size)
    if range.lowerBound >= start {
      return try PackTable(
        decoding: tail.span.extracting(Int(range.lowerBound - start)..<tail.count), at: range.lowerBound)
    }
    guard let bytes = try await get(key, range: range) else { return nil }
    return try PackTable(decoding: bytes.span, at: range.lowerBound)
  }

  /// Returns the SHA-256 of what is stored under `key`, reading 8 MiB at a time; `nil` if it is gone or has another size.
  func digest(of key: BackendKey, size: UInt64) async throws(StoreError) -> ObjectID? {
    var digest = Digest()
    do throws(BackendError) {
      guard try await self.size(of: key) == size else { return nil }
      var at: UInt64 = 0
      while at < size {
        let end = min(at + (8 << 20), size)
        guard let bytes = try await get(key, range: at..<end) else { return nil }
        digest.update(bytes.span)
        at = end
      }
    } catch {
      if error.code == .corrupt { return nil }
      throw StoreError(error)
    }
    return digest.finish()
  }
}

extension ObjectStore {
  /// Index segments that are damaged: the tables of their packs are asked in their place.
  public var damagedSegments: [DamagedSegment] { index.damage.current }
}
