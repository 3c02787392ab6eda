import Crypto
public import DVBackend
import DVFile
import DVObject

extension S3Backend {
  /// Finds out what the server can do, on two keys under `probe/` that are removed again.
  ///
  /// Costs about ten small requests.
  ///
  /// - Throws: ``BackendError``, with code `denied` if nothing may be written.
  public func probe() async throws(BackendError) -> S3Capabilities {
    let name = RandomName.letters()
    let keys = [try BackendKey("probe/\(name)-0"), try BackendKey("probe/\(name)-1")]
    let (first, second) = (Array("dv probe: first value".utf8), Array("dv probe: other value".utf8))
    let written = try await write(first, at: keys[0])
    do throws(BackendError) {
      var found = S3Capabilities.untested
      found.servesRanges = try await rangedRead(keys[0]) == Array(first[3..<8])
      found.tagsByMD5 = written.reply.header("etag").map { ArrivalCheck.isTag($0, ofMD5: Insecure.MD5.hash(data: first).hex) } ?? false
      found.refusesToReplace = await answers([.exists]) { () throws(BackendError) in
        try await self.write(second, at: keys[0], [("if-none-match", "*")])
      }
      if found.refusesToReplace { found.refusesToReplace = try await get(keys[0]) == first }
      found.comparesDigest = await answers([.otherDigest]) { () throws(BackendError) in
        try await self.write(second, at: keys[1], announcing: ObjectID(hashing: first.span))
      }
      if found.comparesDigest { found.comparesDigest = try await size(of: keys[1]) == nil }
      found.keepsDigest = try await keepsDigest(of: second, at: keys[1])
      found.deletesInBatches = await deletes(keys)
      if !found.deletesInBatches { for key in keys { try await delete(key) } }
      return found
    } catch {
      for key in keys { try? await delete(key) }
      throw error
    }
  }

  private func write(
    _ bytes: [UInt8], at key: BackendKey, _ headers: [(String, String)] = [], announcing digest: ObjectID? = nil
  ) async throws(BackendError) -> S3Response {
    var request = S3Request(act: "write a probe to", key: key)
    request.method = "PUT"
    request.object = object(key)
    request.headers = storingHeaders + headers
    request.body = .bytes(bytes)
    request.payloadHash = (digest ?? ObjectID(hashing: bytes.span)).hex
    return try await client.send(request, holding: bytes.count)
  }

  /// Whether `body` gets one of these answers; a server that refuses in another way lacks what was tried.
  private func answers(
    _ wanted: [S3Response.Kind], _ body: () async throws(BackendError) -> S3Response
  ) async -> Bool {
    do throws(BackendError) { return wanted.contains(try await body().kind) } catch { return false }
  }

  private func rangedRead(_ key: BackendKey) async throws(BackendError) -> [UInt8]? {
    var request = S3Request(act: "read a probe from", key: key)
    request.object = object(key)
    request.carriesObject = true
    request.headers = [("range", "bytes=3-7")]
    let response = try await client.send(request, holding: 0)
    return response.reply.isPart && RangeReply(response.reply, asked: 3..<8).problem == nil ? response.reply.body : nil
  }

  /// Whether the digest of a value is kept with it, and is one that the server has compared: some only keep what they are told.
  private func keepsDigest(of bytes: [UInt8], at key: BackendKey) async throws(BackendError) -> Bool {
    let digest = ObjectID(hashing: bytes.span).base64
    let wrong = ObjectID(hashing: [0].span).base64
    let isCompared = await answers([.otherDigest]) { () throws(BackendError) in
      try await self.write(bytes, at: key, [("x-amz-checksum-sha256", wrong)])
    }
    guard isCompared else { return false }
    let isTaken = await answers([.success]) { () throws(BackendError) in
      try await self.write(bytes, at: key, [("x-amz-checksum-sha256", digest)])
    }
    guard isTaken else { return false }
    var request = S3Request(act: "look at a probe in", key: key)
    request.method = "HEAD"
    request.object = object(key)
    request.headers = [("x-amz-checksum-mode", "ENABLED")]
    request.limit = 0
    do throws(BackendError) {
      return try await client.send(request, holding: 0).reply.header("x-amz-checksum-sha256") == digest
    } catch {
      return false
    }
  }

  private func deletes(_ keys: [BackendKey]) async -> Bool {
    do throws(BackendError) {
      guard try await deleteBatch(keys) else { return false }
      for key in keys where try await size(of: key) != nil { return false }
      return true
    } catch {
      return false
    }
  }
}
