import Synchronization

/// Compares what a server says it received with what was sent: the ETag of an answer to PUT with the MD5 of the body.
///
/// Only where nothing else would show that bytes changed on the way. Of a server that was probed it is known what its tags are. Of one that
/// was not, they are taken for MD5 once one was: every push begins with a record of some hundred bytes, by which that shows before
/// anything large is sent. What differs before that is sent once more: either it had changed on the way, or it differs again, and this
/// server's tags are something else and are not looked at any more.
final class ArrivalCheck: Sendable {
  private enum State {
    case off, on
    /// Nothing is known yet but the MD5 of what was sent and answered with another tag.
    case learning(Set<String>)
  }

  private let state: Mutex<State>

  init(_ capabilities: S3Capabilities) {
    state = Mutex(capabilities.needsTags ? .on : capabilities == .untested ? .learning([]) : .off)
  }

  /// Whether tags are known to be MD5 and are compared.
  var isOn: Bool { state.withLock { if case .on = $0 { true } else { false } } }

  /// Whether nothing is compared, so that nothing is sent a second time because of it.
  var isOff: Bool { state.withLock { if case .off = $0 { true } else { false } } }

  /// Returns what is wrong with an answer to a request with this body.
  func problem(_ reply: HTTPReply, _ body: HTTPRequest.Body) -> String? {
    guard !isOff, let tag = reply.header("etag"), let sent = body.md5 else { return nil }
    let isSame = Self.isTag(tag, ofMD5: sent)
    let isBelieved = state.withLock { state in
      switch state {
      case .off: return true
      case .on: return isSame
      case .learning where isSame:
        state = .on
        return true
      case .learning(let doubted):
        let isDoubtful = Self.mayBeMD5(tag) && !doubted.contains(sent)
        state = isDoubtful ? .learning(doubted.union([sent])) : .off
        return !isDoubtful
      }
    }
    return isBelieved ? nil : "the server received other bytes than were sent"
  }

  /// Whether an ETag is the MD5 of a body, in lowercase hex; some servers write it in capitals or call it weak.
  static func isTag(_ tag: String, ofMD5 digest: String) -> Bool { bare(tag).map { $0.lowercased() == digest } ?? false }

  private static func mayBeMD5(_ tag: String) -> Bool {
    bare(tag).map { $0.utf8.count == 32 && $0.allSatisfy(\.isHexDigit) } ?? false
  }

  private static func bare(_ tag: String) -> Substring? { TagMemory.normal(tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag) }
}
