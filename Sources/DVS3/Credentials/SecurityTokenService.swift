import DVFile
import DVObject

/// AWS's Security Token Service, or a compatible one: gives temporary credentials for a role.
struct SecurityTokenService {
  let environment: CredentialEnvironment
  /// Region whose service is asked, and which the request is signed for.
  let region: String
  /// The service's URL, if it is not AWS's own.
  let endpoint: String?

  /// Milliseconds that one request may take.
  static let timeout: Int64 = 20_000

  /// Returns credentials for a role, on the strength of others.
  func assumeRole(_ role: AssumedRole, with credentials: AWSCredentials) async throws(CredentialError) -> AWSCredentials {
    var fields = role.fields(action: "AssumeRole", now: environment.now())
    if let externalID = role.externalID { fields.append(("ExternalId", externalID)) }
    return try await ask(fields, signedWith: credentials, role: role)
  }

  /// Returns credentials for a role, on the strength of a token of an identity provider. The request is not signed.
  func assumeRole(_ role: AssumedRole, withWebIdentity token: String) async throws(CredentialError) -> AWSCredentials {
    var fields = role.fields(action: "AssumeRoleWithWebIdentity", now: environment.now())
    fields.append(("WebIdentityToken", token))
    return try await ask(fields, signedWith: nil, role: role)
  }

  private func ask(
    _ fields: [(String, String)], signedWith credentials: AWSCredentials?, role: AssumedRole
  ) async throws(CredentialError) -> AWSCredentials {
    let url = try ServiceURL(endpoint ?? "https://sts.\(region).\(AWSEndpoint.domain(ofRegion: region))")
    let body = Array(PercentEncoding.query(fields).utf8)
    var headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8"), ("accept", "application/xml")]
    if let credentials {
      headers += RequestSignature.headers(
        method: "POST", path: url.path, query: [], headers: headers + [("host", url.authority)],
        payloadHash: ObjectID(hashing: body.span).hex, credentials: credentials, region: region, service: "sts",
        time: environment.now())
    }
    let request = CredentialRequest(
      method: .post, url: url.text, headers: headers, body: body, timeout: Self.timeout, usesProxy: true)
    let response: CredentialResponse
    do throws(CredentialError) { response = try await environment.send(request) } catch {
      throw CredentialError(error.code, "cannot assume role '\(role.printable)' at \(url.authority): \(error.message)")
    }
    return try read(response, role: role, from: url.authority)
  }

  private func read(
    _ response: CredentialResponse, role: AssumedRole, from host: String
  ) throws(CredentialError) -> AWSCredentials {
    if response.status == 200 {
      do throws(S3AnswerError) { return try AssumeRoleResult(xml: response.body).credentials } catch {
        throw CredentialError(.invalid, "cannot assume role '\(role.printable)' at \(host): \(error.message)")
      }
    }
    let refusal = try? S3ErrorBody(xml: response.body)
    let reason = refusal?.description ?? "status \(response.status)"
    let code: CredentialError.Code =
      switch refusal?.code {
      case "ExpiredToken", "ExpiredTokenException": .expired
      default: response.status >= 500 || response.status == 429 ? .unreachable : .denied
      }
    throw CredentialError(code, "cannot assume role '\(role.printable)': \(host) says \(reason)")
  }
}

/// The role to assume, and how.
struct AssumedRole: Hashable {
  /// Its name for AWS, as `arn:aws:iam::123456789012:role/lab`.
  let arn: String
  /// What AWS's log of accesses calls the session; `nil` for one that names dv and the time.
  let sessionName: String?
  var externalID: String?
  /// How long the credentials are valid, in seconds; `nil` to leave it to the role.
  var duration: Int64?

  var printable: String { TerminalSafe.text(arn) }

  func fields(action: String, now: Int64) -> [(String, String)] {
    var fields = [
      ("Action", action), ("Version", "2011-06-15"), ("RoleArn", arn),
      ("RoleSessionName", sessionName ?? "dv-\(now)"),
    ]
    if let duration { fields.append(("DurationSeconds", String(duration))) }
    return fields
  }
}
