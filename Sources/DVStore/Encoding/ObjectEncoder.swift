import DVObject
import DVZlib
import DVZstd

/// Makes the stored bytes of objects: picks a codec, encodes, and proves by decoding that nothing was lost.
///
/// Two releases of a well-known backup program lost data to a compressor, so nothing is kept before it was decoded and
/// compared.
///
/// `@unchecked Sendable`: it keeps buffers and compressor contexts, and is used by one task at a time; ``CoderPool``
/// hands it out.
final class ObjectEncoder: @unchecked Sendable {
  private let compressor: ZstdCompressor
  private let decoder: ObjectDecoder
  /// What the last ``encode(_:memory:)`` made, unless it chose ``Codec/raw``.
  private(set) var stored: [UInt8] = []
  private var trial: [UInt8] = []
  private var check: [UInt8] = []
  private var planes: [UInt8] = []

  init() throws(StoreError) {
    do { compressor = try ZstdCompressor() } catch { throw StoreError(.other, "Cannot start zstd: \(error)", cause: error) }
    decoder = try ObjectDecoder()
  }

  /// Encodes `bytes` into ``stored``.
  ///
  /// - Parameter memory: what earlier chunks of the same stream taught; updated.
  /// - Returns: the codec. For ``Codec/raw``, the stored bytes are `bytes` themselves.
  func encode(_ bytes: Span<UInt8>, memory: inout CodecMemory) throws(StoreError) -> Codec {
    stored.removeAll(keepingCapacity: true)
    guard bytes.count >= 64 else { return .raw }
    let statistics = ByteStatistics(bytes)
    if statistics.looksRandom { return .raw }
    var candidates: [Codec] = [.zstd]
    if bytes.count >= 4096 {
      if statistics.differsByFour { candidates.append(.zstdGrouped4) }
      if statistics.differsByTwo { candidates.append(.zstdGrouped2) }
    }
    // Below this many bytes saved (1/32), the reader's time is worth more.
    let limit = bytes.count - bytes.count / 32
    if let codec = memory.choice(among: candidates) {
      if codec == .raw { return .raw }
      try encode(bytes, with: codec, into: &stored)
      guard stored.count < limit else { return .raw }
      try verify(bytes, codec: codec, stored: stored)
      return codec
    }
    var winner = Codec.raw
    for codec in candidates {
      try encode(bytes, with: codec, into: &trial)
      let best = winner == .raw ? limit : stored.count
      if trial.count < best {
        swap(&stored, &trial)
        winner = codec
      }
    }
    memory.learn(winner, among: candidates)
    if winner != .raw { try verify(bytes, codec: winner, stored: stored) }
    return winner
  }

  private func encode(_ bytes: Span<UInt8>, with codec: Codec, into stored: inout [UInt8]) throws(StoreError) {
    stored.removeAll(keepingCapacity: true)
    do {
      switch codec {
      case .raw: stored.append(span: bytes)
      case .zlib: try Deflater().compress(bytes, into: &stored)
      case .zstd: try compressor.compress(bytes, into: &stored, mode: .level1)
      case .zstdGrouped2: try encodePlanes(bytes, grouping: .two, into: &stored)
      case .zstdGrouped4: try encodePlanes(bytes, grouping: .four, into: &stored)
      }
    } catch {
      throw StoreError(.other, "Cannot compress \(bytes.count) bytes: \(error)", cause: error)
    }
  }

  private func encodePlanes(_ bytes: Span<UInt8>, grouping: ByteGrouping, into stored: inout [UInt8]) throws(ZstdError) {
    planes.removeAll(keepingCapacity: true)
    grouping.split(bytes, into: &planes)
    let grouped = planes
    stored.append(contentsOf: repeatElement(0, count: 4 * grouping.width))
    for plane in 0..<grouping.width {
      let values = grouped.span.extracting(grouping.plane(plane, of: bytes.count))
      let start = stored.count
      var isCompressed = false
      if !ByteStatistics(values).looksRandom {
        let limit = values.count - values.count / 32
        isCompressed = try compressor.compress(values, into: &stored, mode: .entropy, atMost: limit) != nil
      }
      if !isCompressed { stored.append(span: values) }
      let word = PlaneHeader(isCompressed: isCompressed, length: stored.count - start).word
      stored.replace(at: 4 * plane, bigEndian: word)
    }
    stored.append(span: grouped.span.extracting(grouping.tail(of: bytes.count)))
  }

  /// Decodes what will be stored and compares it with the object.
  func verify(_ bytes: Span<UInt8>, codec: Codec, stored: [UInt8]) throws(StoreError) {
    let isSame: Bool
    do {
      switch codec {
      case .zstdGrouped2: isSame = try decoder.planes(stored.span, grouping: .two, decodeTo: bytes)
      case .zstdGrouped4: isSame = try decoder.planes(stored.span, grouping: .four, decodeTo: bytes)
      case .raw, .zlib, .zstd:
        try decoder.decode(stored.span, codec: codec, length: bytes.count, into: &check)
        let decoded = check
        isSame = decoded.span.hasSameBytes(as: bytes)
      }
    } catch {
      throw StoreError(.corrupt, "The compressor made bytes that do not decode (\(error)). Nothing was stored.", cause: error)
    }
    guard isSame else {
      throw StoreError(.corrupt, "The compressor made bytes that decode to something else. Nothing was stored.")
    }
  }
}
