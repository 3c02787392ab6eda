import DVFile
import DVGit
import DVLineage
public import DVObject
import DVStore
import DVWorkspace
import SystemPackage

/// What records say was erased: those of this clone, of the working tree, and of the tips of all branches, local and fetched.
///
/// Records that were looked at are remembered, so that a look costs what is new.
public struct Erasures: Sendable {
  /// One file.
  public struct Item: Hashable, Sendable {
    public let record: ObjectID
    public let reason: String
    /// Milliseconds since 1970.
    public let time: Int64
    public let user: String?
  }

  public private(set) var items: [ObjectID: Item] = [:]

  /// The contents.
  public var oids: Set<ObjectID> { Set(items.keys) }

  init(of repository: Repository) throws {
    var memory = ErasureMemory(reading: repository.dataDirectory.appending("records").appending("erasures"))
    let own = RecordDirectory(repository.dataDirectory.appending("records"))
    for directory in [own] + (repository.workDirectory.map { [RecordDirectory($0.appending(".dv").appending("records"))] } ?? []) {
      for id in try directory.names() where !memory.seen.contains(id) {
        // One that was altered says nothing; an audit tells.
        if let record = try? directory.read(id) { memory.add(record) }
      }
    }
    let git = repository.git
    var tips = Set(try git.worktrees().compactMap(\.head.commit))
    if let head = try git.head().commit { tips.insert(head) }
    for reference in try git.references() where reference.name.hasPrefix("refs/heads/") || reference.name.hasPrefix("refs/remotes/") {
      if let commit = reference.commit { tips.insert(commit) }
    }
    let place = try GitPath(".dv/records")
    for tip in tips {
      guard let tree = try git.entry(at: place, in: tip), tree.kind == .directory, !memory.trees.contains(tree.id) else { continue }
      for file in try git.files(in: tip, under: place) {
        guard let id = LineageIndex.recordName(file.path), !memory.seen.contains(id),
          let bytes = try? git.readBlob(file.id, limit: Record.maximumByteCount), let record = try? Record(decoding: bytes, named: id)
        else { continue }
        memory.add(record)
      }
      memory.trees.insert(tree.id)
    }
    memory.save()
    for record in memory.erased.sorted(by: { $0.id < $1.id }) {
      guard let erased = try? ErasedRecord(record) else { continue }
      if let known = items[erased.oid], known.time <= erased.time { continue }
      items[erased.oid] = Item(record: record.id, reason: erased.reason, time: erased.time, user: erased.user)
    }
  }

  /// Returns the erasure because of which something is missing, if an error says that of an erased file.
  func explanation(of error: any Error) -> (oid: ObjectID, item: Item)? {
    if items.isEmpty { return nil }
    var next: (any Error)? = error
    for _ in 0..<8 {
      guard let error = next else { return nil }
      if let failure = error as? StoreError {
        if let id = failure.key?.id, let item = items[id] { return (id, item) }
        next = failure.cause
      } else if let failure = error as? WorkspaceError {
        next = failure.cause
      } else if let failure = error as? RepositoryError {
        next = failure.cause
      } else {
        return nil
      }
    }
    return nil
  }
}

/// Why something is not there: a record says that it was erased.
public struct ErasedContent: Error, Sendable {
  public let item: Erasures.Item
}

extension Erasures.Item {
  /// When, by whom and why, to follow `was`.
  public var text: String {
    let by = user.map { " by \($0)" } ?? ""
    return "erased on \(CalendarDay.text(milliseconds: time))\(by): \(reason)"
  }
}

/// A day as people write it in records and tables: `2026-11-28`, in UTC.
enum CalendarDay {
  /// Civil date of a number of days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  static func text(milliseconds: Int64) -> String {
    let days = milliseconds.quotientFlooring(86_400_000) + 719_468
    let era = days.quotientFlooring(146_097)
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(year)-\(two(month))-\(two(day))"
  }
}

extension Int64 {
  fileprivate func quotientFlooring(_ divisor: Int64) -> Int64 {
    let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? quotient - 1 : quotient
  }
}

/// Which records were looked at, and the erasures among them: `<git directory>/dv/records/erasures`, a cache.
///
/// Integers are big-endian. `dv-ersrs`, the numbers of trees, records seen and erasures (4 bytes each); the trees of records that were looked
/// through (20 bytes each), the IDs of the records (32), then each erasure with its length (2 bytes) before it; the SHA-256 of all before.
private struct ErasureMemory {
  private static let magic = Array("dv-ersrs".utf8)
  private static let byteLimit = 256 << 20

  var trees: Set<GitObjectID> = []
  private(set) var seen: Set<ObjectID> = []
  private(set) var erased: [Record] = []
  private let file: FilePath
  /// What was read, to write nothing if nothing is new.
  private var before: (trees: Int, seen: Int) = (0, 0)

  init(reading file: FilePath) {
    self.file = file
    guard let bytes = try? file.readAll(limit: Self.byteLimit), bytes.count >= 52, bytes.starts(with: Self.magic),
      ObjectID(hashing: bytes.span.extracting(first: bytes.count - 32)).bytes.elementsEqual(bytes.suffix(32))
    else { return }
    var position = Self.magic.count
    let end = bytes.count - 32
    func number(_ width: Int) -> Int? {
      guard position + width <= end else { return nil }
      defer { position += width }
      return bytes[position..<(position + width)].reduce(0) { $0 << 8 | Int($1) }
    }
    guard let treeCount = number(4), let seenCount = number(4), let erasedCount = number(4),
      position + 20 * treeCount + 32 * seenCount <= end
    else { return }
    for _ in 0..<treeCount {
      if let id = try? GitObjectID(bytes: bytes.span.extracting(position..<(position + 20))) { trees.insert(id) }
      position += 20
    }
    for _ in 0..<seenCount {
      if let id = try? ObjectID(bytes: bytes.span.extracting(position..<(position + 32))) { seen.insert(id) }
      position += 32
    }
    for _ in 0..<erasedCount {
      guard let length = number(2), position + length <= end,
        let record = try? Record(decoding: Array(bytes[position..<(position + length)]))
      else {
        (trees, seen, erased) = ([], [], [])
        return
      }
      erased.append(record)
      position += length
    }
    before = (trees.count, seen.count)
  }

  mutating func add(_ record: Record) {
    guard seen.insert(record.id).inserted else { return }
    if record.type == ErasedRecord.type { erased.append(record) }
  }

  /// Keeps it; failing to is no failure.
  func save() {
    guard before != (trees.count, seen.count), (try? file.containingDirectory.fileStat()) != .some(nil) else { return }
    var bytes = Self.magic
    func append(_ number: Int, _ width: Int) {
      for index in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
    }
    append(trees.count, 4)
    append(seen.count, 4)
    append(erased.count, 4)
    for tree in trees { bytes += tree.bytes }
    for id in seen { id.append(to: &bytes) }
    for record in erased {
      append(record.bytes.count, 2)
      bytes += record.bytes
    }
    ObjectID(hashing: bytes.span).append(to: &bytes)
    try? file.replaceContent(with: bytes.span, durable: false)
  }
}
