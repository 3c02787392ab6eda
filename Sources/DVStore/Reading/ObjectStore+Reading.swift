import DVBackend
public import DVObject

extension ObjectStore {
  /// Returns the bytes of an object, decoded and checked.
  ///
  /// A chunk or node is checked against its name, a chunk list against the hash it carries. A location that fails is
  /// passed over for the next one; only when none is left is the failure reported.
  ///
  /// - Throws: ``StoreError/Code/missing`` if no location is known or all are gone, ``StoreError/Code/corrupt`` if every
  ///   copy is damaged, another code if a copy could not be looked at.
  public func read(_ key: ObjectKey) async throws(StoreError) -> [UInt8] {
    var bytes: [UInt8] = []
    try await read(key, into: &bytes)
    return bytes
  }

  /// Reads an object into `bytes`, which is emptied first.
  ///
  /// - Parameter refreshing: whether the index is read again when no location that it knows serves.
  func read(_ key: ObjectKey, into bytes: inout [UInt8], refreshing: Bool = true) async throws(StoreError) {
    if let kept = index.hints.object(key) {
      bytes = kept
      return
    }
    var tried: Set<ObjectLocation> = []
    var failure: StoreError?
    for attempt in 0..<(refreshing ? 2 : 1) {
      for location in try await index.locations(of: key) where tried.insert(location).inserted {
        do throws(StoreError) {
          let stored = try await stored(at: location, key: key)
          try decode(stored.span, of: key, codec: location.codec, length: location.length, at: location, into: &bytes)
          return
        } catch {
          if Self.weight(of: error) > failure.map(Self.weight(of:)) ?? 0 { failure = error }
        }
      }
      if attempt == 0, refreshing { try await index.refresh() }
    }
    throw failure ?? StoreError(.missing, "The \(key) is not in \(name).", key: key)
  }

  /// How much a failure to read one copy says about the object.
  ///
  /// Damage says more than absence: a merge may have taken a container away, which is no damage. But while one copy
  /// could not be looked at, nobody knows that the object is damaged.
  private static func weight(of error: StoreError) -> Int {
    switch error.code {
    case .missing: 1
    case .corrupt: 2
    default: 3
    }
  }

  /// Reads the stored bytes at a location.
  private func stored(at location: ObjectLocation, key: ObjectKey) async throws(StoreError) -> [UInt8] {
    do {
      guard let bytes = try await backend.get(StoreLayout.container(location.container), range: location.range) else {
        throw StoreError(
          .missing, "The \(key) is missing: '\(StoreLayout.container(location.container))' of \(name) is gone.", key: key)
      }
      return bytes
    } catch let error as StoreError {
      throw error
    } catch let error as BackendError {
      throw StoreError(error, key: key)
    } catch {
      throw StoreError(.other, "\(error)", key: key, cause: error)
    }
  }

  /// Decodes and checks stored bytes.
  func decode(
    _ stored: Span<UInt8>, of key: ObjectKey, codec: Codec, length: Int, at location: ObjectLocation,
    into bytes: inout [UInt8]
  ) throws(StoreError) {
    let container = StoreLayout.container(location.container)
    let decoder = try coders.takeDecoder()
    defer { coders.give(decoder) }
    do throws(PackFormatError) {
      try decoder.decode(stored, codec: codec, length: length, into: &bytes)
    } catch {
      throw damaged(key, in: container.text, because: "\(error)")
    }
    try verify(bytes, of: key, in: container.text)
  }

  /// Checks that `bytes` are those of `key`.
  func verify(_ bytes: [UInt8], of key: ObjectKey, in container: String) throws(StoreError) {
    if key.kind.isNamedByContent {
      guard ObjectID(hashing: bytes.span) == key.id else {
        throw damaged(key, in: container, because: "its bytes are not those its name says")
      }
    } else {
      do {
        if key.kind == .placeList { _ = try PlaceList(decoding: bytes.span) } else { _ = try ChunkListNode(decoding: bytes.span) }
      } catch {
        throw damaged(key, in: container, because: "\(error)")
      }
    }
  }

  private func damaged(_ key: ObjectKey, in container: String, because reason: String) -> StoreError {
    StoreError(
      .corrupt, "The \(key) in '\(container)' of \(name) is damaged: \(reason). Nothing was taken from it.", key: key)
  }
}
