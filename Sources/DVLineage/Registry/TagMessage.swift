/// The message of a tag in the registry: a line for people, what they wrote, and the record as its last line.
///
///     Register churn v1.2.0
///
///     Trained on the September data.
///
///     {"commit":"…","model":"churn",…}
///
/// A signature that git appends is no part of it.
public enum TagMessage {
  /// The most bytes of a message that is read.
  public static let maximumByteCount = 64 << 10

  /// The most bytes of a record in it: evidence of many checks needs more than other records.
  public static let maximumRecordByteCount = 32 << 10

  /// Makes a message.
  public static func text(title: String, description: String?, record: Record) -> String {
    title + "\n\n" + (description.map { $0 + "\n\n" } ?? "") + String(decoding: record.bytes, as: UTF8.self) + "\n"
  }

  /// The last line before a signature of git's; `nil` if there is none.
  static func lastLine(of message: String) -> Substring? {
    var last: Substring?
    for line in message.split(separator: "\n") {
      if line.hasPrefix("-----BEGIN ") { break }
      last = line
    }
    return last
  }

  /// Finds the record in a message.
  ///
  /// - Returns: `nil` if it has none, as tags that GTO made.
  /// - Throws: ``RecordError`` if what stands there is no canonical record.
  public static func record(in message: String) throws(RecordError) -> Record? {
    guard let last = lastLine(of: message), last.hasPrefix("{") else { return nil }
    return try Record(decoding: Array(last.utf8), limit: maximumRecordByteCount)
  }
}
