import DVObject

/// What the last chunks of one stream of bytes taught about its codec.
///
/// Neighbouring chunks are of one kind. So candidates are tried in full only now and then, or when the bytes look
/// different from those of the last trial. A trial that confirms the one before serves twice as long.
public struct CodecMemory: Sendable {
  /// The candidates that the bytes suggested at the last trial.
  private var candidates: [Codec] = []
  private var winner = Codec.raw
  private var remaining = 0
  private var span = Self.firstSpan

  /// How many chunks the first trial's result serves, and how many any later one's.
  private static let firstSpan = 16
  private static let longestSpan = 256

  public init() {}

  /// The codec to use without trial, if the last trial had the same candidates and is not too long ago.
  mutating func choice(among candidates: [Codec]) -> Codec? {
    guard remaining > 0, candidates == self.candidates else { return nil }
    remaining -= 1
    return winner
  }

  mutating func learn(_ codec: Codec, among candidates: [Codec]) {
    span = codec == winner && candidates == self.candidates ? min(2 * span, Self.longestSpan) : Self.firstSpan
    self.candidates = candidates
    winner = codec
    remaining = span
  }
}
