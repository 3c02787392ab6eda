/// A number of bytes as people read it: `512 B`, `2.1 GB`. Units are decimal, as disks and networks are sold.
struct ByteCount: CustomStringConvertible {
  let bytes: UInt64

  init(_ bytes: UInt64) {
    self.bytes = bytes
  }

  var description: String {
    guard bytes >= 1000 else { return "\(bytes) B" }
    var unit: UInt64 = 1000
    var names = ["kB", "MB", "GB", "TB", "PB", "EB"][...]
    // Rounded before the unit is chosen, so that 999,950 bytes are 1.0 MB and not 1000 kB.
    while names.count > 1, Self.rounded(bytes, in: unit) >= 1000 {
      unit *= 1000
      names.removeFirst()
    }
    let tenths = Self.tenths(of: bytes, in: unit)
    // Three digits say enough.
    let number = tenths >= 1000 ? "\(Self.rounded(bytes, in: unit))" : "\(tenths / 10).\(tenths % 10)"
    return "\(number) \(names[names.startIndex])"
  }

  /// Returns how many of `unit` `bytes` are, rounded, without overflow.
  private static func rounded(_ bytes: UInt64, in unit: UInt64) -> UInt64 {
    let (whole, rest) = bytes.quotientAndRemainder(dividingBy: unit)
    return whole + (rest >= unit / 2 ? 1 : 0)
  }

  /// Returns how many tenths of `unit` `bytes` are, rounded, without overflow.
  private static func tenths(of bytes: UInt64, in unit: UInt64) -> UInt64 {
    let (whole, rest) = bytes.quotientAndRemainder(dividingBy: unit)
    return whole * 10 + (rest + unit / 20) / (unit / 10)
  }
}

/// A number of bytes per second: `350 MB/s`.
struct ByteRate: CustomStringConvertible {
  let bytesPerSecond: Double

  init(_ bytesPerSecond: Double) {
    self.bytesPerSecond = bytesPerSecond
  }

  var description: String {
    "\(ByteCount(UInt64(exactly: bytesPerSecond.rounded()) ?? 0))/s"
  }
}
