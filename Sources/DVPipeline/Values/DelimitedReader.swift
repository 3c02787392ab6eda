import DVObject

/// Reads CSV and TSV with a line of names first, as RFC 4180 has them: a list of mappings, one per row.
enum DelimitedReader {
  /// The most fields of a file.
  static let maximumFieldCount = 2_000_000
  static let maximumByteCount = 64 << 20

  static func read(
    _ bytes: [UInt8], separator: UInt8, named file: String
  ) throws(PipelineError) -> JSONValue {
    guard bytes.count <= maximumByteCount else {
      throw PipelineError(.limit, "'\(file)' has \(bytes.count) bytes; at most \(maximumByteCount) are read.")
    }
    var rows = try fields(bytes, separator, file, limit: maximumFieldCount)[...]
    guard let names = rows.popFirst() else { return .array([]) }
    var values: [JSONValue] = []
    values.reserveCapacity(rows.count)
    for row in rows {
      var object = JSONObject()
      for (name, field) in zip(names, row) { object[name] = value(of: field) }
      values.append(.object(object))
    }
    return .array(values)
  }

  /// Reads the same as columns, which takes less memory than rows do.
  static func columns(
    _ bytes: [UInt8], separator: UInt8, hasHeader: Bool, named file: String
  ) throws(PipelineError) -> [(name: String, values: [JSONValue?])] {
    guard bytes.count <= maximumByteCount else {
      throw PipelineError(.limit, "'\(file)' has \(bytes.count) bytes; at most \(maximumByteCount) are read.")
    }
    var rows = try fields(bytes, separator, file, limit: 2 * maximumFieldCount)[...]
    let names: [String]
    if hasHeader {
      guard let first = rows.popFirst() else { return [] }
      names = first
    } else {
      names = (0..<(rows.map(\.count).max() ?? 0)).map(String.init)
    }
    guard names.count * rows.count <= 2 * maximumFieldCount else {
      throw PipelineError(.limit, "'\(file)' has more than \(2 * maximumFieldCount) fields.")
    }
    return names.enumerated().map { index, name in
      (name, rows.map { $0.indices.contains(index) ? value(of: $0[index]) : nil })
    }
  }

  private static func value(of field: String) -> JSONValue {
    if let integer = Int64(field) { return .integer(integer) }
    if field.utf8.first.map({ (0x30...0x39).contains($0) || "+-.".utf8.contains($0) }) == true, let number = Double(field) {
      return .number(number)
    }
    return .string(field)
  }

  private static func fields(
    _ bytes: [UInt8], _ separator: UInt8, _ file: String, limit: Int
  ) throws(PipelineError) -> [[String]] {
    var (rows, row, field): ([[String]], [String], [UInt8]) = ([], [], [])
    var (isQuoted, count, position) = (false, 0, bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0)
    func endField() {
      row.append(String(decoding: field, as: UTF8.self))
      field.removeAll(keepingCapacity: true)
      count += 1
    }
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\"") where isQuoted:
        if position < bytes.count, bytes[position] == byte {
          field.append(byte)
          position += 1
        } else {
          isQuoted = false
        }
      case _ where isQuoted: field.append(byte)
      case UInt8(ascii: "\"") where field.isEmpty: isQuoted = true
      case separator: endField()
      case 0x0d where position < bytes.count && bytes[position] == 0x0a: break
      case 0x0a:
        endField()
        if row != [""] { rows.append(row) }
        row = []
      default: field.append(byte)
      }
      guard count <= limit else {
        throw PipelineError(.limit, "'\(file)' has more than \(limit) fields.")
      }
    }
    if isQuoted { throw PipelineError(.syntax, "'\(file)' ends inside quotes.") }
    if !field.isEmpty || !row.isEmpty {
      endField()
      rows.append(row)
    }
    return rows
  }
}
