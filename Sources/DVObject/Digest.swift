import Crypto

/// A SHA-256 that is under way: bytes go in piece by piece, an ``ObjectID`` comes out.
///
/// The work is BoringSSL's, which uses the processor's SHA instructions. The bytes are read where they lie.
public struct Digest: Sendable {
  private var hasher = SHA256()

  /// Makes the digest of no bytes.
  public init() {}

  /// Adds `bytes` to what is hashed.
  public mutating func update(_ bytes: Span<UInt8>) {
    // The buffer is read during the call only.
    unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe hasher.update(bufferPointer: UnsafeRawBufferPointer(buffer))
    }
  }

  /// Returns the ID of all bytes given so far, and begins anew with none.
  public mutating func finish() -> ObjectID {
    let digest = hasher.finalize()
    hasher = SHA256()
    return ObjectID(digest)
  }

  /// Returns the ID of all bytes given so far, and goes on.
  public func current() -> ObjectID {
    ObjectID(hasher.finalize())
  }
}

extension ObjectID {
  fileprivate init(_ digest: SHA256.Digest) {
    // A SHA-256 digest is 32 bytes long by definition, so that all four loads are in bounds.
    self = unsafe digest.withUnsafeBytes { bytes in
      unsafe ObjectID(
        word0: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
        word1: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
        word2: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
        word3: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)))
    }
  }
}
