public import DVBackend
import DVFile

// Objects that others stored in a bucket, under whatever names, to be copied from there.

extension S3Backend {
  /// An object below the location.
  public struct ForeignObject: Hashable, Sendable {
    /// Below the location; empty for the object that has the location's own name.
    public let path: String
    public let version: RemoteFileVersion

    public init(path: String, version: RemoteFileVersion) {
      self.path = path
      self.version = version
    }
  }

  /// Returns the object that the location names; `nil` if there is none.
  public func foreignObject() async throws(BackendError) -> ForeignObject? {
    let name = name(of: "")
    guard !name.isEmpty else { return nil }
    var request = S3Request(act: "look at '\(TerminalSafe.text(name))' in")
    request.method = "HEAD"
    request.object = name
    request.limit = 0
    let response = try await client.send(request, holding: 0)
    guard response.kind == .success else {
      try await requireBucket(request, response)
      return nil
    }
    return ForeignObject(path: "", version: RemoteFileVersion(response.reply))
  }

  /// Returns the objects whose names begin with the location's and a slash, in the order of their names; without those that only
  /// stand for a folder.
  public func foreignObjects() async throws(BackendError) -> [ForeignObject] {
    let prefix = client.settings.location.prefix
    var found: [ForeignObject] = []
    var token: String?
    var seen: Set<String> = []
    repeat {
      let page = try await page(prefix, after: token)
      for object in page.objects where object.key.hasPrefix(prefix) {
        let path = String(object.key.dropFirst(prefix.count))
        if path.isEmpty || path.hasSuffix("/") && object.size == 0 { continue }
        found.append(
          ForeignObject(path: path, version: RemoteFileVersion(tag: object.etag.map { "\"\($0)\"" }, size: object.size)))
      }
      token = page.nextToken
      if let token, !seen.insert(token).inserted {
        throw BackendError(
          .unreachable, message: "Cannot list \(description): the server gives the same page again and again. Try again later.")
      }
    } while token != nil
    return found.sorted { $0.path < $1.path }
  }

  /// Brings an object here, on from where an earlier run stopped.
  ///
  /// - Parameter progress: told how many more bytes came.
  /// - Returns: which version it is; `nil` if it is gone.
  public func fetch(
    _ object: ForeignObject, into file: PartialFile, progress: @escaping @Sendable (UInt64) -> Void = { _ in }
  ) async throws(BackendError) -> RemoteFileVersion? {
    for _ in 0..<4 {
      let offset = file.version?.tag == nil ? 0 : file.size
      if offset > 0, file.version?.size == offset, let version = file.version { return version }
      guard let first = try await foreignPiece(of: object, offset..<(offset + Self.pieceSize)) else { return nil }
      var version = RemoteFileVersion(tag: first.tag, size: first.total)
      try await keeping { [version] () throws(FileError) in try file.begin(version, at: offset) }
      // Another one than was begun with: from its start.
      if file.size != offset { continue }
      try await keeping { () throws(FileError) in try file.append(first.bytes) }
      progress(UInt64(first.bytes.count))
      var isSame = true
      while file.size < first.total {
        let start = file.size
        guard let piece = try await foreignPiece(of: object, start..<(start + Self.pieceSize)) else { return nil }
        isSame = piece.tag == first.tag && piece.total == first.total
        if !isSame { break }
        try await keeping { () throws(FileError) in try file.append(piece.bytes) }
        progress(UInt64(piece.bytes.count))
      }
      if isSame {
        version.modified = object.version.modified
        return version
      }
      try await keeping { () throws(FileError) in try file.restart() }
    }
    throw BackendError(.unreachable, message: "Cannot read \(description): it keeps changing. Try again later.")
  }

  private func keeping(_ body: @escaping @Sendable () throws(FileError) -> Void) async throws(BackendError) {
    do throws(FileError) { try await BlockingThreads.run(body) } catch {
      throw BackendError(
        BackendError.Code(error), message: "Cannot keep what comes from \(description): \(error.message)", cause: error)
    }
  }

  private func name(of path: String) -> String {
    let prefix = client.settings.location.prefix
    return path.isEmpty ? String(prefix.dropLast()) : prefix + path
  }

  private func foreignPiece(of object: ForeignObject, _ range: Range<UInt64>) async throws(BackendError) -> Piece? {
    let name = name(of: object.path)
    var request = S3Request(act: "read '\(TerminalSafe.text(name))' in")
    request.object = name
    request.carriesObject = true
    request.headers = [("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
    request.limit = Int(Self.pieceSize)
    request.check = { RangeReply($0, asked: range).problem }
    let response = try await client.send(request, holding: Int(Self.pieceSize))
    switch response.kind {
    case .success:
      let reply = RangeReply(response.reply, asked: range)
      return Piece(bytes: reply.bytes, total: reply.total, tag: response.reply.header("etag"))
    case .outOfRange where range.lowerBound == 0: return Piece(bytes: [], total: 0, tag: nil)
    case .absent:
      try await requireBucket(request, response)
      return nil
    case .outOfRange, .exists, .unsupported, .otherDigest:
      throw client.oddAnswer(response, to: request)
    }
  }
}
