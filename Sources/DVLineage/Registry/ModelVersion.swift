/// The version of a model: `v1.2.0`, by Semantic Versioning 2.0.0 with a `v` before it, as GTO has it.
public struct ModelVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Which number counts up for the next version.
  public enum Part: String, Sendable, CaseIterable { case major, minor, patch }

  public let major: UInt32
  public let minor: UInt32
  public let patch: UInt32
  /// The identifiers after the hyphen; none for a release.
  public let prerelease: [String]
  /// What follows the plus sign; it tells versions apart but does not order them.
  public let build: String?

  public init(_ major: UInt32, _ minor: UInt32, _ patch: UInt32) {
    (self.major, self.minor, self.patch) = (major, minor, patch)
    prerelease = []
    build = nil
  }

  /// Reads `v1.2.3`; the `v` may be missing.
  ///
  /// - Returns: `nil` if it is none.
  public init?(_ text: some StringProtocol) {
    guard text.utf8.count <= 100 else { return nil }
    var rest = Substring(text)
    if rest.first == "v" { rest = rest.dropFirst() }
    if let plus = rest.firstIndex(of: "+") {
      let after = rest[rest.index(after: plus)...]
      guard Self.areIdentifiers(after) else { return nil }
      build = String(after)
      rest = rest[..<plus]
    } else {
      build = nil
    }
    if let hyphen = rest.firstIndex(of: "-") {
      let after = rest[rest.index(after: hyphen)...]
      let identifiers = after.split(separator: ".", omittingEmptySubsequences: false)
      guard Self.areIdentifiers(after), identifiers.allSatisfy({ !Self.isNumeric($0) || $0 == "0" || $0.first != "0" }) else { return nil }
      prerelease = identifiers.map(String.init)
      rest = rest[..<hyphen]
    } else {
      prerelease = []
    }
    let numbers = rest.split(separator: ".", omittingEmptySubsequences: false)
    guard numbers.count == 3, numbers.allSatisfy({ Self.isNumeric($0) && ($0 == "0" || $0.first != "0") }),
      let major = UInt32(numbers[0]), let minor = UInt32(numbers[1]), let patch = UInt32(numbers[2])
    else { return nil }
    (self.major, self.minor, self.patch) = (major, minor, patch)
  }

  /// The next version after this one.
  public func bumped(_ part: Part) -> ModelVersion {
    switch part {
    case .major: ModelVersion(major &+ 1, 0, 0)
    case .minor: ModelVersion(major, minor &+ 1, 0)
    // A version before a release is followed by it.
    case .patch: prerelease.isEmpty ? ModelVersion(major, minor, patch &+ 1) : ModelVersion(major, minor, patch)
    }
  }

  public var description: String {
    "v\(major).\(minor).\(patch)" + (prerelease.isEmpty ? "" : "-" + prerelease.joined(separator: "."))
      + (build.map { "+" + $0 } ?? "")
  }

  /// Precedence by rule 11 of Semantic Versioning; versions that differ only after the plus sign by that, so that the order is total.
  public static func < (left: Self, right: Self) -> Bool {
    if (left.major, left.minor, left.patch) != (right.major, right.minor, right.patch) {
      return (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }
    if left.prerelease != right.prerelease {
      if left.prerelease.isEmpty || right.prerelease.isEmpty { return right.prerelease.isEmpty }
      for (one, other) in zip(left.prerelease, right.prerelease) where one != other {
        switch (isNumeric(one), isNumeric(other)) {
        case (true, true): return one.utf8.count != other.utf8.count ? one.utf8.count < other.utf8.count : one < other
        case (true, false): return true
        case (false, true): return false
        case (false, false): return one.utf8.lexicographicallyPrecedes(other.utf8)
        }
      }
      return left.prerelease.count < right.prerelease.count
    }
    return (left.build ?? "") < (right.build ?? "")
  }

  private static func isNumeric(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  private static func areIdentifiers(_ text: Substring) -> Bool {
    text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
      !part.isEmpty
        && part.utf8.allSatisfy { byte in
          switch byte {
          case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"):
            true
          default: false
          }
        }
    }
  }
}
