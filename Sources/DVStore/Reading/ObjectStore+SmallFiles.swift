import DVBackend
public import DVObject

/// A file's content, named by its hash.
public struct ContentName: Hashable, Sendable {
  public let oid: ObjectID
  /// Bytes.
  public let size: UInt64

  public init(oid: ObjectID, size: UInt64) {
    self.oid = oid
    self.size = size
  }
}

extension ObjectStore {
  /// Files up to this size may be one chunk.
  public static let smallFileLimit = UInt64(ChunkLimits.standard.maximum)

  /// Returns the contents of many small files, read with few requests: those that lie close together in one container
  /// come with one.
  ///
  /// Each content is proved by its hash. Takes the memory of all of them, so a caller asks for some megabytes at a time.
  ///
  /// - Returns: for each file its content, or `nil` if it is not one chunk or something is wrong with it:
  ///   ``readFile(_:size:thorough:into:)`` then delivers it or says what.
  /// - Throws: ``StoreError`` if the index cannot be read.
  public func contents(ofSmallFiles files: [ContentName]) async throws(StoreError) -> [[UInt8]?] {
    var contents = [[UInt8]?](repeating: nil, count: files.count)
    var places: [(file: Int, location: ObjectLocation)] = []
    for (index, file) in files.enumerated() where file.size > 0 && file.size <= Self.smallFileLimit {
      let locations = try await locations(of: ObjectKey(kind: .chunk, id: file.oid))
      if let location = locations.first, UInt64(location.length) == file.size { places.append((index, location)) }
    }
    places.sort { left, right in
      let (a, b) = (left.location.container.id, right.location.container.id)
      return a == b ? left.location.offset < right.location.offset : a < b
    }
    var run = ChunkRun()
    var members: [Int] = []
    for place in places {
      let reference = ChunkReference(id: files[place.file].oid, length: place.location.length)
      if !run.append(reference, at: place.location) {
        await take(run, members, into: &contents)
        run = ChunkRun()
        members = []
        _ = run.append(reference, at: place.location)
      }
      members.append(place.file)
    }
    await take(run, members, into: &contents)
    return contents
  }

  /// Reads a run and keeps what is proved; the rest stays `nil`.
  private func take(_ run: ChunkRun, _ members: [Int], into contents: inout [[UInt8]?]) async {
    guard let bytes = try? await content(of: run, thorough: false), bytes.count == run.byteCount else { return }
    var start = 0
    for (chunk, member) in zip(run.chunks, members) {
      let end = start + chunk.reference.length
      if ObjectID(hashing: bytes.span.extracting(start..<end)) == chunk.reference.id {
        contents[member] = Array(bytes[start..<end])
      }
      start = end
    }
  }
}
