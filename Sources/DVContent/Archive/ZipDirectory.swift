import DVZlib

/// What is in a zip archive, by its central directory.
///
/// Every length, offset and count is checked against the size of the file. Read are entries that are stored or deflated, with
/// and without zip64; not those that are encrypted. Format: PKWARE's APPNOTE.TXT.
struct ZipDirectory {
  struct Entry {
    let name: String
    let method: UInt64
    let compressedSize: UInt64
    let size: UInt64
    let headerOffset: UInt64
    let isEncrypted: Bool
  }

  /// More names are refused.
  static let maximumCount = 1 << 20
  static let maximumByteCount = 128 << 20

  private(set) var entries: [Entry] = []
  private let source: ContentSource

  init(_ source: ContentSource) throws(ContentError) {
    self.source = source
    var (offset, size, count) = try Self.end(source)
    if offset == 0xffff_ffff || size == 0xffff_ffff || count == 0xffff { (offset, size, count) = try Self.end64(source) }
    guard count <= UInt64(Self.maximumCount), size <= UInt64(Self.maximumByteCount) else {
      throw ContentError(.tooLarge, "the archive has \(count) entries")
    }
    let bytes = try source.read(offset, Int(size))
    var position = 0
    for _ in 0..<count { entries.append(try Self.entry(bytes, &position)) }
  }

  private static func end(_ source: ContentSource) throws(ContentError) -> (offset: UInt64, size: UInt64, count: UInt64) {
    let count = Int(min(source.size, 22 + 65_535))
    let tail = try source.read(source.size - UInt64(count), count)
    var position = tail.count - 22
    while position >= 0 {
      if tail[position...].starts(with: [0x50, 0x4b, 0x05, 0x06]) {
        return (
          tail[(position + 16)..<(position + 20)].littleEndian, tail[(position + 12)..<(position + 16)].littleEndian,
          tail[(position + 10)..<(position + 12)].littleEndian
        )
      }
      position -= 1
    }
    throw ContentError(.malformed, "the archive has no end")
  }

  private static func end64(_ source: ContentSource) throws(ContentError) -> (offset: UInt64, size: UInt64, count: UInt64) {
    let count = Int(min(source.size, 22 + 65_535 + 20))
    let start = source.size - UInt64(count)
    let tail = try source.read(start, count)
    var position = tail.count - 20
    while position >= 0 {
      if tail[position...].starts(with: [0x50, 0x4b, 0x06, 0x07]) {
        let record = try source.read(tail[(position + 8)..<(position + 16)].littleEndian, 56)
        guard record.starts(with: [0x50, 0x4b, 0x06, 0x06]) else { break }
        return (record[48..<56].littleEndian, record[40..<48].littleEndian, record[32..<40].littleEndian)
      }
      position -= 1
    }
    throw ContentError(.malformed, "the archive has no zip64 end")
  }

  private static func entry(_ bytes: [UInt8], _ position: inout Int) throws(ContentError) -> Entry {
    let start = position
    guard bytes.count - start >= 46, bytes[start...].starts(with: [0x50, 0x4b, 0x01, 0x02]) else {
      throw ContentError(.malformed, "the archive's directory is damaged")
    }
    func number(_ offset: Int, _ count: Int) -> UInt64 { bytes[(start + offset)..<(start + offset + count)].littleEndian }
    let (nameCount, extraCount, commentCount) = (Int(number(28, 2)), Int(number(30, 2)), Int(number(32, 2)))
    guard bytes.count - start - 46 >= nameCount + extraCount + commentCount else {
      throw ContentError(.malformed, "the archive's directory is cut short")
    }
    let name = bytes[(start + 46)..<(start + 46 + nameCount)]
    var (compressed, size, offset) = (number(20, 4), number(24, 4), number(42, 4))
    // Numbers of 64 bits stand in an extra field, in this order, only those that do not fit.
    var place = start + 46 + nameCount
    let extraEnd = place + extraCount
    while place + 4 <= extraEnd {
      let (id, count) = (bytes[place..<place + 2].littleEndian, Int(bytes[place + 2..<place + 4].littleEndian))
      var next = place + 4
      guard next + count <= extraEnd else { break }
      if id == 1 {
        func take(_ value: inout UInt64) {
          guard value == 0xffff_ffff, next + 8 <= place + 4 + count else { return }
          value = bytes[next..<next + 8].littleEndian
          next += 8
        }
        take(&size)
        take(&compressed)
        take(&offset)
      }
      place += 4 + count
    }
    position = start + 46 + nameCount + extraCount + commentCount
    return Entry(
      name: String(decoding: name, as: UTF8.self), method: number(10, 2), compressedSize: compressed, size: size,
      headerOffset: offset, isEncrypted: number(8, 2) & 1 == 1)
  }

  /// What is in an entry, from its start.
  func stream(_ entry: Entry) throws(ContentError) -> ContentStream {
    guard !entry.isEncrypted else { throw ContentError(.unsupported, "'\(entry.name)' in the archive is encrypted") }
    let header = try source.read(entry.headerOffset, 30)
    guard header.starts(with: [0x50, 0x4b, 0x03, 0x04]) else {
      throw ContentError(.malformed, "'\(entry.name)' is not where the archive says")
    }
    let skipped = 30 + header[26..<28].littleEndian + header[28..<30].littleEndian
    let start = entry.headerOffset + skipped
    guard start <= source.size, entry.compressedSize <= source.size - start else {
      throw ContentError(.malformed, "'\(entry.name)' in the archive is cut short")
    }
    let stored = source.stream(start..<start + entry.compressedSize)
    switch entry.method {
    case 0: return stored
    case 8:
      let (name, size) = (entry.name, entry.size)
      var produced: UInt64 = 0
      let inflater = try Self.inflater(.none)
      var input: ArraySlice<UInt8> = []
      return ContentStream { limit throws(ContentError) in
        while !inflater.isAtEnd {
          if input.isEmpty { input = try stored.next() }
          guard !input.isEmpty else { throw ContentError(.malformed, "'\(name)' in the archive is cut short") }
          let (output, used) = try inflating(inflater, input, limit)
          input = input.dropFirst(used)
          produced += UInt64(output.count)
          // A few bytes that would become terabytes.
          guard produced <= size else { throw ContentError(.malformed, "'\(name)' in the archive is larger than it says") }
          if !output.isEmpty { return output }
        }
        return []
      }
    default: throw ContentError(.unsupported, "'\(entry.name)' in the archive is compressed by method \(entry.method)")
    }
  }

  static func inflater(_ wrapping: StreamInflater.Wrapping) throws(ContentError) -> StreamInflater {
    do throws(ZlibError) { return try StreamInflater(wrapping) } catch { throw ContentError(.unreadable, error.message) }
  }
}

/// Inflates a piece, and makes zlib's refusal one of the content's.
func inflating(
  _ inflater: StreamInflater, _ input: ArraySlice<UInt8>, _ limit: Int
) throws(ContentError) -> (output: [UInt8], used: Int) {
  do throws(ZlibError) { return try inflater.inflate(Array(input).span, limit: limit) } catch {
    throw ContentError(.malformed, error.message)
  }
}

/// What is inside a `.gz`: one stream or several, one after the other.
enum GzipStream {
  static func stream(_ source: ContentSource) throws(ContentError) -> ContentStream {
    let stored = source.stream()
    let inflater = try ZipDirectory.inflater(.gzip)
    var input: ArraySlice<UInt8> = []
    return ContentStream { limit throws(ContentError) in
      while true {
        if input.isEmpty { input = try stored.next() }
        if inflater.isAtEnd {
          if input.isEmpty { return [] }
          do throws(ZlibError) { try inflater.restart() } catch { throw ContentError(.malformed, error.message) }
        }
        guard !input.isEmpty else { throw ContentError(.malformed, "it is cut short") }
        let (output, used) = try inflating(inflater, input, limit)
        input = input.dropFirst(used)
        if !output.isEmpty { return output }
      }
    }
  }
}
