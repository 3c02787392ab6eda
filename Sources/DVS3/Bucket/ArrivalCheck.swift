import Synchronization

/// Compares what a server says it received with what was sent: the ETag of an answer to PUT with the MD5 of the body.
///
/// Only where nothing else would show that bytes changed on the way. Of a server that was probed it is known what its tags are. Of one that
/// was not, they are taken for MD5 once one was: every push begins with a record of some hundred bytes, by which that shows before
/// anything large is sent. If the first one differs, it is sent once more: either it had changed on the way, or this server's tags
/// are something else and are not looked at again.
final class ArrivalCheck: Sendable {
  private enum State {
    case off, learning, doubting, on
  }

  private let state: Mutex<State>

  init(_ capabilities: S3Capabilities) {
    state = Mutex(capabilities.needsTags ? .on : capabilities == .untested ? .learning : .off)
  }

  /// Whether tags are known to be MD5 and are compared.
  var isOn: Bool { state.withLock { $0 == .on } }

  /// Whether nothing is compared, so that nothing is sent a second time because of it.
  var isOff: Bool { state.withLock { $0 == .off } }

  /// Returns what is wrong with an answer to a request with this body.
  func problem(_ reply: HTTPReply, _ body: HTTPRequest.Body) -> String? {
    guard state.withLock({ $0 != .off }), let tag = TagMemory.normal(reply.header("etag")), let sent = body.md5 else { return nil }
    let isSame = tag == sent[...]
    let isBelieved = state.withLock { state in
      switch (state, isSame) {
      case (_, true): state = .on
      case (.learning, false): state = Self.mayBeMD5(tag) ? .doubting : .off
      case (.doubting, false): state = .off
      case (.on, false), (.off, false): break
      }
      return isSame || state == .off
    }
    return isBelieved ? nil : "the server received other bytes than were sent"
  }

  private static func mayBeMD5(_ tag: Substring) -> Bool { tag.utf8.count == 32 && tag.allSatisfy(\.isHexDigit) }
}
