public import DVObject
public import SystemPackage

/// A place that keeps bytes under keys: a directory, an S3 bucket, memory.
///
/// A backend knows nothing of objects, packs or compression. Every call is safe from many tasks at once. Absence is a
/// value (`nil`), failure is an error.
public protocol Backend: Sendable {
  /// Where the bytes are, for messages: a path or URL without secrets.
  var description: String { get }

  /// Whether a question costs no round trip, as in a directory: then an index is read in place, block by block, and hints
  /// that save requests are not worth their space.
  var answersAtOnce: Bool { get }

  /// Stores `bytes` under `key`.
  ///
  /// A reader MUST see nothing or all of `bytes`, whenever the call ends, the process dies or the machine stops. When it
  /// returns, they MUST be durable. Storing the same bytes again MUST succeed and change nothing. Of a key that is not
  /// ``BackendKey/isReplaceable``, a stored value of the same size MAY be kept.
  func put(_ bytes: [UInt8], at key: BackendKey) async throws(BackendError)

  /// Stores a whole local file under `key`, as ``put(_:at:)`` stores bytes.
  ///
  /// - Parameters:
  ///   - size: How many bytes the file has. With other than this, nothing is stored.
  ///   - digest: The SHA-256 of the file. It is computed again wherever the bytes are copied; with another outcome,
  ///     nothing is stored.
  ///   - consuming: Whether the file is given away. Then it must be synced and nobody may change it: it may be moved
  ///     into place without being read, and it is gone when the call succeeds. After a failure it is still there.
  /// - Throws: ``BackendError`` with code `corrupt` if the file has other bytes than announced.
  func put(
    file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey, consuming: Bool
  ) async throws(BackendError)

  /// Returns all bytes under `key`, or `nil` if nothing is stored there.
  ///
  /// - Throws: ``BackendError`` with code `invalid` above 256 MiB.
  func get(_ key: BackendKey) async throws(BackendError) -> [UInt8]?

  /// Returns the bytes of `range` of what is under `key`, or `nil` if nothing is stored there.
  ///
  /// - Throws: ``BackendError`` with code `corrupt` if fewer bytes are stored, `invalid` above 256 MiB.
  func get(_ key: BackendKey, range: Range<UInt64>) async throws(BackendError) -> [UInt8]?

  /// Writes all bytes under `key` to a new local file, synced.
  ///
  /// - Returns: the SHA-256 of what was written, or `nil`, with no file made, if nothing is stored there.
  /// - Throws: ``BackendError``; a file begun is removed.
  func fetch(_ key: BackendKey, into file: FilePath) async throws(BackendError) -> ObjectID?

  /// Returns how many bytes are under `key`, or `nil` if nothing is stored there.
  func size(of key: BackendKey) async throws(BackendError) -> UInt64?

  /// Returns every key that begins with `prefix`, such as `index/`, sorted; those stored or deleted meanwhile may be
  /// missing or there.
  ///
  /// A listing that cannot be completed MUST be an error, never a shorter list. What is being stored and not complete
  /// MUST NOT be listed.
  func list(_ prefix: String) async throws(BackendError) -> [BackendEntry]

  /// Takes note that a value that was listed as changed has the right bytes: it is not listed so again.
  func trust(_ keys: [BackendKey]) async

  /// Removes what is under `key`; its absence is fine.
  func delete(_ key: BackendKey) async throws(BackendError)

  /// Removes what is under each of `keys`, in no order, in fewer steps than one by one where the backend can.
  ///
  /// - Throws: ``BackendError`` if one was not removed; others may have been.
  func delete(_ keys: [BackendKey]) async throws(BackendError)

  /// Returns the backend's own time, in seconds since 1970. All who share a backend see the same clock.
  func clock() async throws(BackendError) -> Int64
}

extension Backend {
  public func trust(_ keys: [BackendKey]) async {}

  public var answersAtOnce: Bool { false }

  public func delete(_ keys: [BackendKey]) async throws(BackendError) {
    var failure: BackendError?
    for key in keys {
      do { try await delete(key) } catch {
        // The others may be removable all the same. What is not a matter of permission counts most.
        if failure == nil || failure?.code == .denied { failure = error }
      }
    }
    if let failure { throw failure }
  }
}
