public import DVBackend
import DVObject
import Synchronization

/// How far an operation has come, as one moment saw it.
public struct Progress: Sendable, Hashable {
  /// What is being done, as a word for people: "Adding", "Pushing".
  public var verb: String
  /// Bytes dealt with so far.
  public var doneBytes: UInt64
  /// All the bytes there are to deal with, or `nil` while that is unknown.
  public var totalBytes: UInt64?
  /// Items (files, objects) dealt with so far.
  public var doneItems: UInt64
  /// All the items there are, or `nil` while that is unknown.
  public var totalItems: UInt64?
  /// How many requests had to be made again.
  public var retries: UInt64

  public init(
    verb: String, doneBytes: UInt64 = 0, totalBytes: UInt64? = nil, doneItems: UInt64 = 0, totalItems: UInt64? = nil,
    retries: UInt64 = 0
  ) {
    self.verb = verb
    self.doneBytes = doneBytes
    self.totalBytes = totalBytes
    self.doneItems = doneItems
    self.totalItems = totalItems
    self.retries = retries
  }
}

/// Where an operation counts what it has done, for whoever wants to show it.
///
/// Counting is a relaxed atomic addition, so that a loop over chunks may call it from every core. Nobody is called back:
/// the reader looks at ``progress`` as often as it can draw. A reading may fall between two counts that belong together,
/// which a bar on a screen does not show.
public final class ProgressSink: Sendable {
  /// What changes once per phase, not once per chunk.
  private struct Phase {
    var verb = ""
    var totalBytes: UInt64?
    var totalItems: UInt64?
    /// Requests made again before the phase began.
    var earlierRetries = 0
  }

  private let phase = Mutex(Phase())
  private let doneBytes = Atomic<UInt64>(0)
  private let doneItems = Atomic<UInt64>(0)
  private let tally = Mutex<RequestTally?>(nil)

  public init() {}

  /// Starts a phase: the counts of the one before are dropped.
  ///
  /// - Parameter verb: What people read, such as "Adding".
  public func begin(_ verb: String, totalBytes: UInt64? = nil, totalItems: UInt64? = nil) {
    let retries = requests.retries
    phase.withLock {
      $0 = Phase(verb: verb, totalBytes: totalBytes, totalItems: totalItems, earlierRetries: retries)
    }
    doneBytes.store(0, ordering: .relaxed)
    doneItems.store(0, ordering: .relaxed)
  }

  /// Adds to the totals what was found while the phase was already under way.
  public func expect(bytes: UInt64 = 0, items: UInt64 = 0) {
    phase.withLock {
      $0.totalBytes = ($0.totalBytes ?? 0).addingClamped(bytes)
      $0.totalItems = ($0.totalItems ?? 0).addingClamped(items)
    }
  }

  /// Counts `bytes` and `items` as done.
  public func advance(bytes: UInt64 = 0, items: UInt64 = 0) {
    if bytes > 0 { doneBytes.wrappingAdd(bytes, ordering: .relaxed) }
    if items > 0 { doneItems.wrappingAdd(items, ordering: .relaxed) }
  }

  /// Shows from now on the requests that are counted in `tally`, too.
  public func follow(_ tally: RequestTally) { self.tally.withLock { $0 = tally } }

  /// The requests to remotes so far; none if nobody said where they are counted.
  public var requests: RequestTally.Counts { (tally.withLock { $0 } ?? RequestTally()).counts }

  /// How far the current phase has come.
  public var progress: Progress {
    let phase = phase.withLock { $0 }
    let retries = max(0, requests.retries - phase.earlierRetries)
    return Progress(
      verb: phase.verb, doneBytes: doneBytes.load(ordering: .relaxed), totalBytes: phase.totalBytes,
      doneItems: doneItems.load(ordering: .relaxed), totalItems: phase.totalItems,
      retries: UInt64(retries))
  }
}
