/// The name of an object in a store: its kind and ID.
///
/// Keys order by kind, then by the bytes of the ID: the order of an index segment.
public struct ObjectKey: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let kind: ObjectKind
  public let id: ObjectID

  @inlinable public init(kind: ObjectKind, id: ObjectID) {
    self.kind = kind
    self.id = id
  }

  /// The first eight bytes of the key: the kind, then the first seven bytes of the ID. Orders as the keys do, but for ties.
  public var prefix: UInt64 { UInt64(kind.rawValue) << 56 | id.prefix64 >> 8 }

  @inlinable public static func == (left: ObjectKey, right: ObjectKey) -> Bool {
    left.id == right.id && left.kind == right.kind
  }

  /// Feeds the ID alone to `hasher`: the same ID under two kinds is rare.
  @inlinable public func hash(into hasher: inout Hasher) { id.hash(into: &hasher) }

  @inlinable public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
    left.kind == right.kind ? left.id < right.id : left.kind.rawValue < right.kind.rawValue
  }

  public var description: String { "\(kind) \(id.hex)" }
}
