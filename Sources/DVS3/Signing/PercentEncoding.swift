/// Percent-encoding as AWS signs it (RFC 3986 with `A-Z a-z 0-9 - . _ ~` left as they are, hexadecimal in capitals).
///
/// Every encoder of URLs has its own opinion on `+`, `*` and `~`. A signature covers the encoded text, so that client and server
/// must agree to the byte: requests are built with these functions and with no others.
public enum PercentEncoding {
  /// Returns `text` encoded as one name or value of a query: `/` becomes `%2F`, a space `%20`.
  ///
  /// - Complexity: O(*n*).
  public static func component(_ text: String) -> String { encode(text, keepingSlash: false) }

  /// Returns the path of a key or of `bucket/key`: as ``component(_:)``, but with `/` kept. Neither `//` nor `.` nor `..` are
  /// changed, because in S3 they are part of the key.
  public static func path(_ key: String) -> String { encode(key, keepingSlash: true) }

  /// Returns a query as it is signed and sent: encoded, sorted by encoded name and value, each name with its `=`.
  public static func query(_ items: [(String, String)]) -> String {
    let encoded = items.map { (component($0.0), component($0.1)) }
    // The encoded texts are ASCII, where strings compare as their bytes do.
    return encoded.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
  }

  /// Returns `text` decoded, or `nil` if a `%` is not followed by two hexadecimal digits or the result is not UTF-8.
  ///
  /// - Parameter plusIsSpace: Whether `+` stands for a space, as in forms and in S3's listings with `encoding-type=url`.
  public static func decode(_ text: String, plusIsSpace: Bool) -> String? {
    if !text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) { return text }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    var rest = text.utf8.makeIterator()
    while let byte = rest.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else { return nil }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func encode(_ text: String, keepingSlash: Bool) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        result.append(byte)
      case UInt8(ascii: "/") where keepingSlash: result.append(byte)
      default: result += [UInt8(ascii: "%"), hexadecimal(byte >> 4), hexadecimal(byte & 15)]
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func hexadecimal(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
