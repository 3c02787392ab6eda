public import DVObject
import FoundationEssentials

/// A signed statement as a Sigstore bundle, version 0.3: a DSSE envelope with one signature over an in-toto statement.
///
/// - SeeAlso: DSSE 1.0 (`PAE`), in-toto Attestation Framework 1.0, Sigstore's `sigstore_bundle.proto`.
public struct SignedBundle: Sendable {
  /// The statement, as it was signed.
  public let payload: [UInt8]
  private let signature: [UInt8]
  /// What the bundle says which key signed it; `nil` if it does not.
  public let hint: String?

  private static let mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
  private static let payloadType = "application/vnd.in-toto+json"
  /// The most bytes of a bundle that is read: a statement that lists some million files.
  public static let maximumByteCount = 512 << 20

  /// Signs a statement.
  public init(_ statement: JSONValue, key: SigningKey) throws(SigningError) {
    payload = statement.canonical()
    signature = try key.signature(of: Self.encoding(of: payload))
    hint = key.publicKey.hint
  }

  /// Reads a bundle. That says nothing of its signature.
  ///
  /// - Throws: ``SigningError/Code/malformed``.
  public init(parsing bytes: [UInt8]) throws(SigningError) {
    guard let json = try? JSONValue(parsing: bytes, named: "the bundle") else {
      throw SigningError(.malformed, "The signature is no JSON.")
    }
    guard json["mediaType"]?.string?.hasPrefix("application/vnd.dev.sigstore.bundle") == true,
      let envelope = json["dsseEnvelope"], envelope["payloadType"]?.string == Self.payloadType,
      let payload = envelope["payload"]?.string.flatMap({ Data(base64Encoded: $0) }),
      let signatures = envelope["signatures"]?.array, signatures.count == 1,
      let signature = signatures[0]["sig"]?.string.flatMap({ Data(base64Encoded: $0) })
    else {
      throw SigningError(.malformed, "The signature is no Sigstore bundle with one signed in-toto statement.")
    }
    self.payload = Array(payload)
    self.signature = Array(signature)
    hint = json["verificationMaterial"]?["publicKey"]?["hint"]?.string
  }

  /// The bundle as JSON.
  public var bytes: [UInt8] {
    var envelope = JSONObject()
    envelope["payload"] = .string(Data(payload).base64EncodedString())
    envelope["payloadType"] = .string(Self.payloadType)
    var one = JSONObject()
    one["sig"] = .string(Data(signature).base64EncodedString())
    one["keyid"] = ""
    envelope["signatures"] = [.object(one)]
    var publicKey = JSONObject()
    publicKey["hint"] = .string(hint ?? "")
    var material = JSONObject()
    material["publicKey"] = .object(publicKey)
    material["tlogEntries"] = []
    var bundle = JSONObject()
    bundle["mediaType"] = .string(Self.mediaType)
    bundle["verificationMaterial"] = .object(material)
    bundle["dsseEnvelope"] = .object(envelope)
    return JSONValue.object(bundle).canonical() + [UInt8(ascii: "\n")]
  }

  /// Checks the signature and returns the statement.
  ///
  /// - Throws: ``SigningError/Code/refused`` unless `key` signed it; ``SigningError/Code/malformed`` if what was signed is no statement.
  public func statement(verifiedBy key: VerifyingKey) throws(SigningError) -> JSONValue {
    if let hint, !hint.isEmpty, hint != key.hint {
      throw SigningError(.refused, "Another key signed this: the signature names \(hint.prefix(12)), the key given is \(key.hint.prefix(12)).")
    }
    guard key.verifies(signature, of: Self.encoding(of: payload)) else {
      throw SigningError(.refused, "The signature is not of this key, or the statement was changed after it was signed.")
    }
    guard let statement = try? JSONValue(parsing: payload, named: "the statement"),
      statement["_type"]?.string == "https://in-toto.io/Statement/v1"
    else { throw SigningError(.malformed, "What was signed is no in-toto statement of version 1.") }
    return statement
  }

  /// DSSE's pre-authentication encoding: what is signed says its own type and length.
  private static func encoding(of payload: [UInt8]) -> [UInt8] {
    Array("DSSEv1 \(payloadType.utf8.count) \(payloadType) \(payload.count) ".utf8) + payload
  }
}
