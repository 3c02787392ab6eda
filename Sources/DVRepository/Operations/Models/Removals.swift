import DVGit
import DVLineage

/// Which tags of the registry were removed on purpose, as tags `dv/removal/<object>` say.
struct Removals {
  struct Removal: Sendable {
    let record: RemovalRecord
    /// The short name of the tag that says so.
    let tag: String

    /// When, by whom and why, to follow `was`.
    var text: String {
      let by = record.user.map { " by \($0)" } ?? ""
      return "removed on \(CalendarDay.text(milliseconds: record.time))\(by): \(record.reason)"
    }
  }

  /// By the tag object that was removed, as hex digits.
  private(set) var byObject: [String: Removal] = [:]
  /// Tags that contradict themselves, and how: they say nothing.
  private(set) var problems: [(tag: String, text: String)] = []

  init(in repository: Repository) throws {
    for tag in try repository.git.tags(messageLimit: TagMessage.maximumByteCount, where: { $0.hasPrefix(RemovalRecord.tagPrefix) }) {
      do throws(RecordError) {
        guard let record = try TagMessage.record(in: tag.message ?? "") else {
          problems.append((tag.name, "The tag holds no record of what was removed."))
          continue
        }
        let removal = Removal(record: try RemovalRecord(record), tag: tag.name)
        if let problem = Self.contradiction(removal, tag, in: repository) { problems.append((tag.name, problem)) } else {
          byObject[removal.record.object] = removal
        }
      } catch {
        problems.append((tag.name, "The tag '\(tag.name)' cannot be believed: \(error.message)"))
      }
    }
  }

  /// The removal of a tag that was one of these objects.
  func removal(of name: String, as objects: [String]) -> Removal? {
    objects.lazy.compactMap { byObject[$0] }.first { $0.record.tag == name }
  }

  /// What tag, record and the object that was removed say differently of the same thing.
  private static func contradiction(_ removal: Removal, _ tag: GitTag, in repository: Repository) -> String? {
    guard removal.record.tagName == tag.name else { return "Its record is of the removal of another tag object, \(removal.record.object.prefix(12))." }
    guard let own = try? repository.git.rawObject(tag.object), own.header("type") == "tag" else { return nil }
    guard own.header("object") == removal.record.object else { return "It names another tag object than its record says was removed." }
    guard let removed = (try? GitObjectID(hex: removal.record.object)).flatMap({ try? repository.git.rawObject($0) }) else { return nil }
    guard removed.header("tag") == removal.record.tag else {
      return "It says that '\(removal.record.tag)' was removed; the tag object was made as '\(removed.header("tag") ?? "")'."
    }
    return nil
  }
}
