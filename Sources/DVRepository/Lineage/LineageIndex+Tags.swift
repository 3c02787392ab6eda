import DVGit
import DVLineage
import DVObject
import DVSQLite

extension LineageIndex {
  /// Reads the registry's tags again as far as they changed: versions, and aliases that are given or taken away.
  func addTags(in repository: Repository) throws {
    var known: [String: [UInt8]] = [:]
    try database.rows("SELECT name, object FROM tags") { known[$0.text(0)] = $0.blob(1) }
    for tag in try repository.git.tags(where: { RegistryTag($0) != nil }) {
      guard let parsed = RegistryTag(tag.name) else { continue }
      var (version, alias): (String?, String?) = (nil, nil)
      switch parsed.action {
      case .register(let release): version = release.description
      case .assign(let name), .unassign(let name): alias = name
      case .deregister, .deprecate, .create: continue
      }
      if known.removeValue(forKey: tag.name) == tag.object.bytes { continue }
      let message = tag.message ?? ""
      let record = Self.record(in: message)
      try database.run(
        "INSERT OR REPLACE INTO tags VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", .text(tag.name), .blob(tag.object.bytes),
        .optional(tag.commit?.bytes), .text(parsed.model.inTag), .optional(version), .optional(alias),
        .optional(parsed.counter.map { Int64(clamping: $0) }), .optional(tag.tagger?.time),
        .optional(tag.tagger.map { "\($0.name) <\($0.email)>" }),
        .integer(message.contains("-----BEGIN ") && message.contains(" SIGNATURE-----") ? 1 : 0), .optional(record?["path"]?.string),
        .optional(record?["oid"]?.string.flatMap(Self.oid)?.bytes), .optional(record?["run"]?.string.flatMap(Self.oid)?.bytes),
        .optional(record?["previous"]?.string.flatMap { try? GitObjectID(hex: $0) }?.bytes), .text(message))
    }
    for name in known.keys { try database.run("DELETE FROM tags WHERE name = ?", .text(name)) }
  }

  /// The record that a tag's message holds: its last line that is a JSON object; a signature may follow.
  static func record(in message: String) -> JSONObject? {
    for line in message.split(separator: "\n").reversed() where line.hasPrefix("{") {
      if let object = try? JSONValue(parsing: Array(line.utf8), named: "a tag").object { return object }
    }
    return nil
  }
}
