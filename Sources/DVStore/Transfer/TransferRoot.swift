public import DVObject

/// What a transfer is asked to make complete at its destination: the content of one pointer, or a part of it.
public struct TransferRoot: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable {
    case file
    case tree
  }

  public let kind: Kind
  public let oid: ObjectID
  /// Bytes of the file, or of all files of the tree.
  public let size: UInt64
  /// What messages call it: the path of the data in the repository.
  public let label: String
  /// The part of a tree that is wanted: names of directories from its root on, the last may be a file. Empty: all.
  public let inside: [TreeName]

  public init(kind: Kind, oid: ObjectID, size: UInt64, label: String, inside: [TreeName] = []) {
    self.kind = kind
    self.oid = oid
    self.size = size
    self.label = label
    self.inside = inside
  }
}
