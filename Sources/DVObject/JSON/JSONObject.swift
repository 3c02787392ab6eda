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
  private var positions: [String: Int] = [:]

  public init() {}

  public var isEmpty: Bool { members.isEmpty }
  public var count: Int { members.count }
  public var keys: [String] { members.map(\.key) }

  /// The value of `key`; `nil` if there is none, and setting `nil` removes it.
  ///
  /// - Complexity: O(1), but for removing, which is O(*n*).
  public subscript(key: String) -> JSONValue? {
    get { positions[key].map { members[$0].value } }
    set {
      switch (positions[key], newValue) {
      case (let position?, let value?): members[position].value = value
      case (nil, let value?):
        positions[key] = members.count
        members.append(Member(key: key, value: value))
      case (let position?, nil):
        members.remove(at: position)
        positions[key] = nil
        for (index, member) in members.enumerated() where index >= position { positions[member.key] = index }
      case (nil, nil): break
      }
    }
  }

  public static func == (left: Self, right: Self) -> Bool {
    left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for key in keys.sorted() { hasher.combine(key) }
  }
}
