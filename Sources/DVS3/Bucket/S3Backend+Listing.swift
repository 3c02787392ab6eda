public import DVBackend
import DVFile

extension S3Backend {
  public func list(_ prefix: String) async throws(BackendError) -> [BackendEntry] {
    let prefix = client.settings.location.prefix + prefix
    let skipped = client.settings.location.prefix.utf8.count
    var entries: [BackendEntry] = []
    var token: String?
    var seen: Set<String> = []
    repeat {
      let page = try await page(prefix, after: token)
      for object in page.objects where object.key.hasPrefix(prefix) {
        // Names that cannot be keys are not ours and are passed over.
        guard let key = try? BackendKey(String(object.key.utf8.dropFirst(skipped)) ?? "") else { continue }
        entries.append(
          BackendEntry(
            key: key, size: object.size, modified: object.lastModified.map { $0 * 1_000_000_000 },
            isChanged: tags?.lists(key, tag: object.etag) ?? false))
      }
      token = page.nextToken
      if let token, !seen.insert(token).inserted {
        throw BackendError(
          .unreachable,
          message: "Cannot list \(description): the server gives the same page again and again. Try again later.")
      }
    } while token != nil
    // Servers list in the order of bytes. That a key comes twice would mean that one is left out elsewhere.
    let sorted = entries.sorted { $0.key < $1.key }
    for (left, right) in zip(sorted, sorted.dropFirst()) where left.key == right.key {
      throw BackendError(
        .unreachable, message: "Cannot list \(description): the server lists '\(left.key)' twice. Try again later.")
    }
    if prefix == client.settings.location.prefix + "packs/" { tags?.retain(sorted.lazy.map(\.key)) }
    tags?.save()
    return sorted
  }

  public func trust(_ keys: [BackendKey]) async { tags?.trust(keys) }

  func page(_ prefix: String, after token: String?) async throws(BackendError) -> ListBucketResult {
    var request = S3Request(act: "list '\(TerminalSafe.text(prefix))' in")
    request.query = [("list-type", "2"), ("max-keys", "1000"), ("encoding-type", "url"), ("prefix", prefix)]
    if let token { request.query.append(("continuation-token", token)) }
    request.limit = 8 << 20
    // A listing that was cut off on the way is asked for again.
    request.check = { reply in
      do throws(S3AnswerError) {
        _ = try ListBucketResult(xml: reply.body)
        return nil
      } catch {
        return error.message
      }
    }
    let response = try await client.send(request, holding: 1 << 20)
    guard response.kind == .success else {
      try await requireBucket(request, response)
      throw client.oddAnswer(response, to: request)
    }
    do throws(S3AnswerError) { return try ListBucketResult(xml: response.reply.body) } catch {
      throw client.failure(.unreachable, request, error.message, "Try again later.")
    }
  }
}
