import DVFile
import Synchronization
import Testing

@testable import DVS3

@Suite struct RequestLimiterTests {
  private struct Load {
    var running = 0
    var bytes = 0
    var mostRunning = 0
    var mostBytes = 0
  }

  /// However many ask, only so many run, and they hold only so much memory.
  @Test(arguments: [1, 6 << 20, 40 << 20, 500 << 20])
  func widthAndMemoryAreBounded(bytes: Int) async throws {
    let limiter = RequestLimiter(clock: .system)
    let held = min(bytes, RequestLimiter.memory)
    let counter = LoadCounter()
    try await (0..<400).forEachConcurrently(width: 200) { _ in
      let turn = await limiter.enter(bytes: bytes)
      counter.begin(held)
      await Task.yield()
      counter.end(held)
      limiter.leave(turn, moved: nil)
    }
    #expect(counter.mostRunning <= 16 && counter.mostRunning >= 1)
    #expect(counter.mostBytes <= RequestLimiter.memory)
  }

  private final class LoadCounter: Sendable {
    private let load = Mutex(Load())

    var mostRunning: Int { load.withLock { $0.mostRunning } }
    var mostBytes: Int { load.withLock { $0.mostBytes } }

    func begin(_ bytes: Int) {
      load.withLock { load in
        load.running += 1
        load.bytes += bytes
        load.mostRunning = max(load.mostRunning, load.running)
        load.mostBytes = max(load.mostBytes, load.bytes)
      }
    }

    func end(_ bytes: Int) {
      load.withLock { load in
        load.running -= 1
        load.bytes -= bytes
      }
    }
  }

  @Test func refusalsHalveTheWidth() async {
    let limiter = RequestLimiter(clock: .system)
    let turn = await limiter.enter(bytes: 1)
    limiter.leave(turn, moved: nil, isCongested: true)
    #expect(limiter.width == 8)
  }
}
