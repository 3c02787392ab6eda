import CLinux
import SystemPackage

/// What the machine, or the part of it that this process may use, has to offer.
public enum Machine {
  /// How many processors this process may keep busy, at least 1: those it may run on, or fewer if its control group
  /// (container) grants less time.
  public static let coreCount: Int = {
    let allowed = max(1, Int(dv_affinity_count()))
    guard let quota = quotaOfControlGroup() else { return allowed }
    return max(1, min(allowed, Int(quota.rounded(.up))))
  }()

  /// Keeps the memory that this process holds near what it uses. Call it before the first thread is started.
  ///
  /// glibc gives up to eight heaps to each processor, one for each thread, and every heap holds on to what was freed in
  /// it: a few megabytes in use on each of twenty threads were half a gigabyte held.
  public static func limitHeaps() { dv_limit_heaps(CInt(max(2, coreCount))) }

  /// The permission bits that this process takes away from what it creates, as they were when first asked for.
  ///
  /// Read from /proc because `umask(2)` can only tell by changing it, for all threads.
  public static let umask: UInt32 = {
    for line in text("/proc/self/status")?.split(separator: "\n") ?? [] where line.hasPrefix("Umask:") {
      if let bits = UInt32(line.dropFirst(6).filter { !$0.isWhitespace }, radix: 8) { return bits & 0o777 }
    }
    return 0o022
  }()

  /// Returns the processors' worth of time that the control groups above this process grant, or `nil` if they do not
  /// limit it.
  private static func quotaOfControlGroup() -> Double? {
    var smallest: Double?
    for line in text("/proc/self/cgroup")?.split(separator: "\n") ?? [] {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isVersion2 = parts[0] == "0" && parts[1].isEmpty
      guard isVersion2 || parts[1].split(separator: ",").contains("cpu") else { continue }
      // A container sees its own group as the root: look at each level that is there.
      let root = FilePath(isVersion2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu")
      var group = root.appending(FilePath(String(parts[2])).components)
      while group.starts(with: root) {
        let quota = isVersion2 ? quota(ofMax: text(group.appending("cpu.max"))) : quota(ofVersion1: group)
        if let quota { smallest = min(smallest ?? quota, quota) }
        guard group.removeLastComponent() else { break }
      }
    }
    return smallest
  }

  /// Reads `cpu.max`: the microseconds granted (or `max`) and the period they are granted for.
  static func quota(ofMax text: String?) -> Double? {
    let numbers = text?.split(whereSeparator: \.isWhitespace).map { Double($0) } ?? []
    guard numbers.count == 2, let granted = numbers[0], let period = numbers[1], granted > 0, period > 0 else { return nil }
    return granted / period
  }

  private static func quota(ofVersion1 group: FilePath) -> Double? {
    let granted = text(group.appending("cpu.cfs_quota_us")) ?? ""
    let period = text(group.appending("cpu.cfs_period_us")) ?? ""
    return quota(ofMax: granted + " " + period)
  }

  /// The files of /proc and /sys say that their size is 0 and are read to their end.
  private static func text(_ path: FilePath) -> String? {
    guard let reader = try? FileReader(path, followingLink: true) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    guard let count = try? reader.read(into: &bytes) else { return nil }
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
