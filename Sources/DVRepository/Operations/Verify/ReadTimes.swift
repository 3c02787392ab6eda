import DVFile
import DVObject
import SystemPackage

/// When packs of a store were last read whole and found right: what `fsck --sample` goes by.
///
/// One file for each store, `verified/local` or `verified/remote-<name>` in ``Repository/dataDirectory``:
///
///     offset  size  meaning
///          0    14  `dv-verified 1` and a line feed
///         14    32  SHA-256 of where the store is: at another place it is another store
///         46    40  each pack: its name (32), seconds since 1970 (8, big-endian); ascending
///                32  SHA-256 of all before
///
/// Losing it costs time: packs are read again.
struct ReadTimes {
  private static let magic = Array("dv-verified 1\n".utf8)
  private static let rowSize = ObjectID.byteCount + 8
  private static let headerSize = magic.count + ObjectID.byteCount

  var times: [ObjectID: UInt64] = [:]

  /// Returns the bytes of the file.
  func encode(place: String) -> [UInt8] {
    var bytes = Self.magic
    ObjectID(hashing: Array(place.utf8).span).append(to: &bytes)
    for (pack, time) in times.sorted(by: { $0.key < $1.key }) {
      pack.append(to: &bytes)
      bytes.append(bigEndian: time)
    }
    ObjectID(hashing: bytes.span).append(to: &bytes)
    return bytes
  }

  init() {}

  /// Reads the file; nothing is known if it is damaged or about another place.
  init(decoding bytes: [UInt8], place: String) {
    self.init()
    let end = bytes.count - ObjectID.byteCount
    guard end >= Self.headerSize, bytes.starts(with: Self.magic), (end - Self.headerSize) % Self.rowSize == 0,
      (try? ObjectID(bytes: bytes.span.extracting(end...))) == ObjectID(hashing: bytes.span.extracting(first: end)),
      (try? ObjectID(bytes: bytes.span.extracting(Self.magic.count..<Self.headerSize)))
        == ObjectID(hashing: Array(place.utf8).span)
    else { return }
    for start in stride(from: Self.headerSize, to: end, by: Self.rowSize) {
      guard let pack = try? ObjectID(bytes: bytes.span.extracting(start..<(start + ObjectID.byteCount))) else { continue }
      times[pack] = bytes.span.bigEndian(UInt64.self, at: start + ObjectID.byteCount)
    }
  }

  /// Reads what is known of a store.
  init(of name: String, at place: String, in repository: Repository) {
    self.init(decoding: (try? Self.file(name, repository).readAll(limit: 1 << 30)) ?? [], place: place)
  }

  /// Keeps what is known. That this fails is no reason for a check to.
  func save(_ name: String, at place: String, in repository: Repository) {
    let file = Self.file(name, repository)
    try? file.containingDirectory.createDirectories()
    try? file.replaceContent(with: encode(place: place).span, durable: false)
  }

  private static func file(_ name: String, _ repository: Repository) -> FilePath {
    repository.dataDirectory.appending("verified").appending(name)
  }
}
