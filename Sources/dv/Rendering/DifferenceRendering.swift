import DVObject
import DVRepository
import DVWorkspace

/// Writes a difference while it is found.
protocol DifferenceRendering: Sendable {
  mutating func append(_ change: DataChange) throws
  mutating func finish(_ difference: DataDifference) throws
}

extension TreeChange.Kind {
  /// The letter git uses.
  fileprivate var letter: String {
    switch self {
    case .added: "A"
    case .removed: "D"
    case .modified, .mode: "M"
    case .type: "T"
    case .renamed: "R"
    }
  }
}

extension DataChange {
  /// How many bytes more the new side has, with its sign.
  fileprivate var delta: String {
    let (before, after) = (old?.size ?? 0, new?.size ?? 0)
    return after < before ? "-\(ByteCount(before - after))" : "+\(ByteCount(after - before))"
  }
}

/// Lines for people: a letter, the path, and what became of its size.
struct DifferenceText: DifferenceRendering {
  private var output = OutputBuffer()

  mutating func append(_ change: DataChange) throws { try output.append(line(for: change) + "\n") }

  private func line(for change: DataChange) -> String {
    var name = SafeText.name(change.path.bytes)
    if (change.new ?? change.old)?.mode == .directory { name += "/" }
    if let previous = change.previousPath { name = "\(SafeText.name(previous.bytes)) -> \(name)" }
    return "\(change.kind.letter)  \(name)  \(explanation(of: change))"
  }

  private func explanation(of change: DataChange) -> String {
    let files =
      [change.new, change.old].lazy.compactMap { side in
        side.flatMap { $0.mode == .directory && $0.files > 0 ? " in \(Count($0.files).of("file"))" : nil }
      }.first ?? ""
    switch change.kind {
    case .added, .renamed: return "\(ByteCount(change.new?.size ?? 0))\(files)"
    case .removed: return "\(ByteCount(change.old?.size ?? 0))\(files)"
    case .mode: return change.new?.mode == .executable ? "now executable" : "no longer executable"
    case .type: return "\(change.old?.mode.text ?? "") -> \(change.new?.mode.text ?? "")"
    case .modified:
      return "\(ByteCount(change.old?.size ?? 0)) -> \(ByteCount(change.new?.size ?? 0)) (\(change.delta))\(files)"
    }
  }

  mutating func finish(_ difference: DataDifference) throws {
    for (target, remedy) in difference.unlisted {
      try output.append(
        "   '\(SafeText.name(target.bytes))' is not held here whole, so not all of its files are compared: "
          + "\(SafeText.message(remedy))\n")
    }
    for target in difference.notCheckedOut {
      try output.append("   '\(SafeText.name(target.bytes))' is not on disk: compared by its pointer.\n")
    }
    let counts = [
      (difference.added, "added"), (difference.modified, "modified"), (difference.removed, "deleted"),
      (difference.renamed, "renamed"),
    ].filter { $0.0 > 0 }
    if !counts.isEmpty {
      let total = counts.clampedSum(\.0)
      let sizes = [(difference.grownBytes, "+"), (difference.shrunkBytes, "-")].filter { $0.0 > 0 }
        .map { "\($0.1)\(ByteCount($0.0))" }
      let parts = counts.map { "\(Count($0.0)) \($0.1)" }.joined(separator: ", ")
      let bytes = sizes.isEmpty ? "" : "; " + sizes.joined(separator: " ")
      try output.append("\(Count(total).of("file")) changed: \(parts)\(bytes)\n")
    }
    try output.flush()
  }
}

/// The one object of `--json`.
struct DifferenceJSON: DifferenceRendering {
  private var list: JSONList

  init() throws { list = try JSONList(schema: "dv.diff/1", "changes") }

  mutating func append(_ change: DataChange) throws {
    try list.append { json in
      json.path("path", change.path.bytes)
      json.member("change", change.kind.rawValue)
      if let previous = change.previousPath { json.path("previousPath", previous.bytes) }
      for (key, side) in [("old", change.old), ("new", change.new)] {
        guard let side else { continue }
        json.object(key) { json in
          json.member("kind", side.mode.text)
          json.member("oid", side.oid.text)
          json.member("size", side.size)
          json.member("files", side.files)
        }
      }
      json.member("bytes", Int64(clamping: change.new?.size ?? 0) - Int64(clamping: change.old?.size ?? 0))
    }
  }

  mutating func finish(_ difference: DataDifference) throws {
    try list.finish { json in
      json.object("totals") { json in
        json.member("added", difference.added)
        json.member("modified", difference.modified)
        json.member("removed", difference.removed)
        json.member("renamed", difference.renamed)
        json.member("grownBytes", difference.grownBytes)
        json.member("shrunkBytes", difference.shrunkBytes)
      }
      json.array("unlisted") { json in
        for (target, remedy) in difference.unlisted {
          json.object { json in
            json.path("path", target.bytes)
            json.member("remedy", remedy)
          }
        }
      }
      json.array("notCheckedOut") { json in
        for target in difference.notCheckedOut { json.object { $0.path("path", target.bytes) } }
      }
      json.array("unreadable") { json in
        for pointer in difference.unreadable {
          json.object { json in
            json.path("path", pointer.target.bytes)
            json.member("message", pointer.message)
          }
        }
      }
    }
  }
}
