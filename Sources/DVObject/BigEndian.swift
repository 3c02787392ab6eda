/// Big-endian integers at any offset of a byte sequence: the byte order of every binary format of dv.
extension Span where Element == UInt8 {
  /// Returns the integer whose bytes begin at `offset`.
  ///
  /// - Precondition: All bytes of the integer lie within the span.
  @inlinable
  public func bigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type, at offset: Int) -> Integer {
    precondition(offset >= 0 && offset <= count - MemoryLayout<Integer>.size)
    return unsafe withUnsafeBufferPointer { buffer in
      // In bounds by the precondition; the load is unaligned because the formats have no padding.
      unsafe Integer(bigEndian: UnsafeRawBufferPointer(buffer).loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
  }
}

extension [UInt8] {
  /// Appends the bytes of `value`, the highest first.
  public mutating func append<Integer: FixedWidthInteger>(bigEndian value: Integer) {
    unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
  }

  /// Overwrites the bytes at `offset` with those of `value`, the highest first.
  public mutating func replace<Integer: FixedWidthInteger>(at offset: Int, bigEndian value: Integer) {
    let size = Integer.bitWidth / 8
    for index in 0..<size {
      self[offset + index] = UInt8(truncatingIfNeeded: value >> Integer(8 * (size - 1 - index)))
    }
  }

  /// Appends every byte of `span`.
  public mutating func append(span: Span<UInt8>) {
    // The pointer lives for the call only; this is the one way to append a span as a block.
    unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}
