import DVObject

extension JSONText {
  /// Writes a value as it is: numbers that JSON cannot say become strings, as in records.
  mutating func value(_ json: JSONValue) {
    switch json {
    case .null: null()
    case .bool(let flag): value(flag)
    case .integer(let number): value(number)
    case .number(let number) where number.isFinite: value(number)
    case .number(let number): value(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
    case .string(let text): value(text)
    case .array(let values):
      array { json in
        for value in values { json.value(value) }
      }
    case .object(let object):
      self.object { json in
        for member in object.members { json.member(member.key, member.value) }
      }
    }
  }

  /// Writes a member whose value may be any.
  mutating func member(_ key: String, _ json: JSONValue?) {
    switch json {
    case nil: member(key, nil as String?)
    case .bool(let flag)?: member(key, flag)
    case .integer(let number)?: member(key, number)
    case .number(let number)? where number.isFinite: member(key, number)
    case .array(let values)?:
      array(key) { json in
        for value in values { json.value(value) }
      }
    case .object(let object)?:
      self.object(key) { json in
        for member in object.members { json.member(member.key, member.value) }
      }
    case .string(let text)?: member(key, text)
    case .number(let number)?: member(key, number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
    case .null?: member(key, nil as String?)
    }
  }
}
