import DVFile
import DVGit
import DVObject
import SystemPackage

/// The registry's tags that this clone has had: `<git directory>/dv/tags-seen`, one `OBJECT NAME` in each line, ascending.
///
/// What a remote saw and this clone never had may not be fetched yet; what it had is gone. That the file is lost costs this
/// difference: then a tag that is not here counts as one that was never fetched, unless git still has its object.
struct SeenTags {
  /// One tag, as this clone had it.
  struct Tag: Hashable {
    let name: String
    /// The tag object, as hex digits.
    let object: String
  }

  private static let byteLimit = 64 << 20

  private let file: FilePath
  private var tags: Set<Tag> = []

  init(of repository: Repository) {
    file = repository.dataDirectory.appending("tags-seen")
    guard let bytes = try? file.readAll(limit: Self.byteLimit) else { return }
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let words = line.split(separator: UInt8(ascii: " "), maxSplits: 1)
      guard words.count == 2 else { continue }
      tags.insert(Tag(name: String(decoding: words[1], as: UTF8.self), object: String(decoding: words[0], as: UTF8.self)))
    }
  }

  /// Whether the clone had a tag of this name, as one of these objects if any are given.
  func contains(_ name: String, as objects: [String]) -> Bool { objects.contains { tags.contains(Tag(name: name, object: $0)) } }

  /// The objects that a tag of this name was here.
  func objects(of name: String) -> [String] { tags.filter { $0.name == name }.map(\.object).sorted() }

  /// Keeps what is here now; that it cannot be written is no failure, as on a disk that can only be read.
  mutating func add(_ new: some Sequence<Tag>) {
    let before = tags.count
    tags.formUnion(new)
    guard tags.count > before else { return }
    let lines = tags.map { "\($0.object) \($0.name)\n" }
    let bytes = Array(lines.sorted().joined().utf8)
    try? file.replaceContent(with: bytes.span, durable: false)
  }
}

extension Repository {
  /// The tags that remotes bear witness to, as they are here: those of the registry, approvals, signatures and removals.
  func witnessedTags() throws -> [SeenTags.Tag] {
    try git.references().compactMap { reference in
      guard reference.name.hasPrefix("refs/tags/") else { return nil }
      let name = String(reference.name.dropFirst("refs/tags/".count))
      return Witness.isWitnessed(tag: name) ? SeenTags.Tag(name: name, object: reference.target.hex) : nil
    }
  }
}
