import DVFile
public import DVObject
public import SystemPackage

/// What lists and look-ups need of a recorded run.
public struct RunSummary: Hashable, Sendable {
  public let id: ObjectID
  public let key: ObjectID?
  public let status: RunRecord.Status
  /// Milliseconds since 1970.
  public let start: Int64
  /// Milliseconds since 1970.
  public let end: Int64
  /// The stage's address; `nil` for a run without one.
  public let stage: String?
  /// The start of the first command, 80 characters at most. It may be empty if there is a stage, which says more.
  public let command: String

  public init(_ id: ObjectID, _ run: RunRecord) {
    self.id = id
    key = run.key
    status = run.status
    start = run.start
    end = run.end
    stage = run.stage
    command = String((run.commands.first ?? "").prefix(80))
  }

  /// Reads it from a record, whatever of the run lies elsewhere: as a rule that is nothing that is wanted here.
  ///
  /// - Returns: `nil` for a record of another kind, and for one whose stage may be in its details: that takes a ``RunRecord``.
  /// - Throws: ``RecordError/Code/malformed``.
  public init?(_ record: Record) throws(RecordError) {
    guard record.type == RunRecord.type else { return nil }
    let json = record.json
    // The command leaves a record before the stage does.
    guard json["details"] == nil || json["cmd"] != nil || json["stage"] != nil else { return nil }
    let key = json["key"]?.string.flatMap { try? ObjectID(hex: $0) }
    guard json["version"]?.integer == RunRecord.version, let status = RunRecord.Status(rawValue: json["status"]?.string ?? ""),
      let start = json["start"]?.integer, let end = json["end"]?.integer, (key == nil) == (json["key"] == nil)
    else {
      // That says what is wrong with it.
      self.init(record.id, try RunRecord(record))
      return
    }
    self.init(
      id: record.id, key: key, status: status, start: start, end: end, stage: json["stage"]?.string,
      command: String((json["cmd"]?.array?.lazy.compactMap(\.string).first ?? "").prefix(80)))
  }

  fileprivate init(
    id: ObjectID, key: ObjectID?, status: RunRecord.Status, start: Int64, end: Int64, stage: String?, command: String
  ) {
    self.id = id
    self.key = key
    self.status = status
    self.start = start
    self.end = end
    self.stage = stage
    self.command = command
  }
}

/// The summaries of records, as one file beside them: so that ten thousand are not read to find one.
///
/// A record never changes, so what was once read of it stays so. The file may be lost or damaged: then it is made again.
///
///     offset  size  meaning
///          0    10  "dv-runs 1" and a line feed
///                   for each record, in any order:
///          0    32  its ID
///         32    32  the key, or zeros
///         64     8  start, in milliseconds since 1970   } integers are
///         72     8  end                                 } big-endian
///         80     1  status: its place in the list of record.md; 255 for a record of another kind
///         81     1  bit 0: it has a key; bit 1: it has a stage
///         82     2  bytes of the stage's address
///         84     2  bytes of the command
///         86        the stage's address, the command
///                   at the end:
///          0    32  SHA-256 of all before
public struct RunSummaries: Sendable {
  private static let magic = Array("dv-runs 1\n".utf8)
  private static let statuses: [RunRecord.Status] = [.complete, .failed, .interrupted, .killed, .abandoned, .asserted]
  /// The most bytes of the file: of more than half a million records.
  private static let maximumByteCount = 256 << 20

  /// By ID; `nil` for records that are no runs.
  public private(set) var byID: [ObjectID: RunSummary?] = [:]

  /// Makes an empty list.
  public init() {}

  /// Reads the file; an empty list if there is none that can be read.
  public init(reading file: FilePath) {
    guard let bytes = try? file.readAll(limit: Self.maximumByteCount), let found = Self.decode(bytes) else { return }
    byID = found
  }

  public mutating func add(_ id: ObjectID, _ run: RunSummary?) { byID[id] = .some(run) }

  /// Forgets all but these.
  public mutating func keep(_ ids: Set<ObjectID>) { byID = byID.filter { ids.contains($0.key) } }

  /// Writes the file. That it cannot be written costs time, and nothing else.
  public func write(to file: FilePath) { try? file.replaceContent(with: encoded().span, durable: false) }

  private func encoded() -> [UInt8] {
    var bytes = Self.magic
    for (id, run) in byID {
      id.append(to: &bytes)
      if let key = run?.key { key.append(to: &bytes) } else { bytes += [UInt8](repeating: 0, count: 32) }
      Self.append(UInt64(bitPattern: run?.start ?? 0), 8, &bytes)
      Self.append(UInt64(bitPattern: run?.end ?? 0), 8, &bytes)
      bytes.append(run.flatMap { Self.statuses.firstIndex(of: $0.status) }.map { UInt8($0) } ?? 255)
      bytes.append((run?.key == nil ? 0 : 1) | (run?.stage == nil ? 0 : 2))
      let (stage, command) = (Array((run?.stage ?? "").utf8.prefix(60_000)), Array((run?.command ?? "").utf8))
      Self.append(UInt64(stage.count), 2, &bytes)
      Self.append(UInt64(command.count), 2, &bytes)
      bytes += stage
      bytes += command
    }
    ObjectID(hashing: bytes.span).append(to: &bytes)
    return bytes
  }

  private static func append(_ value: UInt64, _ count: Int, _ bytes: inout [UInt8]) {
    for position in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(position)))) }
  }

  private static func decode(_ bytes: [UInt8]) -> [ObjectID: RunSummary?]? {
    guard bytes.count >= magic.count + 32, bytes.starts(with: magic) else { return nil }
    let end = bytes.count - 32
    let span = bytes.span
    guard (try? ObjectID(bytes: span.extracting(end..<bytes.count))) == ObjectID(hashing: span.extracting(0..<end)) else { return nil }
    var found: [ObjectID: RunSummary?] = [:]
    var position = magic.count
    func integer(_ start: Int, _ count: Int) -> UInt64 {
      var value: UInt64 = 0
      for index in start..<start + count { value = value << 8 | UInt64(bytes[index]) }
      return value
    }
    while position < end {
      guard position + 86 <= end, let id = try? ObjectID(bytes: span.extracting(position..<position + 32)) else { return nil }
      let flags = bytes[position + 81]
      let (stageCount, commandCount) = (Int(integer(position + 82, 2)), Int(integer(position + 84, 2)))
      let text = position + 86
      guard text + stageCount + commandCount <= end else { return nil }
      if bytes[position + 80] == 255 {
        found[id] = .some(nil)
      } else {
        guard Int(bytes[position + 80]) < statuses.count else { return nil }
        found[id] = RunSummary(
          id: id, key: flags & 1 == 0 ? nil : try? ObjectID(bytes: span.extracting(position + 32..<position + 64)),
          status: statuses[Int(bytes[position + 80])], start: Int64(bitPattern: integer(position + 64, 8)),
          end: Int64(bitPattern: integer(position + 72, 8)),
          stage: flags & 2 == 0 ? nil : String(decoding: bytes[text..<text + stageCount], as: UTF8.self),
          command: String(decoding: bytes[text + stageCount..<text + stageCount + commandCount], as: UTF8.self))
      }
      position = text + stageCount + commandCount
    }
    return found
  }
}
