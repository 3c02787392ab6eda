import Crypto
public import DVBackend
import DVFile
import DVObject

extension S3Backend {
  /// Keys in one request, as many as S3 takes.
  private static let batch = 1000

  public func delete(_ key: BackendKey) async throws(BackendError) {
    var request = S3Request(act: "delete '\(key)' in", key: key)
    request.method = "DELETE"
    request.object = object(key)
    let response = try await client.send(request, holding: 0)
    switch response.kind {
    case .success: return
    case .absent: try await requireBucket(request, response)
    default:
      throw client.oddAnswer(response, to: request)
    }
  }

  public func delete(_ keys: [BackendKey]) async throws(BackendError) {
    guard capabilities.deletesInBatches, keys.count > 1 else { return try await deleteSingly(keys) }
    for start in stride(from: 0, to: keys.count, by: Self.batch) {
      let part = Array(keys[start..<min(start + Self.batch, keys.count)])
      if try await !deleteBatch(part) { try await deleteSingly(part) }
    }
  }

  /// - Returns: `false` if the server does not know such requests.
  func deleteBatch(_ keys: [BackendKey]) async throws(BackendError) -> Bool {
    let objects = keys.map { "<Object><Key>\(XMLText.escaped(object($0)))</Key></Object>" }.joined()
    let body = Array("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>\(objects)</Delete>".utf8)
    var request = S3Request(act: "delete \(keys.count) keys in")
    request.method = "POST"
    request.query = [("delete", "")]
    request.body = .bytes(body)
    request.payloadHash = ObjectID(hashing: body.span).hex
    // S3 asks for a digest of its own here; all servers know the oldest one.
    request.headers = [
      ("content-type", "application/xml"), ("content-md5", Base64.text(of: Array(Insecure.MD5.hash(data: body)))),
    ]
    request.check = { reply in
      do throws(S3AnswerError) {
        _ = try DeleteResult(xml: reply.body)
        return nil
      } catch {
        return error.message
      }
    }
    let response = try await client.send(request, holding: body.count)
    guard response.kind == .success, let result = try? DeleteResult(xml: response.reply.body) else {
      if response.kind == .unsupported { return false }
      throw client.oddAnswer(response, to: request)
    }
    let failures = result.failures.filter { $0.code != "NoSuchKey" }
    if failures.isEmpty { return true }
    // One by one, what is temporary is tried again and what is not gets its own message.
    let names = Set(failures.map(\.key))
    try await deleteSingly(names.contains("") ? keys : keys.filter { names.contains(object($0)) })
    return true
  }

  private func deleteSingly(_ keys: [BackendKey]) async throws(BackendError) {
    do {
      try await keys.forEachConcurrently(width: 16) { try await self.delete($0) }
    } catch let error as BackendError {
      throw error
    } catch {
      throw BackendError(.unreachable, message: "Cannot delete \(keys.count) keys in \(description): \(error)", cause: error)
    }
  }
}
