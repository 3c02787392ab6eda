/// The block of 512 bytes before each file of a tar archive, as POSIX ustar has it: what every system opens.
///
/// Plain files only: no links, directories, owners or times. Name at 0, size in octal at 124, sum of the block's bytes at 148,
/// `0` at 156, `ustar` at 257; the file's bytes follow, filled up to 512 with zeros. Two blocks of zeros end an archive.
public struct TarHeader: Hashable, Sendable {
  public static let blockSize = 512
  /// The most bytes of a name and of a file that a block can hold.
  public static let maximumNameLength = 99
  public static let maximumSize: UInt64 = 1 << 33 - 1

  public let name: String
  /// Of the file, in bytes.
  public let size: UInt64

  /// - Precondition: name and size are no more than a block can hold.
  public init(name: String, size: UInt64) {
    precondition(name.utf8.count <= Self.maximumNameLength && size <= Self.maximumSize)
    self.name = name
    self.size = size
  }

  /// How many bytes the file takes, with what fills it up.
  public var paddedSize: UInt64 { (size + 511) / 512 * 512 }

  /// The block.
  public var bytes: [UInt8] {
    var header = [UInt8](repeating: 0, count: Self.blockSize)
    func put(_ text: String, at offset: Int) {
      for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
    }
    func octal(_ number: UInt64, _ digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    put(name, at: 0)
    put("0000644", at: 100)
    put("0000000", at: 108)
    put("0000000", at: 116)
    put(octal(size, 11), at: 124)
    put("00000000000", at: 136)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    put(octal(header.reduce(0) { $0 + UInt64($1) }, 6) + "\0 ", at: 148)
    return header
  }

  /// Reads a block and takes no other form than ``bytes`` has.
  ///
  /// - Returns: `nil` if it is another.
  public init?(decoding block: ArraySlice<UInt8>) {
    guard block.count == Self.blockSize else { return nil }
    let start = block.startIndex
    func text(_ offset: Int, _ count: Int) -> String? {
      String(validating: block[(start + offset)..<(start + offset + count)].prefix { $0 != 0 }, as: UTF8.self)
    }
    guard let name = text(0, 100), !name.isEmpty, name.utf8.count <= Self.maximumNameLength, let digits = text(124, 12),
      let size = UInt64(digits, radix: 8), size <= Self.maximumSize
    else { return nil }
    self.init(name: name, size: size)
    guard bytes.elementsEqual(block) else { return nil }
  }
}
