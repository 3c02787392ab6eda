import Crypto
import DVObject

/// An elliptic-curve key pair for signing, on P-256, P-384 or P-521: ECDSA (FIPS 186-5) with the SHA-2 of the curve's size.
public struct SigningKey: Sendable {
  private enum Key: Sendable {
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)
    case p521(P521.Signing.PrivateKey)
  }

  private let key: Key

  /// Reads a private key in PEM, in PKCS #8 or SEC 1 form, without a passphrase.
  ///
  /// - Throws: ``SigningError/Code/key`` for anything else.
  public init(pem: String) throws(SigningError) {
    if let read = try? P256.Signing.PrivateKey(pemRepresentation: pem) {
      key = .p256(read)
    } else if let read = try? P384.Signing.PrivateKey(pemRepresentation: pem) {
      key = .p384(read)
    } else if let read = try? P521.Signing.PrivateKey(pemRepresentation: pem) {
      key = .p521(read)
    } else {
      throw SigningError(.key, "That is no private key on P-256, P-384 or P-521 in PEM without a passphrase. "
        + "'openssl ecparam -name prime256v1 -genkey -noout' makes one.")
    }
  }

  /// The public half.
  public var publicKey: VerifyingKey {
    switch key {
    case .p256(let key): VerifyingKey(.p256(key.publicKey))
    case .p384(let key): VerifyingKey(.p384(key.publicKey))
    case .p521(let key): VerifyingKey(.p521(key.publicKey))
    }
  }

  /// Returns the signature of `message` in DER.
  func signature(of message: [UInt8]) throws(SigningError) -> [UInt8] {
    do {
      switch key {
      case .p256(let key): return Array(try key.signature(for: message).derRepresentation)
      case .p384(let key): return Array(try key.signature(for: message).derRepresentation)
      case .p521(let key): return Array(try key.signature(for: message).derRepresentation)
      }
    } catch {
      throw SigningError(.key, "Cannot sign with this key: \(error).")
    }
  }
}

/// The public half of a ``SigningKey``.
public struct VerifyingKey: Sendable {
  enum Key: Sendable {
    case p256(P256.Signing.PublicKey)
    case p384(P384.Signing.PublicKey)
    case p521(P521.Signing.PublicKey)
  }

  private let key: Key

  init(_ key: Key) { self.key = key }

  /// Reads a public key in PEM (SubjectPublicKeyInfo).
  ///
  /// - Throws: ``SigningError/Code/key`` for anything else.
  public init(pem: String) throws(SigningError) {
    if let read = try? P256.Signing.PublicKey(pemRepresentation: pem) {
      key = .p256(read)
    } else if let read = try? P384.Signing.PublicKey(pemRepresentation: pem) {
      key = .p384(read)
    } else if let read = try? P521.Signing.PublicKey(pemRepresentation: pem) {
      key = .p521(read)
    } else {
      throw SigningError(.key, "That is no public key on P-256, P-384 or P-521 in PEM. 'openssl ec -in KEY -pubout' makes it of a private one.")
    }
  }

  /// The key in PEM, as OpenSSL writes it.
  public var pem: String {
    let text =
      switch key {
      case .p256(let key): key.pemRepresentation
      case .p384(let key): key.pemRepresentation
      case .p521(let key): key.pemRepresentation
      }
    return text.hasSuffix("\n") ? text : text + "\n"
  }

  /// What bundles call the key by: the SHA-256 of its PEM, as hex digits.
  public var hint: String { ObjectID(hashing: Array(pem.utf8).span).hex }

  /// Whether `signature`, in DER, is this key's of `message`.
  func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    switch key {
    case .p256(let key):
      (try? P256.Signing.ECDSASignature(derRepresentation: signature)).map { key.isValidSignature($0, for: message) } ?? false
    case .p384(let key):
      (try? P384.Signing.ECDSASignature(derRepresentation: signature)).map { key.isValidSignature($0, for: message) } ?? false
    case .p521(let key):
      (try? P521.Signing.ECDSASignature(derRepresentation: signature)).map { key.isValidSignature($0, for: message) } ?? false
    }
  }
}

/// Why something cannot be signed, or a signature cannot be believed.
public struct SigningError: Error, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// The key is none that dv can use.
    case key
    /// What should be a bundle is none.
    case malformed
    /// The signature is not this key's, or not of these bytes.
    case refused
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
