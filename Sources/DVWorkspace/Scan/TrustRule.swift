import DVFile

/// Which identities may be believed later.
///
/// The shortest sequence that fails without it, all within one tick of the file system's clock:
///
///     echo 1 > a;  dv add a;  echo 2 > a;  dv status
///
/// Both writes leave the same size and the same times, so the identity says "unchanged" of a file that changed. An
/// identity is therefore believed only if its times were older than the tick when hashing began: a later write then
/// gets a later time. See `docs/racy.md`.
struct TrustRule: Sendable {
  /// What a file system's clock may not tell apart, in nanoseconds: it ticks with the kernel's timer, every 10 ms at most.
  static let grain: Int64 = 20_000_000
  /// The same where times have whole seconds only, or whole even seconds as on FAT.
  static let coarseGrain: Int64 = 2_000_000_000

  /// The clock when hashing began, in nanoseconds since 1970.
  let start: Int64

  init(start: FileTime) { self.start = start.nanosecondsSince1970 ?? .min }

  /// Returns whether a file with these times can be told apart from any it becomes later.
  ///
  /// Times in the future, as after the clock was set back, are never believed.
  func trusts(modified: Int64, changed: Int64) -> Bool {
    let isCoarse = modified % 1_000_000_000 == 0 && changed % 1_000_000_000 == 0
    let (limit, overflow) = start.subtractingReportingOverflow(isCoarse ? Self.coarseGrain : Self.grain)
    return !overflow && modified < limit && changed < limit
  }
}

extension FileTime {
  /// Nanoseconds since 1970, or `nil` outside the years 1678 to 2261.
  var nanosecondsSince1970: Int64? {
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return nil }
    let (sum, tooLarge) = whole.addingReportingOverflow(Int64(nanoseconds))
    return tooLarge ? nil : sum
  }
}

extension StatEntry {
  /// The time that stands for one that does not fit: equal to nothing, since no identity with it is ever trusted.
  static let noTime = Int64.min

  /// Takes over the identity that the file system reports.
  mutating func setIdentity(_ stat: FileStat) {
    inode = stat.inode
    size = stat.size
    modified = stat.modified.nanosecondsSince1970 ?? Self.noTime
    changed = stat.changed.nanosecondsSince1970 ?? Self.noTime
  }

  /// Returns whether the file is still the one the identity was taken of, the device aside.
  func hasIdentity(_ stat: FileStat) -> Bool {
    inode == stat.inode && size == stat.size && modified != Self.noTime && changed != Self.noTime
      && modified == stat.modified.nanosecondsSince1970 && changed == stat.changed.nanosecondsSince1970
  }

  /// Marks the identity as trusted if `rule` says so, else as not.
  mutating func setTrust(_ rule: TrustRule) {
    if modified != Self.noTime, changed != Self.noTime, rule.trusts(modified: modified, changed: changed) {
      flags.insert(.trusted)
    } else {
      flags.remove(.trusted)
    }
  }
}
