import Synchronization

/// Compares what a server says it received with what was sent: the ETag of an answer to PUT with the MD5 of the body.
///
/// Only where nothing else would show that bytes changed on the way. Of a server that was probed it is known what its tags are. Of one that
/// was not, they are taken for MD5 once one was: every push begins with a record of some hundred bytes, by which that shows before
/// anything large is sent. A tag that differs means nothing before.
final class ArrivalCheck: Sendable {
  private enum State {
    case off, learning, on
  }

  private let state: Mutex<State>

  init(_ capabilities: S3Capabilities) {
    state = Mutex(capabilities.needsTags ? .on : capabilities == .untested ? .learning : .off)
  }

  /// Whether tags are known to be MD5 and are compared.
  var isOn: Bool { state.withLock { $0 == .on } }

  /// Returns what is wrong with an answer to a request with this body.
  func problem(_ reply: HTTPReply, _ body: HTTPRequest.Body) -> String? {
    guard state.withLock({ $0 != .off }), let tag = TagMemory.normal(reply.header("etag")), let sent = body.md5 else { return nil }
    let isSame = tag == sent[...]
    let isKnown = state.withLock { state in
      if isSame { state = .on }
      return state == .on
    }
    return isKnown && !isSame ? "the server received other bytes than were sent" : nil
  }
}
