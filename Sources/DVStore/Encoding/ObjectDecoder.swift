import DVObject
import DVZlib
import DVZstd

/// Makes an object's bytes from its stored bytes.
///
/// `@unchecked Sendable`: it keeps buffers and a decompressor's context, and is used by one task at a time.
final class ObjectDecoder: @unchecked Sendable {
  private let decompressor: ZstdDecompressor
  private var planes: [UInt8] = []

  init() throws(StoreError) {
    do { decompressor = try ZstdDecompressor() } catch { throw StoreError(.other, "Cannot start zstd: \(error)", cause: error) }
  }

  /// Decodes `stored` into `bytes`, which is emptied first.
  ///
  /// Takes no more memory than `length` and a codec's window, whatever `stored` claims.
  ///
  /// - Parameter length: how many bytes the object has.
  /// - Throws: ``PackFormatError/damaged(_:)`` unless `stored` decodes to exactly `length` bytes.
  func decode(
    _ stored: Span<UInt8>, codec: Codec, length: Int, into bytes: inout [UInt8]
  ) throws(PackFormatError) {
    bytes.removeAll(keepingCapacity: true)
    try decode(stored, codec: codec, length: length, appendingTo: &bytes)
  }

  /// Decodes `stored` behind what `bytes` holds; after an error there may be anything behind it.
  func decode(
    _ stored: Span<UInt8>, codec: Codec, length: Int, appendingTo bytes: inout [UInt8]
  ) throws(PackFormatError) {
    do {
      switch codec {
      case .raw:
        guard stored.count == length else { throw PackFormatError.damaged("raw bytes") }
        bytes.append(span: stored)
      case .zlib: try Inflater().decompress(stored, count: length, into: &bytes)
      case .zstd: try decompressor.decompress(stored, count: length, into: &bytes)
      case .zstdGrouped2: try decodePlanes(stored, grouping: .two, length: length, into: &bytes)
      case .zstdGrouped4: try decodePlanes(stored, grouping: .four, length: length, into: &bytes)
      }
    } catch let error as PackFormatError {
      throw error
    } catch {
      throw .damaged("compressed bytes")
    }
  }

  private func decodePlanes(
    _ stored: Span<UInt8>, grouping: ByteGrouping, length: Int, into bytes: inout [UInt8]
  ) throws {
    let places = try readPlanes(stored, grouping: grouping, length: length)
    let decoded = planes
    grouping.join(places, stored: stored, decoded: decoded.span, count: length, into: &bytes)
  }

  /// Whether byte planes decode to `bytes`, without making these.
  ///
  /// - Throws: ``PackFormatError`` or ``ZstdError`` if they do not decode.
  func planes(_ stored: Span<UInt8>, grouping: ByteGrouping, decodeTo bytes: Span<UInt8>) throws -> Bool {
    let places = try readPlanes(stored, grouping: grouping, length: bytes.count)
    let decoded = planes
    return grouping.isJoined(places, stored: stored, decoded: decoded.span, to: bytes)
  }

  /// Decodes the compressed planes of an object of `length` bytes into ``planes``, and returns where all lie.
  private func readPlanes(_ stored: Span<UInt8>, grouping: ByteGrouping, length: Int) throws -> PlanePlaces {
    let width = grouping.width
    let size = length / width
    let tail = stored.count - length % width
    guard tail >= 4 * width else { throw PackFormatError.damaged("byte planes") }
    planes.removeAll(keepingCapacity: true)
    var places = PlanePlaces()
    var at = 4 * width
    for plane in 0..<width {
      let header = PlaneHeader(word: stored.bigEndian(UInt32.self, at: 4 * plane))
      guard header.length <= tail - at else { throw PackFormatError.damaged("byte planes") }
      if header.isCompressed {
        places.append(.decoded(at: planes.count))
        try decompressor.decompress(stored.extracting(at..<(at + header.length)), count: size, into: &planes)
      } else {
        guard header.length == size else { throw PackFormatError.damaged("byte planes") }
        places.append(.stored(at: at))
      }
      at += header.length
    }
    guard at == tail else { throw PackFormatError.damaged("byte planes") }
    return places
  }
}

extension Span where Element == UInt8 {
  /// Whether two spans hold the same bytes.
  ///
  /// - Complexity: O(*n*), at the speed of memcmp.
  func hasSameBytes(as other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    // Both buffers live for the whole call and are only read. The differences of a block are gathered without a branch,
    // so that the compiler can use wide registers.
    return unsafe withUnsafeBufferPointer { left in
      unsafe other.withUnsafeBufferPointer { right in
        var index = 0
        while index < left.count {
          let end = min(index + 4096, left.count)
          var difference: UInt8 = 0
          while index < end {
            difference |= unsafe left[index] ^ right[index]
            index += 1
          }
          if difference != 0 { return false }
        }
        return true
      }
    }
  }
}
