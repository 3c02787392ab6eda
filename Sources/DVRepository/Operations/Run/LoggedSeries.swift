import DVFile
import DVObject
import SystemPackage

/// What a command logged of itself while it ran: lines of JSON appended to the file that `DV_RUN_LOG` names.
///
/// `docs/format/run-log.md` describes them. Read in one pass: memory is bounded by the number of names, not of lines.
struct LoggedSeries {
  /// The variable that names the file.
  static let variable = "DV_RUN_LOG"
  /// A line may have so many bytes, a value in the record so many, and so many names are taken.
  static let lineLimit = 64 << 10
  static let valueLimit = 4 << 10
  static let nameLimit = 4096

  private var parameters: [String: JSONValue] = [:]
  private var metrics: [String: JSONValue] = [:]
  private var ignored = 0

  /// Reads a file; one that is not there says nothing.
  init(reading file: FilePath) throws {
    guard try file.fileStat()?.kind == .regular else { return }
    let reader = try FileReader(file)
    let buffer = AlignedBuffer(capacity: 1 << 20)
    var line: [UInt8] = []
    var isTooLong = false
    while true {
      try reader.read(into: buffer)
      if buffer.count == 0 { break }
      buffer.withSpan { bytes in
        for index in 0..<bytes.count {
          let byte = bytes[index]
          if byte == 0x0a {
            take(line, isTooLong)
            line.removeAll(keepingCapacity: true)
            isTooLong = false
          } else if line.count < Self.lineLimit {
            line.append(byte)
          } else {
            isTooLong = true
          }
        }
      }
    }
    // What was being written when the program was killed.
    if !line.isEmpty { ignored += 1 }
  }

  private mutating func take(_ line: [UInt8], _ isTooLong: Bool) {
    guard !line.isEmpty else { return }
    guard !isTooLong, let json = try? JSONValue(parsing: line, named: "a logged line").object, let name = json["name"]?.string,
      let value = json["value"], name.utf8.count <= 256, value.canonical().count <= Self.valueLimit
    else { return ignored += 1 }
    switch json["type"]?.string {
    case "param" where parameters[name] != nil || parameters.count < Self.nameLimit: parameters[name] = value
    case "metric" where metrics[name] != nil || metrics.count < Self.nameLimit: metrics[name] = value
    default: ignored += 1
    }
  }

  /// The member `logged` of the run's record; `nil` if nothing was logged.
  var json: JSONObject? {
    var json = JSONObject()
    for (key, values) in [("metrics", metrics), ("params", parameters)] where !values.isEmpty {
      var object = JSONObject()
      for (name, value) in values.sorted(by: { $0.key < $1.key }) { object[name] = value }
      json[key] = .object(object)
    }
    return json.members.isEmpty ? nil : json
  }

  /// What to tell the person; `nil` if all lines were understood.
  var warning: String? {
    guard ignored > 0 else { return nil }
    return "\(ignored) of what the command logged to \(Self.variable) is not in the record's values: it is no line that dv understands, "
      + "or too large. All of it is kept as the run's series."
  }
}
