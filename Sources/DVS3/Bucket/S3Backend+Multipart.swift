public import DVBackend
import DVFile
import DVObject
import Synchronization
import SystemPackage

extension S3Backend {
  /// Bytes of a part, unless 10,000 parts of this size are too few.
  private static let partSize: UInt64 = 64 << 20
  private static let partLimit: UInt64 = 10_000
  /// Parts of one file under way at a time.
  private static let partWidth = 4

  /// Stores a large file in parts.
  ///
  /// The file is hashed as a whole and by part before anything is sent, because every part is signed with its digest.
  func putInParts(_ file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey) async throws(BackendError) {
    if !key.isReplaceable, try await self.size(of: key) == size { return }
    let partSize = max(Self.partSize, (size + Self.partLimit - 1) / Self.partLimit)
    let digests: [ObjectID]
    let whole: ObjectID
    do throws(FileError) {
      (whole, digests) = try await BlockingThreads.run { () throws(FileError) in
        try Self.hash(file, partSize: partSize)
      }
    } catch {
      throw cannotRead(file, key, error)
    }
    guard whole == digest else { throw otherBytes(file, key) }
    let upload = try await begin(key)
    do throws(BackendError) {
      let tags = try await send(file, size: size, partSize: partSize, digests, of: upload, key)
      try await complete(upload, tags, key, size: size)
    } catch {
      // Parts that nobody completes are paid for until they are removed.
      try? await abort(object(key), upload, key)
      throw error
    }
  }

  /// Hashes a file and its parts in one reading.
  private static func hash(_ file: FilePath, partSize: UInt64) throws(FileError) -> (whole: ObjectID, parts: [ObjectID]) {
    let reader = try FileReader(file)
    reader.expectSequentialReading()
    var (whole, part) = (Digest(), Digest())
    var parts: [ObjectID] = []
    var room = partSize
    var position: UInt64 = 0
    while true {
      let bytes = try reader.read(at: position, count: Int(min(1 << 20, room)))
      if bytes.isEmpty { break }
      whole.update(bytes.span)
      part.update(bytes.span)
      position += UInt64(bytes.count)
      room -= UInt64(bytes.count)
      if room == 0 {
        parts.append(part.finish())
        room = partSize
      }
    }
    if room < partSize { parts.append(part.finish()) }
    return (whole.finish(), parts)
  }

  private func begin(_ key: BackendKey) async throws(BackendError) -> String {
    var request = S3Request(act: "begin to store '\(key)' in", key: key)
    request.method = "POST"
    request.object = object(key)
    request.query = [("uploads", "")]
    request.headers = storingHeaders
    request.check = { reply in
      do throws(S3AnswerError) {
        _ = try InitiateMultipartUploadResult(xml: reply.body)
        return nil
      } catch {
        return error.message
      }
    }
    let response = try await client.send(request, holding: 0)
    guard response.kind == .success, let result = try? InitiateMultipartUploadResult(xml: response.reply.body) else {
      throw client.oddAnswer(response, to: request)
    }
    return result.uploadID
  }

  private func send(
    _ file: FilePath, size: UInt64, partSize: UInt64, _ digests: [ObjectID], of upload: String, _ key: BackendKey
  ) async throws(BackendError) -> [String] {
    do {
      return try await digests.indices.mapConcurrently(width: Self.partWidth) { index in
        let start = UInt64(index) * partSize
        let count = Int(min(partSize, size - start))
        var request = S3Request(act: "store part \(index + 1) of '\(key)' in", key: key)
        request.method = "PUT"
        request.object = self.object(key)
        request.query = [("partNumber", String(index + 1)), ("uploadId", upload)]
        request.body = .file(FileSlice(file, offset: start, count: count, digest: digests[index], notesMD5: self.arrival.isOn))
        request.payloadHash = digests[index].hex
        request.check = { [arrival = self.arrival, body = request.body] reply in
          reply.header("etag") == nil ? "the answer has no ETag" : arrival.problem(reply, body)
        }
        let response = try await self.client.send(request, holding: 2 * FileSlice.pieceSize)
        guard response.kind == .success, let tag = response.reply.header("etag") else {
          throw self.client.failure(
            .unreachable, request, "the server answered \(response.reply.status)", "Try again later.")
        }
        return tag
      }
    } catch let error as BackendError {
      throw error
    } catch {
      throw BackendError(.unreachable, key: key, message: "Cannot store '\(key)' in \(description): \(error)", cause: error)
    }
  }

  private func complete(
    _ upload: String, _ tags: [String], _ key: BackendKey, size: UInt64
  ) async throws(BackendError) {
    var request = S3Request(act: "complete '\(key)' in", key: key)
    request.method = "POST"
    request.object = object(key)
    request.query = [("uploadId", upload)]
    let parts = tags.enumerated().map { index, tag in
      "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(XMLText.escaped(tag))</ETag></Part>"
    }
    let body = Array(
      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(parts.joined())</CompleteMultipartUpload>".utf8)
    request.headers = [("content-type", "application/xml")]
    request.body = .bytes(body)
    request.payloadHash = ObjectID(hashing: body.span).hex
    request.check = { reply in
      do throws(S3AnswerError) {
        _ = try CompleteMultipartUploadResult(xml: reply.body)
        return nil
      } catch {
        return error.message
      }
    }
    let failure: BackendError
    do throws(BackendError) {
      let response = try await client.send(request, holding: body.count)
      if response.kind == .success { return }
      failure = client.failure(
        .unreachable, request, "the server answered \(response.reply.status)", "Try again later.")
    } catch {
      failure = error
    }
    // A completion whose answer was lost is done, and the upload is gone: then the object says so.
    guard try await self.size(of: key) == size else { throw failure }
  }

  private func abort(_ object: String, _ upload: String, _ key: BackendKey?) async throws(BackendError) {
    var request = S3Request(act: "give up an upload to", key: key)
    request.method = "DELETE"
    request.object = object
    request.query = [("uploadId", upload)]
    _ = try await client.send(request, holding: 0)
  }

  /// Removes what uploads left that were begun longer than `age` seconds ago by the server's clock and never ended.
  ///
  /// - Returns: how many there were. Servers that cannot list uploads have none that can be found.
  @discardableResult
  public func removeAbandonedUploads(olderThan age: Int64) async throws(BackendError) -> Int {
    let now = try await clock()
    var marker: ListMultipartUploadsResult.Marker?
    var removed = 0
    repeat {
      var request = S3Request(act: "list uploads to")
      request.query = [("uploads", ""), ("encoding-type", "url"), ("prefix", client.settings.location.prefix)]
      if let marker {
        request.query.append(("key-marker", marker.key))
        if let id = marker.uploadID { request.query.append(("upload-id-marker", id)) }
      }
      request.limit = 8 << 20
      let response = try await client.send(request, holding: 0)
      guard response.kind == .success else { return removed }
      let page: ListMultipartUploadsResult
      do throws(S3AnswerError) { page = try ListMultipartUploadsResult(xml: response.reply.body) } catch {
        throw client.failure(.unreachable, request, error.message, "Try again later.")
      }
      for upload in page.uploads where upload.key.hasPrefix(client.settings.location.prefix) {
        guard let begun = upload.initiated, begun < now - age else { continue }
        try await abort(upload.key, upload.uploadID, nil)
        removed += 1
      }
      marker = page.next
    } while marker != nil
    return removed
  }
}
