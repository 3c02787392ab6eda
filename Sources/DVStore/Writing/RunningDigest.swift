import DVObject
import Synchronization

/// The SHA-256 of a file that another thread writes block by block; read when all is written.
final class RunningDigest: Sendable {
  private let digest = Mutex(Digest())

  init() {}

  func update(_ block: Span<UInt8>) { digest.withLock { $0.update(block) } }

  func finish() -> ObjectID { digest.withLock { $0.finish() } }
}
