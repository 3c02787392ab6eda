public import DVObject
import DVStore
public import DVWorkspace

/// What a push or fetch did.
public struct ShareReport: Sendable {
  /// One content that was asked for and is complete now.
  public struct Item: Sendable {
    /// Relative to the working tree's root.
    public let path: TreePath
    /// The part of it that was asked for; the root for all.
    public let inside: TreePath
    public let pointer: Pointer
    /// Whether it was complete before.
    public let wasThere: Bool
  }

  /// One path that is not complete.
  public struct Failure: Sendable {
    /// What kind of failure this is.
    public enum Kind: String, Sendable {
      case corrupt
      case missing
      /// A record says that it was erased.
      case erased
      /// The pointer has conflict markers.
      case conflicted
      /// The pointer cannot be read.
      case unreadable
    }

    public let kind: Kind
    /// The file that is affected, or the pointer, as people read it.
    public let path: String
    /// The object that failed.
    public let oid: ObjectID?
    /// Where it was looked for.
    public let place: String
    public let message: String
  }

  public let remote: Remote
  public internal(set) var items: [Item] = []
  /// Objects copied.
  public internal(set) var objects = 0
  /// Bytes written, after dedup and compression.
  public internal(set) var bytes: UInt64 = 0
  public internal(set) var packs = 0
  /// Contents and objects that were there before.
  public internal(set) var skipped = 0
  /// Damaged packs of the remote that were made good.
  public internal(set) var healedPacks = 0
  /// Records of runs that the remote did not have.
  public internal(set) var records = 0
  /// What else went wrong, in words; it is no failure of the data's.
  public internal(set) var notes: [String] = []
  public internal(set) var failures: [Failure] = []
  /// Paths that were left out because records say that they were erased, and that are not here either: no failure of a push.
  public internal(set) var leftOut: [String] = []

  init(remote: Remote) { self.remote = remote }

  /// What was asked for and is complete now, and was not before.
  public var fresh: [Item] { items.filter { !$0.wasThere } }

  mutating func add(_ transfer: TransferReport, place: String) {
    objects += transfer.objects
    bytes += transfer.bytes
    packs += transfer.packs
    skipped += transfer.skipped
    for failure in transfer.failed {
      for path in failure.affects.isEmpty ? ["?"] : failure.affects {
        failures.append(
          Failure(
            kind: failure.isCorrupt ? .corrupt : .missing, path: path, oid: failure.key.id, place: place,
            message: failure.message))
      }
    }
  }

  /// Adds a file that was erased.
  ///
  /// - Parameter place: where it is still, or was looked for.
  mutating func add(erased oid: ObjectID, at path: String, _ item: Erasures.Item, place: String, _ rest: String) {
    failures.append(
      Failure(kind: .erased, path: path, oid: oid, place: place, message: "It was \(item.text). \(rest)"))
  }

  mutating func add(_ pointer: UnreadablePointer) {
    failures.append(
      Failure(
        kind: pointer.isConflicted ? .conflicted : .unreadable, path: PointerFile.path(for: pointer.target).description,
        oid: nil, place: "the pointer", message: pointer.message))
  }
}

extension ProgressSink {
  /// Counts what a transfer tells.
  func count(_ step: Transfer.Step) {
    switch step {
    case .found(let bytes, let objects): expect(bytes: bytes, items: UInt64(objects))
    case .copied(let bytes, let objects): advance(bytes: bytes, items: UInt64(objects))
    }
  }
}
