/// The metadata service of an EC2 instance, in its second version: a request needs a token, which a stray redirect or a proxy cannot get.
struct InstanceMetadata {
  private let environment: CredentialEnvironment
  private let endpoint: String
  private let timeout: Int64
  private let attempts: Int

  /// - Returns: `nil` if `AWS_EC2_METADATA_DISABLED` says not to ask.
  init?(_ environment: CredentialEnvironment) throws(CredentialError) {
    guard !environment.isTrue("AWS_EC2_METADATA_DISABLED") else { return nil }
    self.environment = environment
    let isVersion6 = environment.setting("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.lowercased() == "ipv6"
    let known = isVersion6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
    let url = try ServiceURL(environment.setting("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? known)
    endpoint = url.text.hasSuffix("/") ? String(url.text.dropLast()) : url.text
    // Outside of EC2 nobody answers, and everybody waits for this: short.
    timeout = environment.number("AWS_METADATA_SERVICE_TIMEOUT", in: 1...60, default: 1) * 1_000
    attempts = Int(environment.number("AWS_METADATA_SERVICE_NUM_ATTEMPTS", in: 1...10, default: 2))
  }

  /// Returns a token to ask with, or `nil` if there is no such service here.
  ///
  /// The answer to this request travels one hop only, unless the instance is set up otherwise: in a container on an instance it may get lost.
  func token() async throws(CredentialError) -> String? {
    let request = CredentialRequest(
      method: .put, url: "\(endpoint)/latest/api/token", headers: [("x-aws-ec2-metadata-token-ttl-seconds", "300")],
      timeout: timeout, usesProxy: false)
    let response: CredentialResponse
    do throws(CredentialError) { response = try await environment.send(request, attempts: attempts) } catch {
      guard error.code == .unreachable else { throw error }
      return nil
    }
    switch response.status {
    case 200:
      let token = String(decoding: response.body.trimmingSpace, as: UTF8.self)
      guard !token.isEmpty, token.isHeaderValue, token.utf8.count <= 4_096 else {
        throw CredentialError(.invalid, "\(endpoint) gives no token that could be used.")
      }
      return token
    case 403, 404, 405: return nil  // Switched off for this instance, or a version that knows no tokens.
    default: throw refusal(response.status)
    }
  }

  /// Returns what is at a path below `/latest/meta-data/`, or `nil` if there is no such thing.
  func get(_ path: String, token: String) async throws(CredentialError) -> [UInt8]? {
    let request = CredentialRequest(
      method: .get, url: "\(endpoint)/latest/meta-data/\(path)", headers: [("x-aws-ec2-metadata-token", token)],
      timeout: timeout, usesProxy: false)
    let response = try await environment.send(request, attempts: attempts)
    switch response.status {
    case 200: return response.body
    case 404: return nil
    default: throw refusal(response.status)
    }
  }

  private func refusal(_ status: Int) -> CredentialError {
    CredentialError(status >= 500 || status == 429 ? .unreachable : .denied, "\(endpoint) answers with status \(status).")
  }
}

extension CredentialEnvironment {
  /// Returns a variable as a number, or `fallback` if it is not set or none in `range`.
  fileprivate func number(_ name: String, in range: ClosedRange<Int64>, default fallback: Int64) -> Int64 {
    setting(name).flatMap { Int64($0) }.flatMap { range.contains($0) ? $0 : nil } ?? fallback
  }
}
