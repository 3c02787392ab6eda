import DVFile

/// Files with names in one value, as ``TarHeader`` has them.
struct TarArchive {
  private(set) var bytes: [UInt8] = []

  /// Adds a file.
  ///
  /// - Precondition: the name has at most 99 bytes.
  mutating func append(_ name: String, _ content: [UInt8]) {
    let header = TarHeader(name: name, size: UInt64(content.count))
    bytes += header.bytes
    bytes += content
    bytes += [UInt8](repeating: 0, count: Int(header.paddedSize) - content.count)
  }

  /// Ends the archive.
  mutating func finish() { bytes += [UInt8](repeating: 0, count: 2 * TarHeader.blockSize) }

  /// Reads an archive as this writes it.
  ///
  /// - Returns: `nil` if it is none, holds anything but files, a name twice, or any byte more or less.
  static func files(in bytes: [UInt8]) -> [String: [UInt8]]? {
    var files: [String: [UInt8]] = [:]
    var position = 0
    while position + TarHeader.blockSize <= bytes.count {
      let block = bytes[position..<position + TarHeader.blockSize]
      if block.allSatisfy({ $0 == 0 }) {
        let rest = bytes[position...]
        return rest.count == 2 * TarHeader.blockSize && rest.allSatisfy { $0 == 0 } ? files : nil
      }
      let start = position + TarHeader.blockSize
      guard let header = TarHeader(decoding: block), header.size <= UInt64(bytes.count - start), files[header.name] == nil else {
        return nil
      }
      let end = start + Int(header.size)
      position = start + Int(header.paddedSize)
      guard position <= bytes.count, bytes[end..<position].allSatisfy({ $0 == 0 }) else { return nil }
      files[header.name] = Array(bytes[start..<end])
    }
    return nil
  }
}
