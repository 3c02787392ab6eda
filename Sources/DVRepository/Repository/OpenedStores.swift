import DVStore
import Synchronization

/// The stores that one command opened, so that what is wrong with them can be said when it ends.
///
/// Reading and writing go on without a damaged part of the index; somebody should still hear of it.
public final class OpenedStores: Sendable {
  /// Where the stores opened by the current task and those it starts are gathered; `nil` if nobody asks.
  @TaskLocal public static var current: OpenedStores?

  private let stores = Mutex<[(store: ObjectStore, repair: String)]>([])

  public init() {}

  /// - Parameter repair: the command that makes the store good.
  func add(_ store: ObjectStore, repair: String) { stores.withLock { $0.append((store, repair)) } }

  /// Forgets the stores, as after a repair.
  func removeAll() { stores.withLock { $0 = [] } }

  /// A sentence for each store with a damaged index.
  public var warnings: [String] {
    var texts: [String] = []
    for (store, repair) in stores.withLock({ $0 }) {
      guard let segment = store.damagedSegments.first else { continue }
      let text =
        "The index of \(store.name) is damaged, so its packs were asked instead, which is slower. "
        + "Run '\(repair)'. (\(segment.message))"
      if !texts.contains(text) { texts.append(text) }
    }
    return texts
  }
}
