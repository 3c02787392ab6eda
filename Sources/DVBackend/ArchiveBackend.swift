import DVFile
public import DVObject
public import SystemPackage

/// The bytes under keys that one tar archive holds, for reading only: nothing is unpacked.
///
/// The archive may come from anybody. Only plain files in the form of ``TarHeader`` are taken, whose names are keys, each once, and
/// which end where the file ends. What keys mean, and whether bytes are what their names say, is for the reader to find out.
public struct ArchiveBackend: Backend {
  /// The most files of an archive: what is held of each takes some 150 bytes.
  public static let maximumCount = 1 << 20

  /// A file of the archive.
  private struct Member {
    let offset: UInt64
    let size: UInt64
  }

  /// Holds the open file, which cannot be copied.
  private final class Source: Sendable {
    let reader: FileReader
    init(_ reader: consuming FileReader) { self.reader = reader }
  }

  public let description: String
  private let source: Source
  private let members: [BackendKey: Member]
  private let sorted: [BackendKey]
  /// The first file's name: a format says with it what the archive is.
  public let firstName: BackendKey?
  /// Bytes of the whole archive.
  public let archiveSize: UInt64

  /// Opens an archive and reads the names and sizes of its files.
  ///
  /// - Throws: ``BackendError`` with code `corrupt` if it is none, was cut short, or holds anything that is not as above.
  public init(_ path: FilePath) async throws(BackendError) {
    let description = "'\(path.printable)'"
    let opened: (Source, [(BackendKey, Member)], UInt64)
    do throws(FileError) {
      opened = try await BlockingThreads.run { () throws(FileError) in
        let source = Source(try FileReader(path, followingLink: true))
        let size = try source.reader.stat().size
        guard let members = try Self.read(source.reader, size: size) else {
          throw FileError(code: .corrupt, path: path, message: "\(description) is no archive that dv made, or was cut short or altered.")
        }
        return (source, members, size)
      }
    } catch {
      throw BackendError(BackendError.Code(error), message: error.message, cause: error)
    }
    self.description = description
    (source, archiveSize) = (opened.0, opened.2)
    firstName = opened.1.first?.0
    members = Dictionary(opened.1) { first, _ in first }
    guard members.count == opened.1.count else {
      throw BackendError(.corrupt, message: "\(description) holds two files of one name: it was not made by dv.")
    }
    sorted = members.keys.sorted()
  }

  /// Reads all blocks; `nil` if one is not as it must be.
  private static func read(_ reader: borrowing FileReader, size: UInt64) throws(FileError) -> [(BackendKey, Member)]? {
    let block = UInt64(TarHeader.blockSize)
    var members: [(BackendKey, Member)] = []
    var position: UInt64 = 0
    while position + block <= size {
      let bytes = try reader.read(at: position, count: TarHeader.blockSize)
      if bytes.allSatisfy({ $0 == 0 }) {
        // The end is two such blocks, and nothing after them.
        guard position + 2 * block == size else { return nil }
        return try reader.read(at: position, count: 2 * TarHeader.blockSize).allSatisfy { $0 == 0 } ? members : nil
      }
      guard let header = TarHeader(decoding: bytes[...]), let key = try? BackendKey(header.name), members.count < maximumCount,
        header.paddedSize <= size - position - block
      else { return nil }
      let fill = try reader.read(at: position + block + header.size, count: Int(header.paddedSize - header.size))
      guard fill.count == Int(header.paddedSize - header.size), fill.allSatisfy({ $0 == 0 }) else { return nil }
      members.append((key, Member(offset: position + block, size: header.size)))
      position += block + header.paddedSize
    }
    return nil
  }

  /// All keys, in order.
  public var keys: [BackendKey] { sorted }

  /// Returns the SHA-256 of what is under `key`; `nil` if nothing is.
  public func digest(of key: BackendKey) async throws(BackendError) -> ObjectID? {
    guard let member = members[key] else { return nil }
    return try await run(key) { reader throws(FileError) in
      var digest = Digest()
      guard try Self.copy(member, of: reader, { piece throws(FileError) in digest.update(piece) }) else { return nil }
      return digest.finish()
    }
  }

  public func get(_ key: BackendKey) async throws(BackendError) -> [UInt8]? {
    guard let member = members[key] else { return nil }
    return try await get(key, range: 0..<member.size)
  }

  public func get(_ key: BackendKey, range: Range<UInt64>) async throws(BackendError) -> [UInt8]? {
    guard let member = members[key] else { return nil }
    let count = range.upperBound - range.lowerBound
    guard count <= BackendError.wholeReadLimit else { throw .tooLarge(key, count, in: description) }
    guard range.upperBound <= member.size else { throw .tooShort(key, range, size: member.size, in: description) }
    let bytes = try await run(key) { reader throws(FileError) in
      try reader.read(at: member.offset + range.lowerBound, count: Int(count), once: count >= 1 << 20)
    }
    guard bytes.count == Int(count) else { throw .tooShort(key, range, size: range.lowerBound + UInt64(bytes.count), in: description) }
    return bytes
  }

  public func fetch(_ key: BackendKey, into file: FilePath) async throws(BackendError) -> ObjectID? {
    guard let member = members[key] else { return nil }
    return try await run(key) { reader throws(FileError) in
      let writer = try FileWriter(creating: file)
      do throws(FileError) {
        var digest = Digest()
        let isWhole = try Self.copy(member, of: reader) { piece throws(FileError) in
          digest.update(piece)
          try writer.write(piece)
        }
        guard isWhole else { throw FileError(code: .changed, path: reader.path, message: "'\(reader.path.printable)' became shorter while it was read.") }
        try writer.synchronize()
        try writer.close()
        return digest.finish()
      } catch {
        try? file.removeFile()
        throw error
      }
    }
  }

  /// Passes on the bytes of a file of the archive.
  ///
  /// - Returns: whether all of them were there.
  private static func copy(
    _ member: Member, of reader: borrowing FileReader, _ sink: (Span<UInt8>) throws(FileError) -> Void
  ) throws(FileError) -> Bool {
    var done: UInt64 = 0
    while done < member.size {
      let count = Int(min(member.size - done, 4 << 20))
      let bytes = try reader.read(at: member.offset + done, count: count, once: true)
      guard bytes.count == count else { return false }
      try sink(bytes.span)
      done += UInt64(count)
    }
    return true
  }

  public func size(of key: BackendKey) async throws(BackendError) -> UInt64? { members[key]?.size }

  public func list(_ prefix: String) async throws(BackendError) -> [BackendEntry] {
    sorted.filter { $0.text.hasPrefix(prefix) }.map { BackendEntry(key: $0, size: members[$0]?.size ?? 0, modified: nil) }
  }

  public var answersAtOnce: Bool { true }

  public func put(_ bytes: [UInt8], at key: BackendKey) async throws(BackendError) { throw refusal("store", key) }

  public func put(
    file: FilePath, size: UInt64, digest: ObjectID, at key: BackendKey, consuming: Bool
  ) async throws(BackendError) { throw refusal("store", key) }

  public func delete(_ key: BackendKey) async throws(BackendError) { throw refusal("delete", key) }

  public func clock() async throws(BackendError) -> Int64 { FileTime.now.seconds }

  private func refusal(_ verb: String, _ key: BackendKey) -> BackendError {
    BackendError(.denied, key: key, message: "Cannot \(verb) '\(key)' in \(description): an archive is only read.")
  }

  private func run<R: Sendable>(
    _ key: BackendKey, _ body: @escaping @Sendable (borrowing FileReader) throws(FileError) -> R
  ) async throws(BackendError) -> R {
    let source = source
    do throws(FileError) {
      return try await BlockingThreads.run { () throws(FileError) in try body(source.reader) }
    } catch {
      throw BackendError(BackendError.Code(error), key: key, message: "Cannot read '\(key)' in \(description): \(error.reason)", cause: error)
    }
  }
}
