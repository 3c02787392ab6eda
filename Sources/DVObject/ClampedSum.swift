extension UInt64 {
  /// Returns the sum, or the largest number if that does not fit.
  ///
  /// For sums over what pointers and trees claim: each may say up to 2^64 - 1, and a claim must not end the program.
  public func addingClamped(_ other: UInt64) -> UInt64 {
    let (sum, isTooLarge) = addingReportingOverflow(other)
    return isTooLarge ? .max : sum
  }
}

extension Sequence {
  /// Returns the sum of what `value` says of each element, or the largest number if that does not fit.
  public func clampedSum(_ value: (Element) -> UInt64) -> UInt64 {
    reduce(0) { $0.addingClamped(value($1)) }
  }
}
