import DVBackend
import DVFile
import DVObject

extension ObjectStore {
  /// Stores locators of contents that were pushed: hints for who wants a small part of one and does not have the index.
  ///
  /// What fails is left out: any reader can do without.
  func writeLocators(of roots: [TransferRoot]) async {
    guard !backend.answersAtOnce else { return }
    try? await roots.forEachConcurrently(width: Self.locatorWidth) { root in
      guard let locator = try? await self.locator(of: root) else { return }
      try? await self.backend.put(locator.encoded(), at: StoreLayout.locator(root.kind, root.oid))
    }
  }

  /// Locators stored at once.
  private static let locatorWidth = 16

  private func locator(of root: TransferRoot) async throws -> Locator? {
    let key = ObjectKey(kind: root.kind == .tree ? .treeNode : .chunk, id: root.oid)
    guard let found = try await SessionPlaces(of: []).find([key], in: self)[0], case .known(let container) = found.pack,
      let offset = UInt32(exactly: found.offset)
    else { return nil }
    return Locator(
      id: root.oid, container: container,
      place: ObjectPlace(
        kind: found.kind, codec: found.codec, container: nil, offset: offset, storedLength: found.storedLength,
        length: found.length, listed: found.listed))
  }
}
