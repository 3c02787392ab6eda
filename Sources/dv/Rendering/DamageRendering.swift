import DVObject
import DVRepository
import DVStore

extension CheckReport {
  /// What sentences call the store at their beginning.
  var title: String { remote.map { "Remote '\(SafeText.name($0))'" } ?? "The local store" }

  /// Damage is graver than absence, and both than a remote that does not answer.
  var exitCode: ExitCode {
    if let problem { return problem.exitCode }
    if isSound { return .done }
    return store.isOnlyMissing && unreadable.isEmpty ? .missing : .corrupt
  }

  /// The lines that say what is damaged, what that affects, and who has good copies.
  ///
  /// - Parameter limit: how many findings, and how many paths of each, are named; the rest is counted.
  func damageLines(limit: Int) -> [String] { Self.lines(of: damage, limit: limit) }

  static func lines(of damage: [Damage], limit: Int) -> [String] {
    var lines: [String] = []
    for item in damage.prefix(limit) {
      let finding = item.finding
      let what = finding.key.map { "\($0.kind) \($0.id.hex.prefix(12))" } ?? "'\(finding.place)'"
      let place = finding.key != nil && !finding.place.isEmpty ? " in \(finding.place)" : ""
      lines.append(
        "\(finding.isMissing ? "missing" : "damaged"): \(what)\(place): \(SafeText.message(finding.message))")
      if finding.key != nil, !finding.isLost {
        lines.append("  another copy in the same store is whole, or nothing needs it")
      }
      for affect in item.affects.prefix(min(limit, 10)) { lines.append("  affects \(line(of: affect))") }
      if item.affects.count > min(limit, 10) { lines.append("  … and \(item.affects.count - min(limit, 10)) more paths") }
      if !item.elsewhere.isEmpty {
        lines.append("  whole in \(item.elsewhere.map { SafeText.message($0) }.joined(separator: ", "))")
      } else if finding.isLost {
        lines.append("  no other place that could be asked has it")
      }
    }
    if damage.count > limit { lines.append("… and \(damage.count - limit) more findings (-v or --json lists all)") }
    return lines
  }

  private static func line(of affect: Affect) -> String {
    var text = "'\(SafeText.name(affect.path))'"
    var places: [String] = []
    if !affect.references.isEmpty { places.append(listing(affect.references)) }
    if let first = affect.commits.first {
      places.append(
        affect.commits.count == 1
          ? "commit \(first)" : "\(Count(UInt64(affect.commits.count)).of("commit")): \(listing(affect.commits))")
    }
    if !places.isEmpty { text += " (\(places.joined(separator: "; ")))" }
    return text
  }

  private static func listing(_ names: [String]) -> String {
    names.prefix(5).map { SafeText.name($0) }.joined(separator: ", ") + (names.count > 5 ? ", …" : "")
  }

  /// Writes the damage as elements of an array.
  func writeDamage(to json: inout JSONText) { Self.write(damage, of: name, to: &json) }

  static func write(_ damage: [Damage], of name: String, to json: inout JSONText) {
    for item in damage {
      let finding = item.finding
      json.object { json in
        json.member("store", name)
        json.member("what", finding.kind.rawValue)
        json.member("state", finding.isMissing ? "missing" : "damaged")
        json.member("oid", finding.key?.id.text)
        json.member("kind", finding.key?.kind.description)
        json.member("where", finding.place)
        json.member("message", finding.message)
        json.member("lost", finding.isLost)
        json.array("affects") { json in
          for affect in item.affects {
            json.object { json in
              json.path("path", affect.path)
              json.array("commits") { json in for commit in affect.commits { json.value(commit) } }
              json.array("refs") { json in for name in affect.references { json.value(name) } }
            }
          }
        }
        json.array("elsewhere") { json in for place in item.elsewhere { json.value(place) } }
      }
    }
  }

  /// Writes the sums of what was looked at.
  static func write(_ counts: [CheckedCounts], to json: inout JSONText) {
    json.member("versions", counts.reduce(0) { $0 + $1.contents })
    json.member("segments", counts.reduce(0) { $0 + $1.segments })
    json.member("indexEntries", counts.reduce(0) { $0 + $1.indexEntries })
    json.member("records", counts.reduce(0) { $0 + $1.records })
    json.member("locators", counts.reduce(0) { $0 + $1.locators })
    json.member("packs", counts.reduce(0) { $0 + $1.packs })
    json.member("packBytes", counts.reduce(UInt64(0)) { $0 + $1.packBytes })
    json.member("packsRead", counts.reduce(0) { $0 + $1.packsRead })
    json.member("bytesRead", counts.reduce(UInt64(0)) { $0 + $1.bytesRead })
    json.member("objectsProved", counts.reduce(0) { $0 + $1.objectsProved })
    json.member("nodes", counts.reduce(0) { $0 + $1.nodes })
    json.member("lists", counts.reduce(0) { $0 + $1.lists })
    json.member("chunks", counts.reduce(0) { $0 + $1.chunks })
    json.member("filesHashed", counts.reduce(0) { $0 + $1.filesHashed })
    json.member("fileBytesHashed", counts.reduce(UInt64(0)) { $0 + $1.fileBytesHashed })
    json.member("wholeFiles", counts.reduce(0) { $0 + $1.wholeFiles })
  }
}
