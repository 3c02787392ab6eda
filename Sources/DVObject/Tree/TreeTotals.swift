/// How many files lie below a point of a tree, and how many bytes they have.
///
/// Files, executables and symlinks count as one each, directories as none.
public struct TreeTotals: Hashable, Sendable {
  public var files: UInt64
  public var bytes: UInt64

  public init(files: UInt64 = 0, bytes: UInt64 = 0) {
    self.files = files
    self.bytes = bytes
  }

  /// Adds `other`.
  ///
  /// - Throws: ``ObjectFormatError`` with code `.overflow` if a sum does not fit 64 bits; nothing is changed then.
  public mutating func add(_ other: TreeTotals) throws(ObjectFormatError) {
    let (files, tooManyFiles) = files.addingReportingOverflow(other.files)
    let (bytes, tooManyBytes) = bytes.addingReportingOverflow(other.bytes)
    guard !tooManyFiles, !tooManyBytes else {
      throw ObjectFormatError(.overflow, "The totals of a tree do not fit 64 bits.")
    }
    self.files = files
    self.bytes = bytes
  }
}
