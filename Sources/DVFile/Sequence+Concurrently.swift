extension Sequence where Element: Sendable {
  /// Runs `body` for every element, at most `width` at once, and waits for all.
  ///
  /// - Throws: the first error of a body; the others are cancelled and waited for before.
  public func forEachConcurrently(
    width: Int, _ body: @escaping @Sendable (Element) async throws -> Void
  ) async throws {
    precondition(width > 0, "nothing can run with a width of \(width)")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, element) in enumerated() {
        if index >= width { try await group.next() }
        group.addTask { try await body(element) }
      }
      try await group.waitForAll()
    }
  }

  /// Returns what `body` makes of every element, in the order of the elements, running at most `width` at once.
  ///
  /// - Throws: the first error of a body; the others are cancelled and waited for before.
  public func mapConcurrently<R: Sendable>(
    width: Int, _ body: @escaping @Sendable (Element) async throws -> R
  ) async throws -> [R] {
    precondition(width > 0, "nothing can run with a width of \(width)")
    var results: [R?] = []
    try await withThrowingTaskGroup(of: (Int, R).self) { group in
      for (index, element) in enumerated() {
        if index >= width, let (done, result) = try await group.next() { results[done] = result }
        results.append(nil)
        group.addTask { (index, try await body(element)) }
      }
      for try await (done, result) in group { results[done] = result }
    }
    return results.map { $0! }  // every place was filled, or an error was thrown
  }
}
