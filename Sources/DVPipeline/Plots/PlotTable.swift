import DVObject

/// Columns of values, as a file of a plot holds them.
public struct PlotTable: Sendable {
  /// The most bytes of a file that are read: of CSV and TSV. Of JSON it is a quarter of that.
  public static let maximumByteCount = DelimitedReader.maximumByteCount

  /// The names of all columns, in the order in which rows name them first.
  public let names: [String]
  private let values: [String: [JSONValue?]]

  /// Reads the columns of a file: of CSV or TSV, or of a list of mappings in JSON, YAML or TOML.
  ///
  /// The list may lie anywhere inside; of several the first counts that has all of `fields`.
  ///
  /// - Parameter hasHeader: whether the first line of CSV or TSV names the columns; they are `0`, `1` … if not.
  /// - Throws: ``PipelineError/Code/value`` if there is no such list; ``PipelineError/Code/syntax``,
  ///   ``PipelineError/Code/limit``.
  public init(parsing bytes: [UInt8], named file: String, hasHeader: Bool = true, fields: [String]) throws(PipelineError) {
    switch file.split(separator: "/").last?.split(separator: ".").last {
    case "csv", "tsv":
      let separator = UInt8(ascii: file.hasSuffix("csv") ? "," : "\t")
      let columns = try DelimitedReader.columns(bytes, separator: separator, hasHeader: hasHeader, named: file)
      self.init(columns)
    case "json": try self.init(ValueFile.json(bytes, file, limit: Self.maximumByteCount / 4), named: file, fields: fields)
    default: try self.init(ValueFile.read(bytes, named: file), named: file, fields: fields)
    }
  }

  private init(_ columns: [(name: String, values: [JSONValue?])]) {
    values = Dictionary(columns) { first, _ in first }
    var seen: Set<String> = []
    names = columns.map(\.name).filter { seen.insert($0).inserted }
  }

  private init(_ content: JSONValue, named file: String, fields: [String]) throws(PipelineError) {
    var lists: [[JSONObject]] = []
    Self.collect(content, &lists)
    guard let rows = lists.first(where: { list in fields.allSatisfy { list.first?[$0] != nil } }) ?? lists.first else {
      throw PipelineError(
        .value, "'\(file)' holds no list of mappings, of which a plot could be drawn.",
        remedy: "Write one like [{\"step\": 0, \"loss\": 1.5}, …].")
    }
    var seen: Set<String> = []
    // A row after these hardly has a column that none before it has.
    let names = rows.prefix(1000).flatMap(\.keys).filter { seen.insert($0).inserted }
    self.init(names.prefix(Self.maximumColumnCount).map { name in (name, rows.map { $0[name] }) })
  }

  private static let maximumColumnCount = 200

  private static func collect(_ value: JSONValue, _ lists: inout [[JSONObject]], depth: Int = 0) {
    guard depth < 32, lists.count < 1000 else { return }
    switch value {
    case .array(let elements):
      let objects = elements.compactMap(\.object)
      if !objects.isEmpty, objects.count == elements.count { lists.append(objects) }
    case .object(let object):
      for member in object.members { collect(member.value, &lists, depth: depth + 1) }
    default: break
    }
  }

  /// The values of a column; `nil` if no row has it.
  public func column(_ name: String) -> PlotColumn? { values[name].map(PlotColumn.init) }
}
