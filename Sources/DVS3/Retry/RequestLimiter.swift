import Synchronization

/// Lets so many requests to one remote run at a time as it takes, and bounds the memory they hold.
///
/// Who comes first is served first. A request that holds a turn never waits for another one, so nobody waits for ever.
final class RequestLimiter: Sendable {
  /// A turn that was given.
  struct Turn: Sendable {
    fileprivate let bytes: Int
    /// When it was given.
    let start: Duration
  }

  /// Bytes that all requests under way may hold in memory together.
  static let memory = 128 << 20

  private struct Waiting {
    let bytes: Int
    let continuation: CheckedContinuation<Turn, Never>
  }

  private struct State {
    var width = AdaptiveWidth()
    var running = 0
    var bytes = 0
    var waiting: [Waiting] = []
    var next = 0

    var isAnyoneWaiting: Bool { next < waiting.count }

    func fits(_ count: Int) -> Bool { running < width.width && (bytes + count <= RequestLimiter.memory || running == 0) }

    /// Takes those out of the queue whose turn has come.
    mutating func admit(at now: Duration) -> [(Waiting, Turn)] {
      var admitted: [(Waiting, Turn)] = []
      while isAnyoneWaiting, fits(waiting[next].bytes) {
        let first = waiting[next]
        next += 1
        running += 1
        bytes += first.bytes
        admitted.append((first, Turn(bytes: first.bytes, start: now)))
      }
      if next == waiting.count {
        waiting.removeAll(keepingCapacity: true)
        next = 0
      } else if next > 1024 {
        waiting.removeFirst(next)
        next = 0
      }
      return admitted
    }
  }

  private let clock: RetryClock
  private let state = Mutex(State())

  init(clock: RetryClock) { self.clock = clock }

  /// How many requests may run at a time now.
  var width: Int { state.withLock { $0.width.width } }

  /// Waits for a turn.
  ///
  /// - Parameter bytes: how much memory the request will hold.
  func enter(bytes: Int) async -> Turn {
    let bytes = min(bytes, Self.memory)
    return await withCheckedContinuation { continuation in
      let now = clock.now()
      let admitted = state.withLock { state in
        state.waiting.append(Waiting(bytes: bytes, continuation: continuation))
        return state.admit(at: now)
      }
      for (waiting, turn) in admitted { waiting.continuation.resume(returning: turn) }
    }
  }

  /// Gives a turn back.
  ///
  /// - Parameters:
  ///   - moved: bytes sent and received, `nil` if the request failed.
  ///   - isCongested: whether the server asks for fewer requests.
  func leave(_ turn: Turn, moved: Int?, isCongested: Bool = false) {
    let now = clock.now()
    let admitted = state.withLock { state in
      state.running -= 1
      state.bytes -= turn.bytes
      if isCongested {
        state.width.congested(startedAt: turn.start, at: now)
      } else if let moved {
        state.width.succeeded(bytes: moved, othersWait: state.isAnyoneWaiting, at: now)
      }
      return state.admit(at: now)
    }
    for (waiting, turn) in admitted { waiting.continuation.resume(returning: turn) }
  }
}
