public import DVBackend
import DVFile
public import DVObject
import Synchronization
public import SystemPackage

/// A backend in a bucket of an S3-compatible server: a key is an object whose name is the location's prefix and the key.
///
/// A PUT is atomic and durable when it is answered, so that nothing is written under another name first. What a bucket cannot do is
/// told by its ``S3Capabilities``.
public final class S3Backend: Backend {
  let client: S3Client
  let capabilities: S3Capabilities
  /// What the server said of packs before.
  let tags: TagMemory?
  let arrival: ArrivalCheck
  private var location: S3Location { client.settings.location }

  /// Bytes that are asked for at once; more are asked for in pieces, side by side.
  static let pieceSize: UInt64 = 8 << 20
  /// Pieces of one value under way at a time.
  private static let pieceWidth = 8

  /// - Parameters:
  ///   - credentials: what to sign requests with; `nil` only if the settings say that they go unsigned.
  ///   - capabilities: what a probe found out. Without one, the server is taken to do what AWS does, and what it refuses
  ///     is not asked again.
  ///   - tags: where this machine keeps what the server said of packs, to notice that it says something else.
  ///   - tally: where its requests are counted.
  /// - Throws: ``BackendError`` if the settings name certificates that cannot be read.
  public convenience init(
    _ settings: S3Settings, credentials: CredentialChain?, capabilities: S3Capabilities = .untested,
    tags: FilePath? = nil, tally: RequestTally = RequestTally()
  ) throws(BackendError) {
    let connections: HTTPConnections
    do { connections = try HTTPConnections.with(settings.http) } catch {
      throw BackendError(.invalid, message: "Cannot reach '\(settings.location)': \(error.reason).", cause: error)
    }
    self.init(
      client: S3Client(
        settings, credentials: credentials, takesHints: capabilities.takesHints,
        exchange: { (request) async throws(TransportError) in try await connections.exchange(request) }, tally: tally),
      capabilities: capabilities, tags: tags.map { TagMemory($0, of: settings.identity) })
  }

  init(client: S3Client, capabilities: S3Capabilities, tags: TagMemory? = nil) {
    self.tags = tags
    self.client = client
    self.capabilities = capabilities
    arrival = ArrivalCheck(capabilities)
  }

  public var description: String { client.place }

  /// The requests made so far.
  public var requests: RequestTally.Counts { client.caller.tally.counts }

  /// The name of the object that holds `key`.
  func object(_ key: BackendKey) -> String { location.prefix + key.text }

  // MARK: - Reading

  public func get(_ key: BackendKey) async throws(BackendError) -> [UInt8]? {
    // A replaceable value may change between two pieces: then it is read again.
    for _ in 0..<4 {
      guard let first = try await piece(of: key, 0..<Self.pieceSize, mayEnd: true) else { return nil }
      guard first.total <= BackendError.wholeReadLimit else { throw tooLarge(key, first.total) }
      if UInt64(first.bytes.count) == first.total { return first.bytes }
      if let bytes = try await rest(of: key, after: first, to: first.total) { return bytes }
    }
    throw BackendError(
      .unreachable, key: key, message: "Cannot read '\(key)' in \(description): it keeps changing. Try again later.")
  }

  public func get(_ key: BackendKey, range: Range<UInt64>) async throws(BackendError) -> [UInt8]? {
    let count = range.upperBound - range.lowerBound
    guard count <= BackendError.wholeReadLimit else { throw tooLarge(key, count) }
    if range.isEmpty {
      guard let size = try await size(of: key) else { return nil }
      guard range.upperBound <= size else { throw tooShort(key, range, size) }
      return []
    }
    guard count > Self.pieceSize else { return try await piece(of: key, range)?.bytes }
    for _ in 0..<4 {
      let end = range.lowerBound + Self.pieceSize
      guard let first = try await piece(of: key, range.lowerBound..<end) else { return nil }
      guard range.upperBound <= first.total else { throw tooShort(key, range, first.total) }
      if let bytes = try await rest(of: key, after: first, from: end, to: range.upperBound) { return bytes }
    }
    throw BackendError(
      .unreachable, key: key, message: "Cannot read '\(key)' in \(description): it keeps changing. Try again later.")
  }

  public func size(of key: BackendKey) async throws(BackendError) -> UInt64? {
    var request = S3Request(act: "look at '\(key)' in", key: key)
    request.method = "HEAD"
    request.object = object(key)
    request.limit = 0
    request.check = { $0.header("content-length").flatMap { UInt64($0) } == nil ? "the answer has no length" : nil }
    let response = try await client.send(request, holding: 0)
    guard response.kind == .success else {
      try await requireBucket(request, response)
      return nil
    }
    return response.reply.header("content-length").flatMap { UInt64($0) }
  }

  public func fetch(_ key: BackendKey, into file: FilePath) async throws(BackendError) -> ObjectID? {
    guard let first = try await piece(of: key, 0..<Self.pieceSize, mayEnd: true) else { return nil }
    let download: Download
    do throws(FileError) {
      download = try await BlockingThreads.run { () throws(FileError) in try Download(file) }
    } catch {
      throw cannotFetch(key, error)
    }
    do {
      try await download.append(first.bytes)
      try await pieces(of: key, like: first, from: UInt64(first.bytes.count), to: first.total) { bytes in
        try await download.append(bytes)
      }
      return try await download.finish()
    } catch {
      _ = try? await BlockingThreads.run { () throws(FileError) in try file.removeFile() }
      if let error = error as? FileError { throw cannotFetch(key, error) }
      if let error = error as? BackendError { throw error }
      throw BackendError(
        .unreachable, key: key, message: "Cannot fetch '\(key)' from \(description): it changed meanwhile. Try again.",
        cause: error)
    }
  }

  // MARK: - Time

  public func clock() async throws(BackendError) -> Int64 {
    // The server tells its time with every answer.
    if let time = client.time(within: .seconds(30)) { return time }
    var request = S3Request(act: "read the clock of")
    request.method = "HEAD"
    request.limit = 0
    _ = try await client.send(request, holding: 0)
    if let time = client.time(within: .seconds(60)) { return time }
    throw BackendError(
      .invalid, message: "The server of \(description) does not say what time it is, without which dv cannot push to it.")
  }

  // MARK: - Pieces

  /// A run of a value's bytes.
  struct Piece: Sendable {
    let bytes: [UInt8]
    /// Bytes of the whole value.
    let total: UInt64
    /// Which version of the value they are of, if the server tells.
    let tag: String?
  }

  /// The value is not the one that the first piece was of.
  private struct Changed: Error {}

  /// Reads one piece of at most ``pieceSize``.
  ///
  /// - Parameter mayEnd: whether fewer bytes are fine.
  /// - Throws: ``BackendError`` with code `corrupt` if there are fewer and that is not fine.
  func piece(
    of key: BackendKey, _ range: Range<UInt64>, mayEnd: Bool = false
  ) async throws(BackendError) -> Piece? {
    let (act, object) = ("read '\(key)' in", object(key))
    var request = S3Request(act: act, key: key)
    request.object = object
    request.carriesObject = true
    request.headers = [("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
    // A server that knows no ranges sends everything.
    request.limit = Int(max(Self.pieceSize, range.upperBound - range.lowerBound))
    request.check = { RangeReply($0, asked: range).problem }
    let response = try await client.send(request, holding: Int(range.upperBound - range.lowerBound))
    switch response.kind {
    case .success:
      let reply = RangeReply(response.reply, asked: range)
      guard mayEnd || UInt64(reply.bytes.count) == range.upperBound - range.lowerBound else {
        throw tooShort(key, range, reply.total)
      }
      return Piece(bytes: reply.bytes, total: reply.total, tag: response.reply.header("etag"))
    case .outOfRange:
      guard let size = try await size(of: key) else { return nil }
      if mayEnd, range.lowerBound == 0, size == 0 { return Piece(bytes: [], total: 0, tag: nil) }
      guard range.lowerBound < size else { throw tooShort(key, range, size) }
      throw client.failure(.unreachable, request, "the server refuses a range that is there", "Try again later.")
    case .absent:
      try await requireBucket(request, response)
      return nil
    case .exists, .unsupported, .otherDigest:
      throw client.oddAnswer(response, to: request)
    }
  }

  /// Reads what follows `first` and returns all; `nil` if the value changed meanwhile.
  private func rest(
    of key: BackendKey, after first: Piece, from start: UInt64? = nil, to end: UInt64
  ) async throws(BackendError) -> [UInt8]? {
    let all = Mutex(first.bytes)
    do {
      try await pieces(of: key, like: first, from: start ?? UInt64(first.bytes.count), to: end) { bytes in
        all.withLock { $0 += bytes }
      }
    } catch let error as BackendError {
      throw error
    } catch {
      return nil
    }
    return all.withLock { $0 }
  }

  /// Passes the bytes from `start` to `end` to `take`, in order, reading some pieces ahead.
  private func pieces(
    of key: BackendKey, like first: Piece, from start: UInt64, to end: UInt64, _ take: ([UInt8]) async throws -> Void
  ) async throws {
    let starts = Array(stride(from: start, to: end, by: UInt64.Stride(Self.pieceSize)))
    try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
      var early: [Int: [UInt8]] = [:]
      var next = 0
      func ask(_ index: Int) {
        let range = starts[index]..<min(starts[index] + Self.pieceSize, end)
        group.addTask {
          let piece = try await self.piece(of: key, range)
          guard let piece, piece.total == first.total, piece.tag == first.tag else { throw Changed() }
          return (index, piece.bytes)
        }
      }
      for index in starts.indices.prefix(Self.pieceWidth) { ask(index) }
      while next < starts.count, let (index, bytes) = try await group.next() {
        early[index] = bytes
        while let bytes = early.removeValue(forKey: next) {
          try await take(bytes)
          if next + Self.pieceWidth < starts.count { ask(next + Self.pieceWidth) }
          next += 1
        }
      }
    }
  }

  // MARK: - Errors

  /// Checks that the bucket is there, after an answer that says only that something is not.
  func requireBucket(_ request: S3Request, _ response: S3Response) async throws(BackendError) {
    if client.isBucketSeen { return }
    var bucket = request
    bucket.method = "HEAD"
    bucket.object = nil
    (bucket.headers, bucket.query, bucket.limit, bucket.carriesObject) = ([], [], 0, false)
    bucket.check = { _ in nil }
    // Who may not look at the bucket knows at least that it is there.
    do throws(BackendError) {
      if try await client.send(bucket, holding: 0).kind == .success { return }
    } catch {
      if error.code == .denied { return }
      throw error
    }
    throw client.failure(
      .notFound, request, "there is no bucket '\(location.bucket)'",
      "Make the bucket, or correct the remote's URL, region or endpoint.")
  }

  private func tooLarge(_ key: BackendKey, _ count: UInt64) -> BackendError {
    BackendError(
      .invalid, key: key,
      message:
        "Cannot read \(count) bytes of '\(key)' in \(description) at once: at most \(BackendError.wholeReadLimit) are read into memory."
    )
  }

  private func tooShort(_ key: BackendKey, _ range: Range<UInt64>, _ size: UInt64) -> BackendError {
    BackendError(
      .corrupt, key: key,
      message:
        "'\(key)' in \(description) has \(size) bytes, expected at least \(range.upperBound): it is truncated. Run 'dv remote check'."
    )
  }

  private func cannotFetch(_ key: BackendKey, _ error: FileError) -> BackendError {
    BackendError(
      BackendError.Code(error), key: key, message: "Cannot fetch '\(key)' from \(description): \(error.message)", cause: error)
  }
}

/// A file that is being written from the start on, and hashed.
private final class Download: Sendable {
  private let writer: FileWriter
  private let digest = Mutex(Digest())

  init(_ file: FilePath) throws(FileError) { writer = try FileWriter(creating: file) }

  func append(_ bytes: [UInt8]) async throws(FileError) {
    try await BlockingThreads.run { () throws(FileError) in
      self.digest.withLock { $0.update(bytes.span) }
      try self.writer.write(bytes.span)
    }
  }

  func finish() async throws(FileError) -> ObjectID {
    try await BlockingThreads.run { () throws(FileError) in
      try self.writer.synchronize()
      return self.digest.withLock { $0.finish() }
    }
  }
}
