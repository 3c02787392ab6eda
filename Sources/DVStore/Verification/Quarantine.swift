import DVBackend
import DVFile
import DVObject
import SystemPackage

/// Sets damaged files of a store aside: nothing is ever deleted for being damaged.
///
/// What lies under `packs/3f/3fa9…` moves to `quarantine/packs/3f/3fa9….<sha256 of its bytes as they are>`. The copy is durable
/// before the original goes. Doing it again does no harm. Nothing but the user removes what is there.
struct Quarantine {
  let store: ObjectStore

  /// Moves what is under `key` aside; its absence is fine.
  ///
  /// - Returns: whether there was something.
  @discardableResult
  func move(_ key: BackendKey) async throws -> Bool {
    let file = store.scratch.appending(RandomName.temporary())
    do {
      guard let digest = try await store.backend.fetch(key, into: file) else { return false }
      defer { try? file.removeFile() }
      let size = try file.fileStat()?.size ?? 0
      let aside = try BackendKey("\(StoreLayout.quarantine)\(key).\(digest.hex)")
      try await store.backend.put(file: file, size: size, digest: digest, at: aside, consuming: true)
      try await store.backend.delete(key)
      return true
    } catch let error as BackendError {
      throw StoreError(error)
    }
  }
}
