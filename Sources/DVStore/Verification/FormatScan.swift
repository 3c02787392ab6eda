import DVBackend
import DVObject

/// Whether a store says what it is.
///
/// `format/1` has the same bytes in every store: any others, or none where there are packs, are damage that can be made
/// good. A higher number is another dv's, and is left alone.
struct FormatScan: Sendable {
  static let key = StoreLayout.format(1)
  /// What is wrong, if something is.
  private(set) var finding: StoreFinding?

  init(of backend: any Backend) async throws(StoreError) {
    do {
      let numbers = try await backend.list(StoreLayout.format).compactMap {
        Int($0.key.text.dropFirst(StoreLayout.format.count))
      }
      if let highest = numbers.max(), highest > 1 { return }
      let bytes = try await backend.get(Self.key)
      if bytes == StoreFormat.current.encoded() { return }
      if bytes == nil, try await backend.list(StoreLayout.packs).isEmpty { return }
      finding = StoreFinding(
        .format, isMissing: bytes == nil, place: Self.key.text,
        message: bytes == nil ? "it is missing" : "its bytes are not those of the format")
    } catch {
      throw StoreError(error)
    }
  }
}
