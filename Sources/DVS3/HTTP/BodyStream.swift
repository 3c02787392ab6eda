import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Takes the body of an answer piece by piece. Called on the thread of the connection, one call after the other.
protocol BodyReceiver: AnyObject, Sendable {
  /// Decides whether the body of an answer is wanted.
  ///
  /// - Parameter head: the answer without its body.
  func begin(_ head: HTTPReply) throws -> Bool

  func take(_ bytes: [UInt8]) throws
}

/// Hands an answer on where it arrives. The connection waits while a piece is taken.
final class BodyStream<Receiver: BodyReceiver>: HTTPClientResponseDelegate {
  private struct State {
    var head: HTTPReply?
    var isWanted = false
    var count = 0
    var expected: Int?
  }

  private let receiver: Receiver
  // Locked because the compiler cannot know that all calls come from one thread; nobody ever waits.
  private let state = Mutex(State())

  init(to receiver: Receiver) { self.receiver = receiver }

  func didReceiveHead(task: HTTPClient.Task<HTTPReply>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
    let reply = HTTPReply(
      status: Int(head.status.code), headers: head.headers.map { ($0.name.lowercased(), $0.value) }, body: [])
    do {
      let isWanted = try receiver.begin(reply)
      state.withLock { state in
        state.head = reply
        state.isWanted = isWanted
        state.expected = head.headers.first(name: "content-length").flatMap { Int($0) }
      }
      return task.eventLoop.makeSucceededVoidFuture()
    } catch {
      return task.eventLoop.makeFailedFuture(error)
    }
  }

  func didReceiveBodyPart(task: HTTPClient.Task<HTTPReply>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
    let isWanted = state.withLock { state in
      state.count += buffer.readableBytes
      return state.isWanted
    }
    guard isWanted else { return task.eventLoop.makeSucceededVoidFuture() }
    do {
      try receiver.take(Array(buffer.readableBytesView))
      return task.eventLoop.makeSucceededVoidFuture()
    } catch {
      return task.eventLoop.makeFailedFuture(error)
    }
  }

  func didFinishRequest(task: HTTPClient.Task<HTTPReply>) throws -> HTTPReply {
    try state.withLock { state in
      guard let head = state.head else { throw HTTPClientError.remoteConnectionClosed }
      if state.isWanted, let expected = state.expected, expected != state.count { throw HTTPClientError.remoteConnectionClosed }
      return head
    }
  }
}
