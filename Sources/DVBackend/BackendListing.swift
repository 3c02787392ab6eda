import DVFile
import DVObject

/// A listing of a store as a value of its own, for readers whose server cannot list: any web server that serves a remote's files.
///
/// It lies under the keys of its ``Part``s, is written after everything else that a push writes, and is only a hint: a listing that is older than the store
/// hides what came later and loses nothing.
///
///     dv-listing 1
///     covers format/ gc/condemned/ index/ retired/ roots/ witness/
///     90 format/1
///     8192 index/0-3fa9…
///     sha256:<digest of all bytes before this line>
///
/// Each key is preceded by its size in bytes; keys ascend. Every line ends with a line feed.
public struct BackendListing: Sendable {
  /// A listing has two parts, because the names of all packs are many and few readers ask for them.
  public enum Part: Sendable, CaseIterable {
    /// What every reader lists.
    case structure
    /// What only a check of the whole store lists.
    case packs

    /// Where the part is kept.
    public var key: BackendKey {
      switch self {
      case .structure: BackendKey(unchecked: "listing/v1")
      case .packs: BackendKey(unchecked: "listing/packs-v1")
      }
    }

    /// What it covers.
    var prefixes: [String] {
      switch self {
      case .structure: ["format/", "gc/condemned/", "index/", "retired/", "roots/", "witness/"]
      case .packs: ["packs/", "pending/"]
      }
    }

    /// Returns the part that covers all keys that begin with `prefix`, or `nil` if none does.
    public init?(covering prefix: String) {
      guard let part = Self.allCases.first(where: { $0.prefixes.contains { prefix.hasPrefix($0) } }) else { return nil }
      self = part
    }
  }

  private let covered: [String]
  private let entries: [BackendEntry]

  /// Lists one part of a backend, all its prefixes at once.
  init(_ part: Part, of backend: some Backend) async throws(BackendError) {
    covered = part.prefixes
    do {
      entries = try await part.prefixes.mapConcurrently(width: part.prefixes.count) { try await backend.list($0) }.flatMap(\.self)
    } catch let error as BackendError {
      throw error
    } catch {
      throw BackendError(.unreachable, message: "Cannot list \(backend): \(error)", cause: error)
    }
  }

  /// Lists a backend and stores the listing in it.
  ///
  /// Costs a listing of each prefix and two PUTs, in the time of three requests.
  public static func publish(on backend: some Backend) async throws(BackendError) {
    let structure = try await BackendListing(.structure, of: backend)
    // After it: a pack is there before its index is, and what is pending goes after its root came.
    async let packs = BackendListing(.packs, of: backend)
    try await backend.put(structure.encoded(), at: Part.structure.key)
    do {
      try await backend.put(try await packs.encoded(), at: Part.packs.key)
    } catch let error as BackendError {
      throw error
    } catch {
      throw BackendError(.unreachable, message: "Cannot list \(backend): \(error)", cause: error)
    }
  }

  /// Returns the entries whose keys begin with `prefix`, or `nil` if the listing does not cover them all.
  public func entries(_ prefix: String) -> [BackendEntry]? {
    guard covered.contains(where: { prefix.hasPrefix($0) }) else { return nil }
    return entries.filter { $0.key.text.hasPrefix(prefix) }
  }

  /// Whether this is what `part` says of a backend now: the same keys, of the same sizes.
  ///
  /// Costs a listing of each prefix.
  public func isCurrent(_ part: Part, on backend: some Backend) async throws(BackendError) -> Bool {
    let now = try await BackendListing(part, of: backend)
    return entries.elementsEqual(now.entries) { $0.key == $1.key && $0.size == $1.size }
  }

  /// Whether it covers what `part` must.
  public func covers(_ part: Part) -> Bool { covered == part.prefixes }

  func encoded() -> [UInt8] {
    var text = "dv-listing 1\ncovers \(covered.joined(separator: " "))\n"
    for entry in entries { text += "\(entry.size) \(entry.key)\n" }
    let bytes = Array(text.utf8)
    return bytes + Array("sha256:\(ObjectID(hashing: bytes.span).hex)\n".utf8)
  }

  /// Reads a listing.
  ///
  /// - Returns: `nil` if it is damaged or of another version.
  /// - Complexity: O(*n*) in its bytes.
  public init?(decoding bytes: [UInt8]) {
    // The last line: "sha256:", 64 digits, a line feed.
    let end = bytes.count - 72
    guard end > 0, bytes[end...].elementsEqual("sha256:\(ObjectID(hashing: bytes.span.extracting(first: end)).hex)\n".utf8)
    else { return nil }
    let lines = bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.count >= 3, lines[0].elementsEqual("dv-listing 1".utf8), lines[1].starts(with: "covers ".utf8),
      lines[lines.count - 1].isEmpty
    else { return nil }
    covered = String(decoding: lines[1].dropFirst(7), as: UTF8.self).split(separator: " ").map(String.init)
    var entries: [BackendEntry] = []
    entries.reserveCapacity(lines.count)
    for line in lines[2..<(lines.count - 1)] {
      let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2, let size = UInt64(String(decoding: parts[0], as: UTF8.self)),
        let key = try? BackendKey(String(decoding: parts[1], as: UTF8.self)), entries.last.map({ $0.key < key }) ?? true
      else { return nil }
      entries.append(BackendEntry(key: key, size: size, modified: nil))
    }
    self.entries = entries
  }
}
