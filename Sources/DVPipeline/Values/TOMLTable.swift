import DVObject

/// The tables of a TOML file as they are read: a tree that knows which of its tables may still get keys.
struct TOMLTable {
  /// One step from a table to one inside it: a key and, of a list of tables, its last one.
  struct Step {
    let key: String
  }

  private indirect enum Entry {
    case value(JSONValue)
    /// `isDefined`: a header named it, so that no other header may.
    case table(TOMLTable, isDefined: Bool)
    case tables([TOMLTable])
  }

  private var entries: [(key: String, entry: Entry)] = []
  private var positions: [String: Int] = [:]

  /// The table as a value.
  var object: JSONObject {
    entries.reduce(into: JSONObject()) { object, pair in
      switch pair.entry {
      case .value(let value): object[pair.key] = value
      case .table(let table, _): object[pair.key] = .object(table.object)
      case .tables(let tables): object[pair.key] = .array(tables.map { .object($0.object) })
      }
    }
  }

  private subscript(key: String) -> Entry? {
    get { positions[key].map { entries[$0].entry } }
    set {
      guard let newValue else { return }
      if let position = positions[key] {
        entries[position].entry = newValue
      } else {
        positions[key] = entries.count
        entries.append((key, newValue))
      }
    }
  }

  /// Opens the table that a header names, making it and those above.
  ///
  /// - Parameter asElement: whether the header is `[[…]]`, which adds one table to a list.
  /// - Returns: the way to it; `nil` if it cannot be opened.
  mutating func open(_ path: [String], asElement: Bool) -> [Step]? {
    open(path[...], asElement: asElement) ? path.map { Step(key: $0) } : nil
  }

  private mutating func open(_ path: ArraySlice<String>, asElement: Bool) -> Bool {
    guard let key = path.first else { return false }
    let rest = path.dropFirst()
    if rest.isEmpty {
      switch (self[key], asElement) {
      case (nil, true): self[key] = .tables([TOMLTable()])
      case (.tables(let tables)?, true): self[key] = .tables(tables + [TOMLTable()])
      case (nil, false): self[key] = .table(TOMLTable(), isDefined: true)
      case (.table(let table, isDefined: false)?, false): self[key] = .table(table, isDefined: true)
      default: return false
      }
      return true
    }
    switch self[key] {
    case nil:
      var table = TOMLTable()
      guard table.open(rest, asElement: asElement) else { return false }
      self[key] = .table(table, isDefined: false)
    case .table(var table, let isDefined)?:
      guard table.open(rest, asElement: asElement) else { return false }
      self[key] = .table(table, isDefined: isDefined)
    case .tables(var tables)?:
      guard var last = tables.popLast(), last.open(rest, asElement: asElement) else { return false }
      self[key] = .tables(tables + [last])
    case .value?: return false
    }
    return true
  }

  /// Sets the value of a dotted key, making the tables it names.
  ///
  /// - Parameter table: the way to the table in which the key stands.
  /// - Returns: `false` if the key has a value, or a table of it is a value.
  mutating func set(_ value: JSONValue, at path: [String], in table: [Step]) -> Bool {
    set(value, table.map(\.key)[...], path[...])
  }

  private mutating func set(_ value: JSONValue, _ table: ArraySlice<String>, _ path: ArraySlice<String>) -> Bool {
    guard let key = table.first ?? path.first else { return false }
    if table.isEmpty, path.count == 1 {
      guard self[key] == nil else { return false }
      self[key] = .value(value)
      return true
    }
    let (restOfTable, restOfPath) = table.isEmpty ? (table, path.dropFirst()) : (table.dropFirst(), path)
    switch self[key] {
    case nil:
      var inner = TOMLTable()
      guard inner.set(value, restOfTable, restOfPath) else { return false }
      self[key] = .table(inner, isDefined: true)
    case .table(var inner, let isDefined)?:
      guard inner.set(value, restOfTable, restOfPath) else { return false }
      self[key] = .table(inner, isDefined: isDefined)
    case .tables(var tables)?:
      guard var last = tables.popLast(), last.set(value, restOfTable, restOfPath) else { return false }
      self[key] = .tables(tables + [last])
    case .value?: return false
    }
    return true
  }
}
