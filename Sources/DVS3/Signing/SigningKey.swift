import Crypto
import FoundationEssentials
import Synchronization

/// What signs the requests of one day to one service in one region.
struct SigningKey: Sendable {
  private let key: SymmetricKey

  init(secret: String, date: String, region: String, service: String) {
    var key = SymmetricKey(data: Array("AWS4\(secret)".utf8))
    for part in [date, region, service, "aws4_request"] {
      key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
    }
    self.key = key
  }

  /// Returns the signature of `text` as 64 lowercase hex digits.
  func signature(of text: String) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
    return String(decoding: code.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

/// The signing keys in use: four HMACs less for each request but the first of a day.
final class SigningKeyCache: Sendable {
  static let shared = SigningKeyCache()

  private struct Scope: Hashable {
    let secret, date, region, service: String
  }

  /// A process talks to a few remotes with a few credentials; what is older is made again when it is asked for.
  private static let limit = 16
  private let keys = Mutex<[Scope: SigningKey]>([:])

  func key(secret: String, date: String, region: String, service: String) -> SigningKey {
    let scope = Scope(secret: secret, date: date, region: region, service: service)
    return keys.withLock { keys in
      if let known = keys[scope] { return known }
      if keys.count >= Self.limit { keys.removeAll() }
      let key = SigningKey(secret: secret, date: date, region: region, service: service)
      keys[scope] = key
      return key
    }
  }
}
