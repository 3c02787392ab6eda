/// Why an answer's XML could not be read.
struct XMLError: Error, Hashable {
  /// What is wrong, without a full stop. Quotes nothing of the document but the names of elements.
  let reason: String
  /// Where, in bytes from the beginning.
  let offset: Int

  init(_ reason: String, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }
}
