/// Where the planes of grouped bytes lie, each in one of two runs of bytes.
///
/// A plane that did not compress is stored as it is, so it need not be copied to stand beside those that were decoded.
public struct PlanePlaces: Sendable {
  /// Where a plane begins.
  public enum Place: Sendable {
    /// In the stored bytes.
    case stored(at: Int)
    /// In the bytes that were decoded.
    case decoded(at: Int)
  }

  private var places: InlineArray<4, Place> = .init(repeating: .stored(at: 0))
  /// How many there are, at most four.
  public private(set) var count = 0

  public init() {}

  /// Adds the next plane.
  public mutating func append(_ place: Place) {
    places[count] = place
    count += 1
  }

  subscript(index: Int) -> Place { places[index] }
}
