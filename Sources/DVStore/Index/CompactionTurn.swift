import Synchronization

/// Whose turn it is to compact: of several sessions in one process, one at a time.
///
/// Between processes no turn is taken. Two that merge the same segments write the same objects twice, at worst.
final class CompactionTurn: Sendable {
  private let isTaken = Atomic<Bool>(false)

  init() {}

  /// Takes the turn.
  ///
  /// - Returns: whether it was free; only then call ``end()``.
  func begin() -> Bool { !isTaken.exchange(true, ordering: .acquiring) }

  func end() { isTaken.store(false, ordering: .releasing) }
}
