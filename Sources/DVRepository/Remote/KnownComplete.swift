import DVFile
public import DVObject
import SystemPackage

/// The oids that this clone knows to be complete on a remote, because it pushed or pulled them.
///
/// One file for each remote, `remotes/<name>/complete` in ``Repository/dataDirectory``:
///
///     offset  size  meaning
///          0    11  `dv-known 1` and a line feed
///         11    32  SHA-256 of the remote's URL as configured: with another URL it is another remote
///         43    32  each oid, ascending
///                32  SHA-256 of all before
///
/// It only answers what `status` asks without contacting the remote. Losing it makes data look unpushed, nothing more.
struct KnownComplete {
  private static let magic = Array("dv-known 1\n".utf8)
  private static let headerSize = magic.count + ObjectID.byteCount

  /// Returns the bytes of the file.
  ///
  /// - Parameter oids: ascending, none twice.
  static func encode(_ oids: [ObjectID], url: String) -> [UInt8] {
    var bytes = magic
    bytes.reserveCapacity(headerSize + (oids.count + 1) * ObjectID.byteCount)
    ObjectID(hashing: Array(url.utf8).span).append(to: &bytes)
    for oid in oids { oid.append(to: &bytes) }
    ObjectID(hashing: bytes.span).append(to: &bytes)
    return bytes
  }

  /// Reads the file, oids in ascending order; `nil` if it is damaged or about another URL.
  static func decode(_ bytes: [UInt8], url: String) -> [ObjectID]? {
    let end = bytes.count - ObjectID.byteCount
    guard end >= headerSize, bytes.starts(with: magic), (end - headerSize) % ObjectID.byteCount == 0,
      (try? ObjectID(bytes: bytes.span.extracting(end...))) == ObjectID(hashing: bytes.span.extracting(first: end)),
      (try? ObjectID(bytes: bytes.span.extracting(magic.count..<headerSize))) == ObjectID(hashing: Array(url.utf8).span)
    else { return nil }
    var oids: [ObjectID] = []
    oids.reserveCapacity((end - headerSize) / ObjectID.byteCount)
    for start in stride(from: headerSize, to: end, by: ObjectID.byteCount) {
      guard let oid = try? ObjectID(bytes: bytes.span.extracting(start..<(start + ObjectID.byteCount))),
        oids.last.map({ $0 < oid }) ?? true
      else { return nil }
      oids.append(oid)
    }
    return oids
  }
}

extension Repository {
  private func completeFile(of remote: Remote) -> FilePath {
    dataDirectory.appending("remotes").appending(remote.name).appending("complete")
  }

  /// Returns the oids known to be complete on a remote; `nil` if it was never contacted.
  public func knownComplete(on remote: Remote) -> Set<ObjectID>? { sortedComplete(on: remote).map(Set.init) }

  private func sortedComplete(on remote: Remote) -> [ObjectID]? {
    guard let bytes = try? completeFile(of: remote).readAll(limit: 1 << 30) else { return nil }
    return KnownComplete.decode(bytes, url: remote.text)
  }

  /// Adds oids that a push or pull found complete on a remote.
  ///
  /// Of two processes that add at a time, each waits for the other.
  public func noteComplete(_ oids: some Sequence<ObjectID>, on remote: Remote) throws {
    let file = completeFile(of: remote)
    try file.containingDirectory.createDirectories()
    let lock = try FileLock.wait(for: file.containingDirectory.appending("lock"), .exclusive)
    let before = sortedComplete(on: remote)
    let known = before ?? []
    let fresh = Set(oids.lazy.filter { !known.holds($0) })
    if before == nil || !fresh.isEmpty {
      // What is in order but for a few costs no more than a look at each.
      try file.replaceContent(with: KnownComplete.encode((known + fresh).sorted(), url: remote.text).span, durable: false)
    }
    _ = consume lock
  }

  /// Forgets what is known of a remote, as after something was removed from it.
  public func forgetComplete(on remote: Remote) throws { try completeFile(of: remote).removeFile() }
}

extension [ObjectID] {
  /// Whether ascending oids hold one.
  fileprivate func holds(_ oid: ObjectID) -> Bool {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < oid { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low] == oid
  }
}
