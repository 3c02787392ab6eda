import DVBackend
import DVFile
import DVObject

/// The locators and listings of a remote: hints that any reader can do without, but that should be what was written.
///
/// Where a locator leads is not followed: it may be older than the store. So may a listing, which is told and is no damage.
struct HintScan: Sendable {
  /// A locator whose bytes are not what a push writes there.
  struct Damaged: Sendable {
    let key: BackendKey
    let kind: TransferRoot.Kind
    let oid: ObjectID
    let message: String
  }

  private(set) var count = 0
  private(set) var damaged: [Damaged] = []
  /// Keys beside them whose names nobody understands.
  private(set) var unknown: [BackendKey] = []

  /// Listings that are damaged.
  private(set) var damagedListings: [BackendKey] = []
  /// Listings of what the store held once, or of another store: they hide things from readers by HTTP.
  private(set) var staleListings: [BackendKey] = []
  /// Whether there are listings.
  private(set) var hasListings = false
  /// Folders that a web server's listing does not cover, and that were not looked at.
  private(set) var unlisted: [String] = []

  /// Locators read at once.
  private static let width = 16

  /// Reads every locator: one small request for each content that was ever pushed.
  init(of backend: any Backend) async throws {
    for (kind, folder) in [(TransferRoot.Kind.file, StoreLayout.files), (.tree, StoreLayout.trees)] {
      guard let listed = try await backend.listIfPossible(folder) else {
        unlisted.append(folder)
        continue
      }
      var named: [(key: BackendKey, oid: ObjectID)] = []
      for entry in listed {
        // By the listing, so that each costs one request.
        guard let oid = StoreLayout.locator(from: entry.key, kind) else {
          unknown.append(entry.key)
          continue
        }
        if entry.size == UInt64(Locator.byteCount) {
          named.append((entry.key, oid))
        } else {
          let message = "it has \(entry.size) bytes, and \(Locator.byteCount) are expected"
          damaged.append(Damaged(key: entry.key, kind: kind, oid: oid, message: message))
        }
      }
      count += listed.count
      let problems = try await named.mapConcurrently(width: Self.width) { [backend] locator in
        try await Self.problem(of: locator.key, locator.oid, in: backend)
      }
      for (locator, problem) in zip(named, problems) {
        guard let problem else { continue }
        damaged.append(Damaged(key: locator.key, kind: kind, oid: locator.oid, message: problem))
      }
    }
    for part in BackendListing.Part.allCases {
      let bytes: [UInt8]?
      do { bytes = try await backend.get(part.key) } catch { throw StoreError(error) }
      guard let bytes else { continue }
      hasListings = true
      guard let listing = BackendListing(decoding: bytes), listing.covers(part) else {
        damagedListings.append(part.key)
        continue
      }
      // A web server has nothing but the listing.
      guard unlisted.isEmpty else { continue }
      do { if try await !listing.isCurrent(part, on: backend) { staleListings.append(part.key) } } catch { throw StoreError(error) }
    }
  }

  /// Says what is wrong with one locator; `nil` if nothing is.
  private static func problem(of key: BackendKey, _ oid: ObjectID, in backend: any Backend) async throws -> String? {
    do {
      // Its absence is fine: it was taken away meanwhile.
      guard let bytes = try await backend.get(key, range: 0..<UInt64(Locator.byteCount)) else { return nil }
      return try Locator(decoding: bytes.span).id == oid ? nil : "it is that of another content"
    } catch let error as PackFormatError {
      return error.description
    } catch let error as BackendError {
      guard error.code == .corrupt else { throw StoreError(error) }
      return error.message
    }
  }
}

extension Backend {
  /// Lists what is under a prefix; `nil` if this kind of backend has no way to tell, as a web server for most.
  func listIfPossible(_ prefix: String) async throws(StoreError) -> [BackendEntry]? {
    do { return try await list(prefix) } catch {
      if error.code == .invalid { return nil }
      throw StoreError(error)
    }
  }
}
