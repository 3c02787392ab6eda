public import DVObject

/// A file of parameters or metrics: YAML, JSON, TOML, CSV, TSV or assignments in Python, by the end of its name.
public enum ValueFile {
  /// The most bytes that are read of one.
  public static let maximumByteCount = YAMLReader.maximumByteCount

  /// Reads the values of a file. An empty YAML file is an empty mapping.
  ///
  /// - Throws: ``PipelineError`` with file and line.
  public static func read(_ bytes: [UInt8], named file: String) throws(PipelineError) -> JSONValue {
    switch file.split(separator: "/").last?.split(separator: ".").last {
    case "json": return try json(bytes, file)
    case "toml": return .object(try TOMLReader.read(bytes, named: file))
    case "py": return .object(try PythonReader.read(bytes, named: file))
    case "csv": return try DelimitedReader.read(bytes, separator: UInt8(ascii: ","), named: file)
    case "tsv": return try DelimitedReader.read(bytes, separator: UInt8(ascii: "\t"), named: file)
    default: return try YAMLReader.read(bytes, named: file)?.value ?? .object(JSONObject())
    }
  }

  static func json(
    _ bytes: [UInt8], _ file: String, limit: Int = maximumByteCount
  ) throws(PipelineError) -> JSONValue {
    guard bytes.count <= limit else {
      throw PipelineError(.limit, "'\(file)' has \(bytes.count) bytes; at most \(limit) are read.")
    }
    do throws(ObjectFormatError) {
      return try JSONValue(parsing: PythonJSON.withoutBareNumbers(bytes), named: "'\(file)'")
    } catch {
      throw PipelineError(.syntax, error.message)
    }
  }
}

/// What Python's `json` writes that is no JSON: `NaN`, `Infinity` and `-Infinity`, bare.
enum PythonJSON {
  /// Returns the text with those words in quotes, as dv's records have them.
  static func withoutBareNumbers(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.contains(UInt8(ascii: "N")) || bytes.contains(UInt8(ascii: "I")) else { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var (position, isInText) = (0, false)
    while position < bytes.count {
      let byte = bytes[position]
      if isInText {
        if byte == UInt8(ascii: "\\"), position + 1 < bytes.count {
          result += [byte, bytes[position + 1]]
          position += 2
          continue
        }
        isInText = byte != UInt8(ascii: "\"")
      } else if let word = ["NaN", "-Infinity", "Infinity"].first(where: { bytes[position...].starts(with: $0.utf8) }) {
        result += "\"\(word)\"".utf8
        position += word.utf8.count
        continue
      } else {
        isInText = byte == UInt8(ascii: "\"")
      }
      result.append(byte)
      position += 1
    }
    return result
  }
}
