extension String {
  /// How many columns of a terminal this text takes, which it must have made safe before.
  ///
  /// A character takes as much as its first scalar: two columns if that is East Asian wide or an emoji, none if it only
  /// combines. The ranges are the large blocks of Unicode's EastAsianWidth.txt; a rare script may be a column off, which
  /// spoils an alignment and nothing else.
  var displayWidth: Int {
    reduce(0) { $0 + Self.columns(of: $1) }
  }

  /// Returns the longest beginning that fits into `columns`, with an ellipsis if something was cut.
  func truncated(to columns: Int) -> String {
    guard displayWidth > columns else { return self }
    guard columns > 0 else { return "" }
    var width = 0
    let kept = prefix { character in
      width += Self.columns(of: character)
      return width < columns
    }
    return kept + "…"
  }

  private static func columns(of character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0..<0x300: return 1
    case 0x300...0x36f, 0x200b...0x200f, 0xfe00...0xfe0f: return 0
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97c, 0xac00...0xd7a3, 0xf900...0xfaff,
      0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff,
      0x20000...0x3fffd:
      return 2
    default: return 1
    }
  }
}
