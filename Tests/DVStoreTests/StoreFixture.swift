import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage

/// Opens a store on `backend`, with its temporary files in `scratch`.
func openStore(
  _ backend: any Backend, scratch: FilePath, wholeLimit: UInt64 = LoadedSegment.wholeLimit
) async throws -> ObjectStore {
  try await ObjectStore(
    backend: backend, name: "the test store", scratch: scratch, presence: .mayBeMade, wholeLimit: wholeLimit)
}

/// Opens the store of a directory as a process of its own would.
func openStore(in directory: FilePath, wholeLimit: UInt64 = LoadedSegment.wholeLimit) async throws -> ObjectStore {
  let root = directory.appending("store")
  let backend = try DirectoryBackend(root: root, create: true)
  try root.appending("tmp").createDirectories()
  return try await openStore(backend, scratch: root.appending("tmp"), wholeLimit: wholeLimit)
}

extension ObjectStore {
  /// Stores `contents` in one session and returns their IDs.
  @discardableResult
  func add(_ contents: [[UInt8]]) async throws -> [ObjectID] {
    let writer = ObjectWriter(store: self)
    let ingest = ContentIngest(writer: writer)
    var memory = CodecMemory()
    var oids: [ObjectID] = []
    for content in contents { oids.append(try await ingest.ingest(content, memory: &memory)) }
    _ = try await writer.finish()
    return oids
  }

  /// Returns the content of a file.
  func content(of oid: ObjectID, size: Int, thorough: Bool = false) async throws -> [UInt8] {
    var content: [UInt8] = []
    try await readFile(oid, size: UInt64(size), thorough: thorough) { content.append(span: $0) }
    return content
  }

  /// Whether every one of `contents` comes back bit for bit.
  func holds(_ contents: [[UInt8]]) async throws -> Bool {
    for content in contents where content != (try await self.content(of: ObjectID(hashing: content.span), size: content.count)) {
      return false
    }
    return true
  }
}

extension Backend {
  /// The keys that begin with `prefix`.
  func keys(_ prefix: String) async throws -> [BackendKey] { try await list(prefix).map(\.key) }
}

/// Bytes of one kind that codecs meet.
enum SampleKind: CaseIterable {
  case random, zeros, text, halves, floats

  func bytes(_ count: Int, using random: inout SeededGenerator) -> [UInt8] {
    switch self {
    case .random: return [UInt8](randomCount: count, using: &random)
    case .zeros: return [UInt8](repeating: 0, count: count)
    case .text: return (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7 % 11 + 48) }
    case .halves: return (0..<count).map { $0 % 2 == 1 ? UInt8.random(in: 59...61, using: &random) : .random(in: 0...255, using: &random) }
    case .floats: return (0..<count).map { $0 % 4 == 3 ? UInt8.random(in: 59...61, using: &random) : .random(in: 0...255, using: &random) }
    }
  }
}

extension [UInt8] {
  /// The bytes as hex digits.
  var hex: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

  /// Reads hex digits; spaces and line ends do not count.
  init(hex: String) {
    let digits = hex.compactMap(\.hexDigitValue)
    self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}

extension FilePath {
  /// How many files and directories lie in this directory.
  func entryCount() throws -> Int { try DirectoryHandle(self).list().indices.count }
}
