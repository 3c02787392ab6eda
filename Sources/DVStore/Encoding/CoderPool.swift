import Synchronization

/// Keeps encoders and decoders between uses: making one costs more than encoding a small file.
///
/// Holds at most as many as were in use at once, which the callers bound by the number of cores.
final class CoderPool: Sendable {
  private struct Idle {
    var encoders: [ObjectEncoder] = []
    var decoders: [ObjectDecoder] = []
  }

  private let idle = Mutex(Idle())

  init() {}

  func takeEncoder() throws(StoreError) -> ObjectEncoder {
    if let kept = idle.withLock({ $0.encoders.popLast() }) { return kept }
    return try ObjectEncoder()
  }

  func give(_ encoder: ObjectEncoder) { idle.withLock { $0.encoders.append(encoder) } }

  func takeDecoder() throws(StoreError) -> ObjectDecoder {
    if let kept = idle.withLock({ $0.decoders.popLast() }) { return kept }
    return try ObjectDecoder()
  }

  func give(_ decoder: ObjectDecoder) { idle.withLock { $0.decoders.append(decoder) } }
}
