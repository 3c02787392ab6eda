import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Gathers an answer where it arrives, on the thread of its connection, without waking a task for each piece.
final class ReplyCollector: HTTPClientResponseDelegate {
  private struct State {
    var head: HTTPResponseHead?
    var body: [UInt8] = []
    var expected: Int?
  }

  private let limit: Int
  private let isHead: Bool
  // Locked because the compiler cannot know that all calls come from one thread; nobody ever waits.
  private let state = Mutex(State())

  init(limit: Int, isHead: Bool) {
    self.limit = limit
    self.isHead = isHead
  }

  func didReceiveHead(task: HTTPClient.Task<HTTPReply>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
    let length = isHead ? 0 : head.headers.first(name: "content-length").flatMap { Int($0) }
    if let length, length > limit {
      return task.eventLoop.makeFailedFuture(Excess(limit: limit))
    }
    state.withLock { state in
      state.head = head
      state.expected = length
      state.body.reserveCapacity(length ?? 0)
    }
    return task.eventLoop.makeSucceededVoidFuture()
  }

  func didReceiveBodyPart(task: HTTPClient.Task<HTTPReply>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
    let fits = state.withLock { state in
      guard state.body.count + buffer.readableBytes <= limit else { return false }
      state.body.append(contentsOf: buffer.readableBytesView)
      return true
    }
    return fits ? task.eventLoop.makeSucceededVoidFuture() : task.eventLoop.makeFailedFuture(Excess(limit: limit))
  }

  func didFinishRequest(task: HTTPClient.Task<HTTPReply>) throws -> HTTPReply {
    try state.withLock { state in
      guard let head = state.head else { throw HTTPClientError.remoteConnectionClosed }
      if let expected = state.expected, !isHead, expected != state.body.count {
        throw HTTPClientError.remoteConnectionClosed
      }
      defer { state.body = [] }
      return HTTPReply(
        status: Int(head.status.code), headers: head.headers.map { ($0.name.lowercased(), $0.value) }, body: state.body)
    }
  }

  /// The answer is longer than was asked for.
  struct Excess: Error {
    let limit: Int
  }
}
