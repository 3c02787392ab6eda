import Synchronization

/// Keeps encoders, decoders and the buffers that contents are decoded into between uses: making one costs more than
/// encoding a small file, and fresh memory costs a page fault every 4 KiB.
///
/// Holds at most as many as were in use at once, which the callers bound by the number of cores.
final class CoderPool: Sendable {
  private struct Idle {
    var encoders: [ObjectEncoder] = []
    var decoders: [ObjectDecoder] = []
    var buffers: [[UInt8]] = []
  }

  private let idle = Mutex(Idle())

  init() {}

  func takeEncoder() throws(StoreError) -> ObjectEncoder {
    if let kept = idle.withLock({ $0.encoders.popLast() }) { return kept }
    return try ObjectEncoder()
  }

  func give(_ encoder: ObjectEncoder) { idle.withLock { $0.encoders.append(encoder) } }

  /// How many buffers are kept at most.
  private static let bufferLimit = 16

  /// Returns an empty buffer, mostly one with room.
  func takeBuffer() -> [UInt8] { idle.withLock { $0.buffers.popLast() } ?? [] }

  func give(_ buffer: consuming [UInt8]) {
    buffer.removeAll(keepingCapacity: true)
    idle.withLock { [buffer] in if $0.buffers.count < Self.bufferLimit { $0.buffers.append(buffer) } }
  }

  func takeDecoder() throws(StoreError) -> ObjectDecoder {
    if let kept = idle.withLock({ $0.decoders.popLast() }) { return kept }
    return try ObjectDecoder()
  }

  func give(_ decoder: ObjectDecoder) { idle.withLock { $0.decoders.append(decoder) } }
}
