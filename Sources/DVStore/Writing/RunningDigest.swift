import DVFile
import DVObject

/// The SHA-256 of a file that a thread writes block by block; read when all is written.
///
/// Two streams are hashed at little more than the price of one, and the thread has only its own. So each block waits until the next
/// one comes: whoever has something else to hash meanwhile takes it along, by ``lend(_:)``.
final class RunningDigest: Sendable {
  private struct State: Sendable {
    /// `nil` while somebody hashes with it.
    var stream: StreamDigest? = StreamDigest()
    /// The stream's next block.
    var waiting: AlignedBuffer?
    /// Blocks that were hashed by others than the file's thread.
    var done: [AlignedBuffer] = []

    /// Takes the stream and the block that it goes on with, for whoever hashes that.
    mutating func take() -> Turn? {
      guard let stream, let block = waiting else { return nil }
      (self.stream, waiting) = (nil, nil)
      return Turn(stream: stream, block: block)
    }
  }

  private struct Turn {
    var stream: StreamDigest
    let block: AlignedBuffer
  }

  private let state = Monitor(State())

  init() {}

  /// Adds the file's next block.
  ///
  /// - Returns: the blocks that are not needed any more: of the last one, all; else those before this one, and this one only if somebody
  ///   has hashed it already.
  func update(_ block: AlignedBuffer, isLast: Bool) -> [AlignedBuffer] {
    hashWaiting()
    state.withLock { $0.waiting = block }
    if isLast { hashWaiting() }
    return state.withLock(waking: .nobody) { state in
      defer { state.done = [] }
      return state.done
    }
  }

  /// Hashes the block that waits together with something else of the caller's.
  ///
  /// - Parameter body: is given the stream and what to add to it.
  /// - Returns: `nil`, without calling `body`, if no block waits or its turn has not come.
  func lend<Result>(_ body: (inout StreamDigest, Span<UInt8>) -> Result) -> Result? {
    guard let turn = state.withLock(waking: .nobody, { $0.take() }) else { return nil }
    return hash(turn, body)
  }

  private func hash<Result>(_ turn: Turn, _ body: (inout StreamDigest, Span<UInt8>) -> Result) -> Result {
    var stream = turn.stream
    let result = turn.block.withSpan { body(&stream, $0) }
    state.withLock { state in
      state.stream = stream
      state.done.append(turn.block)
    }
    return result
  }

  /// Hashes the block that waits, when the one before it is done, and returns when none is left.
  private func hashWaiting() {
    while let turn = state.wait(waking: .nobody, for: { state -> Turn?? in state.stream == nil ? nil : .some(state.take()) }) {
      hash(turn) { stream, bytes in stream.update(bytes) }
    }
  }

  /// Returns the digest of all blocks. Call it after the last ``update(_:isLast:)``.
  func finish() -> ObjectID {
    hashWaiting()
    return state.wait(waking: .nobody) { $0.stream?.finish() }
  }
}
