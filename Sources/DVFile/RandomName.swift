/// Names for temporary files: random, so that two processes never choose the same, and told apart at a glance.
public enum RandomName {
  /// Returns a new name such as `.dv-0f3a…9c.tmp`, 30 bytes long.
  public static func temporary() -> String { prefix + letters() + suffix }

  /// Returns 22 random hexadecimal digits.
  public static func letters() -> String {
    let text = String(UInt64.random(in: .min ... .max), radix: 16) + String(UInt32.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: max(0, 22 - text.utf8.count)) + text.prefix(22)
  }

  /// Returns whether a file of this name was made by ``temporary()``.
  public static func isTemporary(_ name: String) -> Bool { name.hasPrefix(prefix) && name.hasSuffix(suffix) }

  private static let prefix = ".dv-"
  private static let suffix = ".tmp"
}
