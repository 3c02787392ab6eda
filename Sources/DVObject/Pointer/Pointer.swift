/// What git keeps in place of a file or directory that dv tracks: a short text that names the content.
///
/// A pointer has exactly one encoding, in ASCII, each line ended by a line feed:
///
///     dv-pointer 1
///     kind file                 or: kind tree
///     mode exec                 only for a file that its owner may execute
///     oid sha256:<64 hex>       of a file, its content; of a tree, its root node
///     size <bytes>              of a tree, all files below
///     files <number>            only for a tree
///     run sha256:<64 hex>       only for an output of a run: the record of the run
///
/// Numbers are decimal, without leading zeros, below 2^64. See `docs/format/pointer.md`.
public struct Pointer: Hashable, Sendable {
  /// What a pointer stands for.
  public enum Kind: Hashable, Sendable {
    case file
    case tree
  }

  /// What the name of a pointer ends with.
  public static let suffix = ".dv"
  /// The most bytes of a pointer.
  public static let maximumByteCount = 1024

  public let kind: Kind
  /// Whether this is a file that its owner may execute.
  public let executable: Bool
  /// Of a file, its content; of a tree, its root node.
  public let oid: ObjectID
  /// How many bytes the file has, or all files of the tree.
  public let size: UInt64
  /// How many files the tree has; `nil` for a file.
  public let files: UInt64?
  /// The record of the run that made this: provenance, not identity.
  public var run: ObjectID?

  /// Makes the pointer of a file of `size` bytes.
  public init(file oid: ObjectID, size: UInt64, executable: Bool = false, run: ObjectID? = nil) {
    self.kind = .file
    self.executable = executable
    self.oid = oid
    self.size = size
    self.files = nil
    self.run = run
  }

  /// Makes the pointer of a tree.
  public init(tree oid: ObjectID, totals: TreeTotals, run: ObjectID? = nil) {
    self.kind = .tree
    self.executable = false
    self.oid = oid
    self.size = totals.bytes
    self.files = totals.files
    self.run = run
  }

  /// The same pointer without its run: equal for equal content, whoever made it.
  public var withoutRun: Pointer {
    var pointer = self
    pointer.run = nil
    return pointer
  }

  /// Returns the pointer's bytes.
  public func encoded() -> [UInt8] {
    var text = "dv-pointer 1\n"
    text += kind == .file ? "kind file\n" : "kind tree\n"
    if executable { text += "mode exec\n" }
    text += "oid \(oid.text)\nsize \(size)\n"
    if let files { text += "files \(files)\n" }
    if let run { text += "run \(run.text)\n" }
    return Array(text.utf8)
  }
}
