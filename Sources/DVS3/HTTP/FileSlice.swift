import Crypto
import DVFile
import DVObject
import Synchronization
import SystemPackage

/// A run of a file's bytes that is sent as the body of a request, read piece by piece, so that its size costs no memory.
///
/// With a digest it is hashed on the way, and the last piece is held back unless the digest is right: a server stores nothing
/// of a body that ends early.
final class FileSlice: Sendable {
  let file: FilePath
  let offset: UInt64
  let count: Int
  let digest: ObjectID?
  /// Whether the MD5 of what is sent is noted.
  let notesMD5: Bool
  /// What was wrong with the file, if sending it failed for that.
  private let failure = Mutex<String?>(nil)
  private let sentMD5 = Mutex<String?>(nil)

  /// How many bytes of a file are in memory at once for one request, about twice this: one piece is read while one is sent.
  static let pieceSize = 512 << 10

  init(_ file: FilePath, offset: UInt64 = 0, count: Int, digest: ObjectID? = nil, notesMD5: Bool = false) {
    self.file = file
    self.offset = offset
    self.count = count
    self.digest = digest
    self.notesMD5 = notesMD5
  }

  /// The MD5 of what was sent last, in hex, if it is noted.
  var md5: String? { sentMD5.withLock { $0 } }

  /// What was wrong with the file, if that is why a request failed.
  var problem: String? { failure.withLock { $0 } }

  /// Passes all bytes to `write` in order.
  ///
  /// - Throws: what `write` throws; ``FileSlice/Unsound`` if the file is not what was announced.
  func send(_ write: (consuming [UInt8]) async throws -> Void) async throws {
    do {
      let reader = try await BlockingThreads.run { [file] () throws(FileError) in SliceReader(try FileReader(file)) }
      var digest = self.digest == nil ? nil : Digest()
      var md5 = notesMD5 ? Insecure.MD5() : nil
      sentMD5.withLock { $0 = nil }
      var position = 0
      if count == 0, let expected = self.digest, expected != ObjectID(hashing: [UInt8]().span) {
        throw Unsound(reason: "it has other bytes than were announced")
      }
      while position < count {
        let (start, length) = (offset + UInt64(position), min(Self.pieceSize, count - position))
        let piece = try await BlockingThreads.run { () throws(FileError) in
          try reader.reader.read(at: start, count: length)
        }
        guard piece.count == length else { throw Unsound(reason: "it is shorter than announced") }
        digest?.update(piece.span)
        md5?.update(data: piece)
        position += length
        if position == count, var digest, digest.finish() != self.digest {
          throw Unsound(reason: "it has other bytes than were announced")
        }
        // Before the last bytes go: the answer may be there before this goes on.
        if position == count, let md5 { sentMD5.withLock { $0 = md5.finalize().hex } }
        try await write(piece)
      }
    } catch let error as FileError {
      failure.withLock { $0 = error.reason }
      throw error
    } catch let error as Unsound {
      failure.withLock { $0 = error.reason }
      throw error
    }
  }

  /// The file is not what was announced.
  struct Unsound: Error {
    let reason: String
  }

  /// Holds the open file, which cannot be copied, for the closures that read it.
  private final class SliceReader: Sendable {
    let reader: FileReader

    init(_ reader: consuming FileReader) {
      reader.expectSequentialReading()
      self.reader = reader
    }
  }
}

extension Insecure.MD5Digest {
  /// The digest in hexadecimal, as servers write it into ETags.
  var hex: String {
    var text: [UInt8] = []
    for byte in self { for half in [byte >> 4, byte & 15] { text.append(half < 10 ? 48 + half : 87 + half) } }
    return String(decoding: text, as: UTF8.self)
  }
}
