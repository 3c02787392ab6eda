/// What a zstd frame says of itself before its first block (RFC 8878, 3.1.1.1), integers little-endian:
///
///     size     meaning
///        4     magic 28 b5 2f fd
///        1     descriptor: bits 7-6 width of the content size, 5 single segment, 3 reserved (0), 2 checksum,
///              1-0 width of the dictionary ID
///      0-1     window: 2^(10 + bits 7-3), and bits 2-0 eighths of it more; absent in a single segment
///    0-4       dictionary ID
///    0-8       content size; the 2 byte form lacks 256
///
/// Read here and not by zstd, whose function for it is outside the library's stable interface.
struct ZstdFrameHeader {
  let contentSize: UInt64?
  /// How far back the frame may refer, in bytes.
  let windowSize: UInt64
  let dictionaryID: UInt64

  /// Reads the header at the start of `bytes`.
  ///
  /// - Throws: ``ZstdError/Code/corrupt`` if there is none, ``ZstdError/Code/unsupported`` if a reserved bit is set.
  init(_ bytes: Span<UInt8>) throws(ZstdError) {
    var reader = Reader(position: 0)
    guard try reader.integer(in: bytes, width: 4) == 0xfd2f_b528 else {
      throw ZstdError(.corrupt, "Cannot decompress: no zstd frame begins here.")
    }
    let descriptor = try reader.integer(in: bytes, width: 1)
    guard descriptor & 0b1000 == 0 else {
      throw ZstdError(.unsupported, "Cannot decompress: the frame uses a reserved feature.")
    }
    let isSingleSegment = descriptor & 0b10_0000 != 0
    var window: UInt64?
    if !isSingleSegment {
      let byte = try reader.integer(in: bytes, width: 1)
      let base = UInt64(1) << (10 + (byte >> 3))
      window = base + base / 8 * (byte & 7)
    }
    dictionaryID = try reader.integer(in: bytes, width: [0, 1, 2, 4][Int(descriptor & 3)])
    switch descriptor >> 6 {
    case 0: contentSize = isSingleSegment ? try reader.integer(in: bytes, width: 1) : nil
    case 1: contentSize = try reader.integer(in: bytes, width: 2) + 256
    case 2: contentSize = try reader.integer(in: bytes, width: 4)
    default: contentSize = try reader.integer(in: bytes, width: 8)
    }
    windowSize = window ?? contentSize ?? 0
  }

  private struct Reader {
    var position: Int

    mutating func integer(in bytes: Span<UInt8>, width: Int) throws(ZstdError) -> UInt64 {
      guard position + width <= bytes.count else {
        throw ZstdError(.corrupt, "Cannot decompress: the frame is cut short after \(bytes.count) bytes.")
      }
      var value: UInt64 = 0
      for index in 0..<width { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
      position += width
      return value
    }
  }
}
