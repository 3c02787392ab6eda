/// Files with names, as POSIX ustar has them: what every system opens. No links, directories, owners or times.
///
/// A block of 512 bytes for each file: name at 0, size in octal at 124, sum of the block's bytes at 148, `0` at 156, `ustar` at 257; then
/// the bytes, filled up to 512. Two empty blocks at the end.
struct TarArchive {
  private(set) var bytes: [UInt8] = []

  /// Adds a file.
  ///
  /// - Precondition: the name has at most 99 bytes.
  mutating func append(_ name: String, _ content: [UInt8]) {
    precondition(name.utf8.count < 100)
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
    }
    func octal(_ number: Int, _ digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    put(name, at: 0)
    put("0000644", at: 100)
    put("0000000", at: 108)
    put("0000000", at: 116)
    put(octal(content.count, 11), at: 124)
    put("00000000000", at: 136)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
    bytes += header
    bytes += content
    bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  /// Ends the archive.
  mutating func finish() { bytes += [UInt8](repeating: 0, count: 1024) }

  /// Reads an archive as this writes it.
  ///
  /// - Returns: `nil` if it is none, holds anything but files, a name twice, or ends too early.
  static func files(in bytes: [UInt8]) -> [String: [UInt8]]? {
    var files: [String: [UInt8]] = [:]
    var position = 0
    while position + 512 <= bytes.count {
      let header = bytes[position..<position + 512]
      if header.allSatisfy({ $0 == 0 }) { return files }
      func text(_ offset: Int, _ count: Int) -> String {
        String(decoding: header[(position + offset)..<(position + offset + count)].prefix { $0 != 0 }, as: UTF8.self)
      }
      let sum = header.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
      guard text(257, 5) == "ustar", text(156, 1) == "0", Int(text(148, 6), radix: 8) == sum, let size = Int(text(124, 11), radix: 8),
        size >= 0, size <= bytes.count - position - 512, files[text(0, 100)] == nil
      else { return nil }
      files[text(0, 100)] = Array(bytes[(position + 512)..<(position + 512 + size)])
      position += 512 + (size + 511) / 512 * 512
    }
    return nil
  }
}
