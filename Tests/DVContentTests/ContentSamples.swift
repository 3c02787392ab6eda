import DVZlib

/// Files of other programs' formats, made by hand.
enum Sample {
  static func hex(_ text: String) -> [UInt8] {
    let digits = Array(text.utf8).map { UInt8($0 < 0x3a ? $0 - 0x30 : $0 - 0x57) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  static func little(_ value: some FixedWidthInteger, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// A zip archive of stored entries.
  static func zip(_ entries: [(String, [UInt8])], time: UInt16 = 0) -> [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    for (name, content) in entries {
      let checksum = little(CRC32.checksum(content.span), 4)
      let common = little(time, 2) + little(UInt16(0x21), 2) + checksum + little(content.count, 4) + little(content.count, 4)
      let offset = bytes.count
      bytes += [0x50, 0x4b, 3, 4, 20, 0, 0, 0, 0, 0] + common + little(name.utf8.count, 2) + [0, 0] + name.utf8 + content
      directory += [0x50, 0x4b, 1, 2, 20, 0, 20, 0, 0, 0, 0, 0] + common + little(name.utf8.count, 2)
      directory += [UInt8](repeating: 0, count: 12) + little(offset, 4) + name.utf8
    }
    let start = bytes.count
    bytes += directory + [0x50, 0x4b, 5, 6, 0, 0, 0, 0] + little(entries.count, 2) + little(entries.count, 2)
    return bytes + little(directory.count, 4) + little(start, 4) + [0, 0]
  }

  static func floats(_ values: [Float]) -> [UInt8] { values.flatMap { little($0.bitPattern, 4) } }

  static func npy(_ values: [Float], padding: Int = 0) -> [UInt8] {
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(values.count),), }" + String(repeating: " ", count: padding) + "\n"
    return [0x93] + "NUMPY".utf8 + [1, 0] + little(text.utf8.count, 2) + text.utf8 + floats(values)
  }

  static func safetensors(_ header: String, _ data: [UInt8]) -> [UInt8] { little(header.utf8.count, 8) + header.utf8 + data }

  // Python's pickle of one dictionary by protocol 4, the same by pickletools.optimize, and with another number in it.
  static let pickle = hex(
    "80049565000000000000007d94288c046e616d65948c056d6f64656c948c046c697374945d94284b014b024b034afbffffff8a06000000000001473fe0"
      + "000000000000884e658c0162944303616263948c0174944b01680286948c0173948f94288c0179948c017a948c01789490752e")
  static let optimized = hex(
    "80049558000000000000007d288c046e616d658c056d6f64656c948c046c6973745d284b014b024b034afbffffff8a06000000000001473fe000000000"
      + "0000884e658c016243036162638c01744b016800868c01738f288c01798c017a8c017890752e")
  static let otherNumber = hex(
    "80049565000000000000007d94288c046e616d65948c056d6f64656c948c046c697374945d94284b014b024b034afbffffff8a06000000000001473fd0"
      + "000000000000884e658c0162944303616263948c0174944b01680286948c0173948f94288c0179948c017a948c01789490752e")
  // One set under two seeds of Python's hash.
  static let set = hex("80049529000000000000007d94288c0173948f94288c0179948c0178948c017a948c026262948c02616194908c016b944b01752e")
  static let otherOrder = hex("80049529000000000000007d94288c0173948f94288c026161948c017a948c0178948c026262948c017994908c016b944b01752e")
}
