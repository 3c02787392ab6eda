import Synchronization

/// Counts the requests that go over a network: for `--verbose`, for progress, and for tests of what a command costs.
///
/// A backend counts here what it sends, with what it sends again; ``CountingBackend`` counts the calls that lead to that.
public final class RequestTally: Sendable {
  /// What is asked of a server.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case list = "LIST"
    case put = "PUT"
    case post = "POST"
    case delete = "DELETE"
  }

  /// What was counted up to some moment.
  public struct Counts: Hashable, Sendable {
    /// Requests of each kind, whatever came of them.
    public fileprivate(set) var requests: [Kind: Int] = [:]
    /// How many of the requests repeated one that had failed.
    public fileprivate(set) var retries = 0
    /// Bytes of the bodies of requests, and of answers that came whole.
    public fileprivate(set) var sent: UInt64 = 0
    public fileprivate(set) var received: UInt64 = 0

    /// Requests of all kinds.
    public var total: Int { requests.values.reduce(0, +) }
  }

  private let state = Mutex(Counts())

  public init() {}

  /// The counts so far.
  public var counts: Counts { state.withLock { $0 } }

  /// Counts a request that is about to be sent with a body of so many bytes.
  public func request(_ kind: Kind, sending bytes: Int = 0) {
    state.withLock { state in
      state.requests[kind, default: 0] += 1
      state.sent += UInt64(bytes)
    }
  }

  /// Counts an answer with a body of so many bytes.
  public func answer(_ bytes: Int) { state.withLock { $0.received += UInt64(bytes) } }

  /// Counts that the next request repeats one that failed.
  public func retry() { state.withLock { $0.retries += 1 } }
}
