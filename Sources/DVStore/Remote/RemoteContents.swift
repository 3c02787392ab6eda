public import DVObject

/// What a remote has whole, told for one content at a time.
///
/// What pushes recorded is believed as long as nothing speaks against it. Where packs are missing, damaged or
/// stand in no index, each content is looked for object by object in the index: damage of one pack is no damage of all.
/// Damage that no listing shows is found by reading only.
public struct RemoteContents {
  /// What is known of one content.
  public enum State: Hashable, Sendable {
    /// A push made it complete, and it is.
    case complete
    /// A push made it complete, and part of it is gone or damaged.
    case damaged
    /// No push made it complete.
    case absent
  }

  /// The packs as they are, against the index.
  public let packs: PackSurvey
  /// What pushes made complete.
  let recorded: Set<RootRecord.Root>
  private var completeness: Completeness

  /// Reads the records and lists the packs of `store`, which relies from then on on no pack found wrong.
  ///
  /// - Parameter local: a store to read nodes and lists from, as far as it has them.
  public init(of store: ObjectStore, readingFrom local: ObjectStore? = nil) async throws(StoreError) {
    recorded = try await RootLedger(of: store).complete
    packs = try await PackSurvey(of: store)
    if !packs.findings.isEmpty { store.index.condemn(packs.unsound) }
    completeness = Completeness(of: store, readingFrom: local)
  }

  /// Tells what is known of a content.
  public mutating func state(_ kind: TransferRoot.Kind, oid: ObjectID, size: UInt64) async throws(StoreError) -> State {
    guard recorded.contains(RootRecord.Root(kind: kind, oid: oid, size: size)) else { return .absent }
    guard packs.isDoubtful else { return .complete }
    do {
      return try await completeness.has(TransferRoot(kind: kind, oid: oid, size: size, label: "")) ? .complete : .damaged
    } catch let error as StoreError {
      throw error
    } catch {
      throw StoreError(.other, "\(error)", cause: error)
    }
  }
}
