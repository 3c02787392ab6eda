public import DVBackend
import DVFile
public import DVObject
public import SystemPackage

extension S3Backend {
  public func put(_ bytes: [UInt8], at key: BackendKey) async throws(BackendError) {
    let digest = ObjectID(hashing: bytes.span)
    try await put(.bytes(bytes), size: UInt64(bytes.count), digest: digest, at: key, holding: bytes.count)
  }

  public func put(
    file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey, consuming: Bool
  ) async throws(BackendError) {
    let found: FileStat?
    do throws(FileError) {
      found = try await BlockingThreads.run { () throws(FileError) in try file.fileStat() }
    } catch {
      throw cannotRead(file, key, error)
    }
    guard let found else {
      throw BackendError(
        .invalid, key: key, message: "Cannot store '\(key)' in \(description): there is no file '\(file.printable)'.")
    }
    guard found.kind == .regular, found.size == size else { throw otherBytes(file, key) }
    if size > client.settings.multipartLimit {
      try await putInParts(file, size: size, digest: digest, at: key)
    } else {
      // A server that is known to compare the digest needs no help; this machine saves reading everything once more.
      let slice = FileSlice(
        file, count: Int(size), digest: capabilities.comparesDigest ? nil : digest, notesMD5: arrival.isOn)
      try await put(
        .file(slice), size: size, digest: digest, at: key, holding: min(Int(size), 2 * FileSlice.pieceSize))
    }
    if consuming { _ = try? await BlockingThreads.run { () throws(FileError) in try file.removeFile() } }
  }

  private func put(
    _ body: HTTPRequest.Body, size: UInt64, digest: ObjectID, at key: BackendKey, holding memory: Int
  ) async throws(BackendError) {
    var request = S3Request(act: "store '\(key)' in", key: key)
    request.method = "PUT"
    request.object = object(key)
    request.headers = storingHeaders
    if capabilities.keepsDigest { request.hints.append(("x-amz-checksum-sha256", digest.base64)) }
    // Bytes that changed on the way could not be put right.
    if !key.isReplaceable, capabilities.refusesToReplace, arrival.isOff { request.hints.append(("if-none-match", "*")) }
    request.body = body
    request.payloadHash = digest.hex
    // More than once: bytes may change on the way, a value that is there may be of another length, and an answer may be nobody's.
    var reason = ""
    for attempt in 0..<Self.sendingLimit {
      let response = try await client.send(request, holding: memory)
      switch response.kind {
      case .success:
        let tag = response.reply.header("etag")
        if let problem = arrival.problem(response.reply, body) {
          reason = problem
        } else if try await isStored(key, size: size, tag: tag, isRepeated: attempt > 0) {
          tags?.wrote(key, tag: tag)
          return
        } else {
          reason = "the server answered \(response.reply.status) and does not have it"
        }
      case .exists:
        // A value that never changes is there already, or a try whose answer was lost put it there.
        if try await self.size(of: key) == size { return }
        reason = "the server has another value there"
        request.hints.removeAll { $0.0 == "if-none-match" }
      case .otherDigest:
        reason = "the server received other bytes than were sent"
        if case .file(let slice) = body {
          request.body = .file(FileSlice(slice.file, offset: slice.offset, count: slice.count, digest: digest))
        }
      case .absent, .outOfRange, .unsupported:
        throw client.oddAnswer(response, to: request)
      }
    }
    throw client.failure(.unreachable, request, reason, "Try again later.")
  }

  /// How often a value is sent, besides what the network makes necessary.
  private static var sendingLimit: Int { 3 }

  /// Whether a value is stored for which the server gave this tag.
  ///
  /// Who stores something answers with its tag. Without one, something in between may have answered in the server's place, so that it is
  /// looked at, unless that is not allowed. Of a value that replaces another the look tells nothing before it was sent twice.
  private func isStored(_ key: BackendKey, size: UInt64, tag: String?, isRepeated: Bool) async throws(BackendError) -> Bool {
    if tag != nil { return true }
    guard isRepeated || !key.isReplaceable else { return false }
    do throws(BackendError) { return try await self.size(of: key) == size } catch {
      if error.code == .denied { return true }
      throw error
    }
  }

  /// The headers of every request that begins an object.
  var storingHeaders: [(String, String)] {
    var headers = [("content-type", "application/octet-stream")]
    switch client.settings.encryption {
    case nil: break
    case .s3: headers.append(("x-amz-server-side-encryption", "AES256"))
    case .kms(let key):
      headers.append(("x-amz-server-side-encryption", "aws:kms"))
      if let key { headers.append(("x-amz-server-side-encryption-aws-kms-key-id", key)) }
    }
    if let storageClass = client.settings.storageClass { headers.append(("x-amz-storage-class", storageClass)) }
    return headers
  }

  func otherBytes(_ file: FilePath, _ key: BackendKey) -> BackendError {
    BackendError(
      .corrupt, key: key,
      message:
        "Cannot store '\(key)' in \(description): '\(file.printable)' has other bytes than were announced. Nothing was stored; try again."
    )
  }

  func cannotRead(_ file: FilePath, _ key: BackendKey, _ error: FileError) -> BackendError {
    BackendError(
      BackendError.Code(error), key: key, message: "Cannot store '\(key)' in \(description): \(error.message)", cause: error)
  }
}

extension ObjectID {
  /// The digest as S3 writes checksums.
  var base64: String {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return Base64.text(of: bytes)
  }
}
