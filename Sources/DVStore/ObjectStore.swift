public import DVBackend
public import DVObject
import Synchronization
public import SystemPackage

/// Objects on a backend: the local store, a directory remote and a bucket are the same type on three backends.
///
/// The backend keeps bytes under keys; the store gives them meaning: packs hold objects, index segments say where.
/// Every call is safe from many tasks, and many processes may use one store at a time: nothing is ever modified, and
/// what a merge replaces stays readable in its successor.
public final class ObjectStore: Sendable {
  public let backend: any Backend
  /// What messages call the store: `the local store`, `remote 'origin'`.
  public let name: String
  /// A local directory for files under construction, on the backend's file system if that is a directory.
  public let scratch: FilePath

  let index: IndexSet
  let coders = CoderPool()
  let compaction = CompactionTurn()
  private let erasedContents = Mutex<Set<ObjectID>>([])
  /// Why this dv must not write to the store, if so.
  let writeRefusal: StoreError?
  /// Why this dv must not collect garbage in the store, if so.
  let collectionRefusal: StoreError?

  /// Whether opening may make a store where none is.
  public enum Presence: Hashable, Sendable {
    case mustExist
    case mayBeMade
  }

  /// What a store is opened for.
  public enum Purpose: Hashable, Sendable {
    case use
    /// To be checked or repaired: damage of the format or of the whole index is no reason not to open it.
    case verification
  }

  /// When a store's list of index segments is read.
  public enum IndexReading: Hashable, Sendable {
    /// At once: what is asked will need it.
    case atOnce
    /// When the first object is asked for that nothing else tells the place of.
    case whenNeeded
  }

  /// Opens a store, reading its format and the list of its index segments.
  ///
  /// An index segment that is damaged is set aside, and the tables of its packs are read in its place: see
  /// ``damagedSegments``.
  ///
  /// - Throws: ``StoreError/Code/absent`` if there is none and `presence` does not allow to make one,
  ///   ``StoreError/Code/format`` if it needs a newer dv.
  public convenience init(
    backend: any Backend, name: String, scratch: FilePath, presence: Presence, index reading: IndexReading = .atOnce,
    purpose: Purpose = .use
  ) async throws(StoreError) {
    try await self.init(
      backend: backend, name: name, scratch: scratch, presence: presence, index: reading,
      wholeLimit: LoadedSegment.wholeLimit, purpose: purpose)
  }

  /// - Parameter wholeLimit: index segments up to this size are held whole, in bytes.
  init(
    backend: any Backend, name: String, scratch: FilePath, presence: Presence, index reading: IndexReading = .atOnce,
    wholeLimit: UInt64, purpose: Purpose = .use
  ) async throws(StoreError) {
    self.backend = backend
    self.name = name
    self.scratch = scratch
    index = IndexSet(backend: backend, wholeLimit: wholeLimit, leavesOutLarge: purpose == .verification)
    let isDamaged = purpose == .verification ? try await FormatScan(of: backend).finding != nil : false
    let format = isDamaged ? .current : try await Self.format(of: backend, name, presence)
    writeRefusal = Self.refusal(of: "Writing to", name, features: format.write)
    collectionRefusal = Self.refusal(of: "Collecting garbage in", name, features: format.write + format.gc)
    if reading == .atOnce { try await index.refresh() }
  }

  private static func refusal(of act: String, _ name: String, features: [String]) -> StoreError? {
    let unknown = StoreFormat.unknown(in: features)
    if unknown.isEmpty { return nil }
    return StoreError(
      .format, "\(act) \(name) needs \(unknown.joined(separator: ", ")), which this dv lacks. Install a newer dv.")
  }

  /// Reads the format of a store, or makes one.
  private static func format(
    of backend: any Backend, _ name: String, _ presence: Presence
  ) async throws(StoreError) -> StoreFormat {
    do {
      let listed = try await backend.list(StoreLayout.format)
      let numbers = listed.compactMap { Int($0.key.text.dropFirst(StoreLayout.format.count)) }
      guard let highest = numbers.max() else {
        guard presence == .mayBeMade else {
          // A store that lost its format is not an empty place: what it holds may be all there is.
          guard try await backend.list(StoreLayout.roots).isEmpty else {
            throw StoreError(
              .corrupt, "\(name) has lost its format ('\(StoreLayout.format(1))'). 'dv push' writes it again.")
          }
          throw StoreError(.absent, "\(backend.description) holds no dv store (no key '\(StoreLayout.format)…').")
        }
        try await backend.put(StoreFormat.current.encoded(), at: StoreLayout.format(1))
        return .current
      }
      let key = StoreLayout.format(highest)
      let bytes = try await backend.get(key) ?? []
      guard let format = StoreFormat(decoding: bytes) else {
        throw StoreFormat.isOfAnotherVersion(bytes)
          ? StoreError(.format, "'\(key)' in \(name) was made by a newer dv. Install a newer dv.")
          : StoreError(.corrupt, "'\(key)' in \(name) is damaged: it is not a format of dv.")
      }
      if highest == 1, format != .current {
        throw StoreError(.corrupt, "'\(key)' in \(name) is damaged: every store has the same bytes there.")
      }
      let unknown = StoreFormat.unknown(in: format.read)
      guard unknown.isEmpty else {
        throw StoreError(
          .format, "\(name) needs \(unknown.joined(separator: ", ")), which this dv lacks. Install a newer dv.")
      }
      return format
    } catch let error as StoreError {
      throw error
    } catch let error as BackendError {
      throw StoreError(error)
    } catch {
      throw StoreError(.other, "\(error)", cause: error)
    }
  }

  /// Contents of files that records say were erased: what is not there of them is no damage, and nobody brings it back.
  public var erased: Set<ObjectID> { erasedContents.withLock { $0 } }

  /// Takes note of what was erased, for every walk that begins from now on.
  public func regardAsErased(_ oids: Set<ObjectID>) { erasedContents.withLock { $0 = oids } }

  /// Reads the list of index segments again, to see what other processes wrote.
  public func refresh() async throws(StoreError) { try await index.refresh() }

  /// Whether the store holds an object, by its index.
  ///
  /// Objects in packs that gc means to delete do not count while a session of an ``ObjectWriter`` is open.
  public func contains(_ key: ObjectKey) async throws(StoreError) -> Bool { try await index.contains(key) }

  /// Whether the store holds the content of a file, by its index: one chunk or a chunk list. Does not look at the chunks
  /// of a list.
  public func containsFile(_ oid: ObjectID) async throws(StoreError) -> Bool {
    if try await index.contains(ObjectKey(kind: .chunk, id: oid)) { return true }
    return try await index.contains(ObjectKey(kind: .chunkList, id: oid))
  }

  /// Returns the places an object lies in.
  public func locations(of key: ObjectKey) async throws(StoreError) -> [ObjectLocation] {
    try await index.locations(of: key)
  }
}
