import DVRepository

/// What is written to show progress, decided from moments in time: no clock and no terminal in here.
///
/// On a terminal it is one line that is drawn again at most ten times a second and wiped at the end. Elsewhere, in a
/// log of continuous integration, it is a whole line every few seconds, so that a short command prints none.
struct ProgressLine {
  enum Style: Hashable {
    case bar
    case lines
    case silent
  }

  /// The shortest time between two drawings.
  static let redrawInterval = Duration.milliseconds(100)
  /// The time between two lines where nothing can be redrawn.
  static let lineInterval = Duration.seconds(5)

  /// Returns the cursor to the first column and clears to the end of the line.
  private static let wipe = "\r\u{1b}[K"

  private let style: Style
  private var rate = RateEstimate()
  private var lastOutput = Duration.zero
  private var isDrawn = false

  init(_ style: Style) {
    self.style = style
  }

  /// Returns what to write now, or `nil` if it is too early or nothing has begun.
  ///
  /// - Parameters:
  ///   - time: The time since the operation began.
  ///   - columns: The width of the terminal, which may change between calls.
  mutating func update(_ progress: Progress, at time: Duration, columns: Int = 80) -> String? {
    guard style != .silent, !progress.verb.isEmpty else { return nil }
    rate.add(progress.doneBytes, of: progress.verb, at: time)
    guard time - lastOutput >= (style == .bar ? Self.redrawInterval : Self.lineInterval) else { return nil }
    lastOutput = time
    switch style {
    case .silent: return nil
    case .lines: return text(progress) + "\n"
    case .bar:
      isDrawn = true
      // The last column stays free: some terminals wrap when it is written.
      return Self.wipe + bar(progress, columns: columns - 1)
    }
  }

  /// Returns what clears the line, or `nil` if none was drawn.
  mutating func finish() -> String? {
    defer { isDrawn = false }
    return isDrawn ? Self.wipe : nil
  }

  /// Returns a whole line: `Adding 42%: 2.1 GB of 5.0 GB, 1,200 of 3,000 items, 350 MB/s, 8 s left`.
  private func text(_ progress: Progress) -> String {
    var head = progress.verb
    if let fraction = progress.fraction { head += " \(Int(fraction * 100))%" }
    return head + (details(progress).map { ": \($0)" } ?? "")
  }

  private func bar(_ progress: Progress, columns: Int) -> String {
    let details = details(progress) ?? ""
    guard let fraction = progress.fraction else { return "\(progress.verb) \(details)".truncated(to: columns) }
    let percent = "\(Int(fraction * 100))%"
    let head = "\(progress.verb) \(String(repeating: " ", count: 4 - percent.count))\(percent) "
    let free = columns - head.displayWidth - details.displayWidth - 3
    // A bar of a few cells says nothing: then the numbers have the room.
    guard free >= 8 else { return (head + details).truncated(to: columns) }
    let cells = min(free, 30)
    let full = Int(fraction * Double(cells))
    let drawn = String(repeating: "#", count: full) + String(repeating: ".", count: cells - full)
    return "\(head)[\(drawn)] \(details)"
  }

  /// What is known beside the share, most telling first, because a narrow terminal cuts the end.
  private func details(_ progress: Progress) -> String? {
    var parts: [String] = []
    if progress.doneBytes > 0 || progress.totalBytes != nil {
      let done = "\(ByteCount(progress.doneBytes))"
      parts.append(progress.totalBytes.map { "\(done) of \(ByteCount($0))" } ?? done)
    }
    if progress.doneItems > 0 || progress.totalItems != nil {
      let done = "\(Count(progress.doneItems))"
      parts.append(progress.totalItems.map { "\(done) of \(Count($0).of("item"))" } ?? Count(progress.doneItems).of("item"))
    }
    if let speed = rate.bytesPerSecond, speed >= 1 {
      parts.append("\(ByteRate(speed))")
      if let total = progress.totalBytes, total > progress.doneBytes {
        let seconds = Double(total - progress.doneBytes) / speed
        // A guess of days is no help.
        if seconds < 100 * 3600 { parts.append("\(TimeSpan(seconds: UInt64(seconds.rounded(.up)))) left") }
      }
    }
    if progress.retries > 0 {
      parts.append(Count(progress.retries).of("retry", plural: "retries"))
    }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}

extension Progress {
  /// The share that is done, 0 to 1: of the bytes if their total is known, else of the items, else `nil`.
  var fraction: Double? {
    if let totalBytes, totalBytes > 0 { return min(1, Double(doneBytes) / Double(totalBytes)) }
    if let totalItems, totalItems > 0 { return min(1, Double(doneItems) / Double(totalItems)) }
    return nil
  }
}
