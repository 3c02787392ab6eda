/// Bytes that can be read at any place: of a file, an object, memory.
public struct ContentSource {
  /// In bytes.
  public let size: UInt64
  private let body: (UInt64, Int) throws -> [UInt8]

  /// - Parameter read: returns the bytes from an offset on, as many as asked for unless the content ends before.
  public init(size: UInt64, read: @escaping (_ offset: UInt64, _ count: Int) throws -> [UInt8]) {
    self.size = size
    body = read
  }

  public init(_ bytes: [UInt8]) {
    self.init(size: UInt64(bytes.count)) { offset, count in
      let start = Int(min(offset, UInt64(bytes.count)))
      return Array(bytes[start..<min(bytes.count, start + count)])
    }
  }

  /// Returns exactly `count` bytes from `offset` on.
  ///
  /// - Throws: ``ContentError/Code/malformed`` if the content ends before.
  func read(_ offset: UInt64, _ count: Int) throws(ContentError) -> [UInt8] {
    guard count >= 0, offset <= size, UInt64(count) <= size - offset else {
      throw ContentError(.malformed, "it ends before byte \(offset &+ UInt64(clamping: count))")
    }
    let bytes: [UInt8]
    do { bytes = try body(offset, count) } catch { throw ContentError(.unreadable, "\(error)") }
    guard bytes.count == count else { throw ContentError(.unreadable, "it was cut short while it was read") }
    return bytes
  }

  /// Reads all of it.
  ///
  /// - Throws: ``ContentError/Code/tooLarge`` if it has more than `limit` bytes.
  func all(limit: Int) throws(ContentError) -> [UInt8] {
    guard size <= UInt64(limit) else { throw ContentError(.tooLarge, "it has \(size) bytes; at most \(limit) are read whole") }
    return try read(0, Int(size))
  }

  /// The content, or a part of it, from start to end.
  func stream(_ range: Range<UInt64>? = nil) -> ContentStream {
    let range = range ?? 0..<size
    var next = range.lowerBound
    return ContentStream { limit throws(ContentError) in
      let count = Int(min(UInt64(limit), range.upperBound - next))
      defer { next += UInt64(count) }
      return count == 0 ? [] : try self.read(next, count)
    }
  }
}

/// Bytes that come one after the other.
final class ContentStream {
  /// How much is read at a time.
  static let pieceCount = 1 << 18

  private let more: (Int) throws(ContentError) -> [UInt8]
  private var waiting: ArraySlice<UInt8> = []
  private var hasEnded = false

  /// - Parameter more: returns the next bytes, at least one unless the content has ended; about as many as asked for.
  init(_ more: @escaping (Int) throws(ContentError) -> [UInt8]) { self.more = more }

  /// Returns the next `count` bytes, fewer only at the end.
  func next(_ count: Int = pieceCount) throws(ContentError) -> ArraySlice<UInt8> {
    while waiting.count < count, !hasEnded {
      let piece = try more(max(count - waiting.count, 1))
      if piece.isEmpty { hasEnded = true } else { waiting += piece }
    }
    let taken = waiting.prefix(count)
    waiting = ArraySlice(waiting.dropFirst(count))
    return taken
  }

  /// Reads to the end.
  ///
  /// - Throws: ``ContentError/Code/tooLarge`` if there are more than `limit` bytes.
  func rest(limit: Int) throws(ContentError) -> [UInt8] {
    var all: [UInt8] = []
    while true {
      let piece = try next()
      if piece.isEmpty { return all }
      guard all.count + piece.count <= limit else { throw ContentError(.tooLarge, "it has more than \(limit) bytes") }
      all += piece
    }
  }

  /// Whether two contents are the same to the end.
  static func areEqual(_ one: ContentStream, _ other: ContentStream) throws(ContentError) -> Bool {
    while true {
      let (left, right) = (try one.next(), try other.next())
      guard left == right else { return false }
      if left.isEmpty { return true }
    }
  }
}

extension Sequence<UInt8> {
  /// The unsigned number that these bytes are, the least significant first.
  var littleEndian: UInt64 { reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}
