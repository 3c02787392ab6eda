/// How fast bytes are being dealt with, from what was counted in the last seconds.
///
/// An exponential average over about five seconds: steady enough to read, quick enough to show that a connection died.
struct RateEstimate {
  private static let memory = 5.0

  /// The estimate, or `nil` until half a second of a phase has been seen.
  private(set) var bytesPerSecond: Double?

  private var phase = ""
  private var bytes: UInt64 = 0
  private var time = Duration.zero

  /// Takes note that `bytes` of the phase called `phase` are done at `time`.
  mutating func add(_ bytes: UInt64, of phase: String, at time: Duration) {
    guard phase == self.phase, bytes >= self.bytes else {
      self = RateEstimate()
      self.phase = phase
      self.bytes = bytes
      self.time = time
      return
    }
    let seconds = (time - self.time) / .seconds(1)
    guard seconds >= 0.5 else { return }
    let speed = Double(bytes - self.bytes) / seconds
    // The weight of a sample grows with the time it stands for, so that the rhythm of the calls does not matter.
    let weight = bytesPerSecond == nil ? 1 : seconds / (seconds + Self.memory)
    bytesPerSecond = (bytesPerSecond ?? 0) * (1 - weight) + speed * weight
    self.bytes = bytes
    self.time = time
  }
}
