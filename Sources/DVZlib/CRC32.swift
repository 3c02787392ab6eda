import CZlib

/// A CRC-32 as zlib, gzip and PNG compute it: finds accidents in a few hundred bytes of header, not forgeries.
public struct CRC32: Hashable, Sendable {
  /// The checksum of all bytes given so far; 0 before the first.
  public private(set) var value: UInt32 = 0

  /// Begins a checksum of no bytes.
  public init() {}

  /// Continues the checksum with `bytes`.
  ///
  /// - Complexity: O(*n*); allocates nothing.
  public mutating func update(_ bytes: Span<UInt8>) {
    // A null pointer means "begin anew" to zlib, and an empty span may have one.
    guard !bytes.isEmpty else { return }
    let before = uLong(value)
    value = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe UInt32(truncatingIfNeeded: crc32_z(before, buffer.baseAddress, buffer.count))
    }
  }

  /// Returns the checksum of `bytes`.
  public static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
    var checksum = CRC32()
    checksum.update(bytes)
    return checksum.value
  }
}
