/// The members of an object in the order in which they were written. Two objects are equal if they have equal members,
/// in whatever order.
///
/// Keys that differ only in their Unicode normal form are one key, as Swift's strings are equal then.
public struct JSONObject: Hashable, Sendable {
  /// A key and its value.
  public struct Member: Hashable, Sendable {
    public let key: String
    public fileprivate(set) var value: JSONValue
  }

  public private(set) var members: [Member] = []
  /// Where the members of a large object stand; of a small one it is faster to look at each.
  private var positions: [String: Int] = [:]
  /// The most members of a small object.
  private static let smallCount = 16

  public init() {}

  public var isEmpty: Bool { members.isEmpty }
  public var count: Int { members.count }
  public var keys: [String] { members.map(\.key) }

  /// The value of `key`; `nil` if there is none, and setting `nil` removes it.
  ///
  /// - Complexity: O(1), but for removing, which is O(*n*).
  public subscript(key: String) -> JSONValue? {
    get { position(of: key).map { members[$0].value } }
    set {
      switch (position(of: key), newValue) {
      case (let position?, let value?): members[position].value = value
      case (nil, let value?):
        members.append(Member(key: key, value: value))
        if members.count == Self.smallCount + 1 {
          note(from: 0)
        } else if members.count > Self.smallCount {
          positions[key] = members.count - 1
        }
      case (let position?, nil):
        members.remove(at: position)
        if members.count <= Self.smallCount {
          positions = [:]
        } else {
          positions[key] = nil
          note(from: position)
        }
      case (nil, nil): break
      }
    }
  }

  private func position(of key: String) -> Int? {
    members.count > Self.smallCount ? positions[key] : members.firstIndex { $0.key == key }
  }

  /// Notes where the members from `start` on stand.
  private mutating func note(from start: Int) {
    for index in start..<members.count { positions[members[index].key] = index }
  }

  public static func == (left: Self, right: Self) -> Bool {
    left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for key in keys.sorted() { hasher.combine(key) }
  }
}
