import DVBackend
import DVFile
import DVObject

/// The locators of a remote: hints that any reader can do without, but that should be what was written.
///
/// Where one leads is not followed: a locator may be older than what a collection moved since.
struct LocatorScan: Sendable {
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

  /// Locators read at once.
  private static let width = 16

  /// Reads every locator: one small request for each content that was ever pushed.
  init(of backend: any Backend) async throws {
    for (kind, folder) in [(TransferRoot.Kind.file, StoreLayout.files), (.tree, StoreLayout.trees)] {
      let listed: [BackendEntry]
      do { listed = try await backend.list(folder) } catch { throw StoreError(error) }
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
  }

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
