/// Compares two zip archives by what is in them.
struct ZipComparison {
  let tolerances: Tolerances
  let path: String

  func compare(_ old: ContentSource, _ new: ContentSource) throws(ContentError) -> ContentDifference {
    let (before, after) = (try ZipDirectory(old), try ZipDirectory(new))
    let others = try byName(after)
    let known = try byName(before)
    var found = ContentDifference(.equivalent, "the same entries")
    for entry in before.entries {
      guard let other = others[entry.name] else {
        found.add(ContentDifference(.different, "'\(entry.name)' in the archive is gone"))
        continue
      }
      if entry.size == other.size, try ContentStream.areEqual(before.stream(entry), after.stream(other)) { continue }
      found.add(try compare(entry.name, { () throws(ContentError) in try before.stream(entry) }, { () throws(ContentError) in try after.stream(other) }))
    }
    if let name = after.entries.first(where: { known[$0.name] == nil })?.name {
      found.add(ContentDifference(.different, "'\(name)' in the archive is new"))
    }
    return found
  }

  private func byName(_ directory: ZipDirectory) throws(ContentError) -> [String: ZipDirectory.Entry] {
    var found: [String: ZipDirectory.Entry] = [:]
    for entry in directory.entries {
      guard found.updateValue(entry, forKey: entry.name) == nil else {
        throw ContentError(.unsupported, "the archive has '\(entry.name)' twice")
      }
    }
    return found
  }

  /// Compares entries of other bytes by what they are.
  private func compare(
    _ name: String, _ old: () throws(ContentError) -> ContentStream, _ new: () throws(ContentError) -> ContentStream
  ) throws(ContentError) -> ContentDifference {
    let title = "'\(name)' in the archive"
    let kind = ContentKind(Array(try old().next(16)), named: name)
    do throws(ContentError) {
      guard kind == ContentKind(Array(try new().next(16)), named: name) else {
        return ContentDifference(.different, "\(title) is of another kind")
      }
      switch kind {
      case .numpy:
        let array = name.hasSuffix(".npy") ? String(name.dropLast(4)) : name
        return try ArrayComparison(tolerances: tolerances, path: path).compare(try old(), try new(), named: array)
      case .json, .pickle:
        let limit = ContentComparison.wholeLimit
        let found = try ContentComparison.compareWhole(
          kind, try old().rest(limit: limit), try new().rest(limit: limit), tolerances, path)
        if var found {
          if found.verdict > .equivalent { found.reason = "\(title): \(found.reason ?? "other content")" }
          return found
        }
      default: break
      }
    } catch {
      guard error.code != .unreadable else { throw error }
      return ContentDifference(.different, "\(title) has other bytes; it could not be compared further: \(error)")
    }
    return ContentDifference(.different, "\(title) has other bytes")
  }
}
