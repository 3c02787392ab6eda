import DVBackend
import DVFile
import DVObject
import Synchronization

extension ObjectStore {
  /// Bytes of a pack that are read at once: enough to make a request worthwhile, and more where each takes a round trip.
  private var pieceSize: UInt64 { backend.answersAtOnce ? 2 << 20 : 8 << 20 }

  /// Copies a pack of `source` with all that it holds, proving every object on the way.
  ///
  /// The copy has random bytes of its own in its header, and so another name: a pack of the old name may have been here
  /// and condemned, and a collection that was held up may delete that name at any time.
  ///
  /// - Returns: the pack, installed here but not yet indexed; `nil` if it is damaged or gone. Its objects are to be copied
  ///   one by one then.
  func copyPack(_ group: CopyPlan.Group, from source: ObjectStore) async throws(StoreError) -> SealedPack? {
    let key = StoreLayout.container(group.container)
    let size = group.container.size
    var digest = ChunkedDigest()
    do {
      let table = try await source.table(of: group.container)
      guard let table, table.entries.map(\.key) == group.pieces.map(\.key) else { return nil }
      let pieceSize = source.pieceSize
      let file = try BlockFile(temporaryIn: scratch)
      var at: UInt64 = 0
      var next = 0
      var object: [UInt8] = []
      while at < size {
        // Up to an entry's end, so that every piece holds whole entries.
        var end = at
        let first = next
        while next < table.entries.count, end - at < pieceSize {
          end = UInt64(table.entries[next].offset + table.entries[next].storedLength)
          next += 1
        }
        if next == table.entries.count { end = size }
        guard var bytes = try await source.backend.get(key, range: at..<end) else { return nil }
        if at == 0 {
          _ = try PackHeader(decoding: bytes.span)
          bytes.replaceSubrange(..<PackHeader.byteCount, with: PackHeader().encoded())
        }
        let decoder = try coders.takeDecoder()
        defer { coders.give(decoder) }
        // The pack's own digest goes along with those of its objects: two at once cost little more than one.
        var hashed = 0
        for entry in table.entries[first..<next] {
          let start = entry.offset - Int(at)
          let end = start + entry.storedLength
          let stored = bytes.span.extracting(start..<end)
          try decoder.decode(stored, codec: entry.codec, length: entry.length, into: &object)
          let id = digest.update(bytes.span.extracting(hashed..<end), besides: object.span)
          guard entry.key.kind == .chunk, id == entry.key.id else { return nil }
          hashed = end
        }
        digest.update(bytes.span.extracting(droppingFirst: hashed))
        try file.append(bytes.span)
        at = end
      }
      try await BlockingThreads.run { () throws(FileError) in try file.finish() }
      let pack = SealedPack(id: digest.finish(), size: size, entries: table.entries, path: file.path)
      try await install(pack)
      return pack
    } catch let error as BackendError {
      // Bytes cut short are damage of this pack; anything else concerns the transfer.
      if error.code == .corrupt { return nil }
      throw StoreError(error)
    } catch is PackFormatError {
      return nil
    } catch let error as FileError {
      throw StoreError(error)
    } catch let error as StoreError {
      throw error
    } catch {
      throw StoreError(.other, "\(error)", cause: error)
    }
  }

  /// Reads a pack's table.
  ///
  /// - Returns: `nil` if the pack is gone or is not as long as its index says.
  /// - Throws: ``PackFormatError`` if it is damaged, ``BackendError`` if it cannot be read.
  func table(of container: IndexContainer) async throws -> PackTable? {
    try await backend.table(of: container)
  }
}
