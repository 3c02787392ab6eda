import Crypto
import DVFile
import FoundationEssentials

/// Single sign-on (IAM Identity Center): `aws sso login` leaves a token in a cache, which is exchanged for a role's credentials.
///
///     ~/.aws/sso/cache/<SHA-1 of the session's name, or of the start URL, in hex>.json
///
/// dv reads the token and never renews it: a renewal may void the one in the cache, which belongs to `aws`.
struct SingleSignOn {
  private let profile: AWSProfile
  private let region: String
  private let account: String
  private let role: String
  private let cacheKey: String

  /// Milliseconds that one request may take.
  static let timeout: Int64 = 20_000

  /// - Returns: `nil` if the profile does not use it.
  /// - Throws: ``CredentialError/Code/invalid`` if a part of its settings is missing.
  init?(_ profile: AWSProfile, _ config: AWSConfig) throws(CredentialError) {
    // Without account and role, a session is there for other services than those that are signed for.
    guard profile["sso_account_id"] != nil || profile["sso_role_name"] != nil || profile["sso_start_url"] != nil else {
      return nil
    }
    func required(_ name: String, _ value: String?) throws(CredentialError) -> String {
      if let value, !value.isEmpty { return value }
      throw CredentialError(.invalid, "\(profile) uses single sign-on and has no '\(name)'. Run 'aws configure sso'.")
    }
    self.profile = profile
    account = try required("sso_account_id", profile["sso_account_id"])
    role = try required("sso_role_name", profile["sso_role_name"])
    if let name = profile["sso_session"] {
      guard let session = config.session(name) else {
        throw CredentialError(
          .invalid, "\(profile) names '[sso-session \(TerminalSafe.text(name))]', which is not in \(config.places).")
      }
      for setting in ["sso_region", "sso_start_url"] {
        guard let own = profile[setting], own != session[setting] else { continue }
        throw CredentialError(.invalid, "'\(setting)' of \(profile) is not that of its sso_session. Remove it from the profile.")
      }
      region = try AWSRegion.checked(try required("sso_region", session["sso_region"]))
      _ = try required("sso_start_url", session["sso_start_url"])
      cacheKey = name
    } else {
      region = try AWSRegion.checked(try required("sso_region", profile["sso_region"]))
      cacheKey = try required("sso_start_url", profile["sso_start_url"])
    }
  }

  /// Returns the credentials of the role.
  ///
  /// - Throws: ``CredentialError/Code/expired`` if the person must sign in again.
  func credentials(_ environment: CredentialEnvironment) async throws(CredentialError) -> AWSCredentials {
    let token = try token(environment)
    let host = "portal.sso.\(region).\(AWSEndpoint.domain(ofRegion: region))"
    let query = PercentEncoding.query([("account_id", account), ("role_name", role)])
    let request = CredentialRequest(
      method: .get, url: "https://\(host)/federation/credentials?\(query)",
      headers: [("x-amz-sso_bearer_token", token), ("accept", "application/json")], timeout: Self.timeout,
      usesProxy: true)
    let response = try await environment.send(request)
    switch response.status {
    case 200:
      let answer = try CredentialAnswer.decode(Answer.self, response.body, from: host).roleCredentials
      // Milliseconds here, alone of all services.
      let end = answer.expiration.map { $0 / 1_000 }
      return try AWSCredentials(
        checking: answer.accessKeyId, secret: answer.secretAccessKey, token: answer.sessionToken, expiration: end,
        from: host)
    case 401: throw signIn(.expired, "the token of its single sign-on is no longer accepted.")
    case 429, 500...:
      throw CredentialError(.unreachable, "\(host) answers with status \(response.status). Try again.")
    default:
      let refusal = (try? CredentialAnswer.decode(Refusal.self, response.body, from: host))?.message
      let reason = refusal.map { ": \(TerminalSafe.text(String($0.prefix(400))))" } ?? ""
      throw CredentialError(
        .denied,
        "\(host) gives no credentials for role '\(TerminalSafe.text(role))' in account '\(TerminalSafe.text(account))', status \(response.status)\(reason)"
      )
    }
  }

  private func token(_ environment: CredentialEnvironment) throws(CredentialError) -> String {
    guard let home = environment.home else {
      throw CredentialError(.invalid, "the token of its single sign-on lies in the home directory, and HOME is not set.")
    }
    let name = Insecure.SHA1.hash(data: Array(cacheKey.utf8)).map(Self.hexadecimal).joined()
    guard let bytes = try environment.content("\(home)/.aws/sso/cache/\(name).json") else {
      throw signIn(.expired, "nobody has signed in to its single sign-on yet.")
    }
    let cached = try CredentialAnswer.decode(CachedToken.self, bytes, from: "the cache of single sign-on")
    guard let expiration = CivilTime(iso8601: cached.expiresAt) else {
      throw signIn(.invalid, "the cached token of its single sign-on does not say when it expires.")
    }
    // One that expires on the way would be refused with a less helpful message.
    guard expiration.secondsSince1970 > environment.now() + 30 else {
      throw signIn(.expired, "its single sign-on expired at \(expiration.readable).")
    }
    guard !cached.accessToken.isEmpty, cached.accessToken.isHeaderValue else {
      throw signIn(.invalid, "the cached token of its single sign-on is damaged.")
    }
    return cached.accessToken
  }

  private func signIn(_ code: CredentialError.Code, _ reason: String) -> CredentialError {
    CredentialError(code, "\(reason) Run 'aws sso login --profile \(profile.printableName)'.")
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }

  private struct CachedToken: Decodable {
    let accessToken: String
    let expiresAt: String
  }

  private struct Answer: Decodable {
    struct Role: Decodable {
      let accessKeyId: String
      let secretAccessKey: String
      let sessionToken: String?
      let expiration: Int64?
    }
    let roleCredentials: Role
  }

  private struct Refusal: Decodable {
    let message: String
  }
}
