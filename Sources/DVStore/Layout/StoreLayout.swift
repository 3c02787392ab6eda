import DVBackend
import DVObject

/// The keys of a store on its backend: the same in the local store, a directory remote and a bucket.
///
///     format/<n>                  see ``StoreFormat``
///     packs/<aa>/<sha256>         packs, by the first byte of their names
///     objects/<aa>/<oid>          whole files as they are
///     index/<level>-<sha256>      index segments
///     files/<aa>/<oid>            locator of a file, see ``Locator``
///     trees/<aa>/<oid>            locator of a tree
///     records/<level>-<sha256>    segments of records, which the store does not look into
///     pending/<ulid>-<sha256>     pushes under way
///     roots/<ulid>-<sha256>       what pushes made complete
///     retired/<ulid>-<sha256>     roots that need not be kept, and pushes that were given up
///     gc/condemned/<ulid>-<sha256>  what gc means to delete
///     quarantine/…                what repairs set aside, under its former key and its digest as it was found
///     quarantine/<key>.<sha256>   what was damaged under that key, see ``Quarantine``
enum StoreLayout {
  static let format = "format/"
  static let packs = "packs/"
  static let index = "index/"
  static let pending = "pending/"
  static let roots = "roots/"
  static let retired = "retired/"
  static let gc = "gc/"
  static let condemned = "gc/condemned/"
  static let objects = "objects/"
  static let quarantine = "quarantine/"
  static let files = "files/"
  static let trees = "trees/"

  static func container(_ container: IndexContainer) -> BackendKey {
    let folder = container.kind == .pack ? "packs/" : "objects/"
    return key(folder + container.id.hex.prefix(2) + "/" + container.id.hex)
  }

  static func pack(_ id: ObjectID) -> BackendKey { container(IndexContainer(kind: .pack, id: id, size: 0)) }

  static func locator(_ kind: TransferRoot.Kind, _ oid: ObjectID) -> BackendKey {
    key((kind == .file ? files : trees) + oid.hex.prefix(2) + "/" + oid.hex)
  }

  static func segment(_ id: ObjectID, level: Int) -> BackendKey { key("\(index)\(level)-\(id.hex)") }

  static func format(_ number: Int) -> BackendKey { key("\(format)\(number)") }

  static func record(_ folder: String, ulid: ULID, id: ObjectID) -> BackendKey { key("\(folder)\(ulid)-\(id.hex)") }

  /// Reads the level and name of a segment from its key.
  static func segment(from key: BackendKey) -> (level: Int, id: ObjectID)? {
    let parts = key.text.dropFirst(index.count).split(separator: "-", omittingEmptySubsequences: false)
    guard key.text.hasPrefix(index), parts.count == 2, let level = Int(parts[0]), (0...62).contains(level),
      let id = try? ObjectID(hex: parts[1]), segment(id, level: level) == key
    else { return nil }
    return (level, id)
  }

  /// Reads the name of a pack from its key.
  static func pack(from key: BackendKey) -> ObjectID? {
    let parts = key.text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "packs", let id = try? ObjectID(hex: parts[2]), id.hex.hasPrefix(parts[1])
    else { return nil }
    return id
  }

  /// Reads the name of a whole file from its key.
  static func wholeFile(from key: BackendKey) -> ObjectID? {
    let parts = key.text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "objects", let id = try? ObjectID(hex: parts[2]), id.hex.hasPrefix(parts[1])
    else { return nil }
    return id
  }

  /// Reads from a locator's key which content it is of.
  static func locator(from key: BackendKey, _ kind: TransferRoot.Kind) -> ObjectID? {
    guard let name = key.text.split(separator: "/").last, let oid = try? ObjectID(hex: name), locator(kind, oid) == key
    else { return nil }
    return oid
  }

  /// Reads time-ordered name and digest from the key of a root, pending or condemned record.
  static func record(from key: BackendKey) -> (ulid: ULID, id: ObjectID)? {
    guard let name = key.text.split(separator: "/").last else { return nil }
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let ulid = ULID(String(parts[0])), let id = try? ObjectID(hex: parts[1]) else { return nil }
    return (ulid, id)
  }

  /// Makes a key from text that this type composed of hex digits and fixed names.
  private static func key(_ text: String) -> BackendKey {
    guard let key = try? BackendKey(text) else { preconditionFailure("'\(text)' is not a key") }
    return key
  }
}
