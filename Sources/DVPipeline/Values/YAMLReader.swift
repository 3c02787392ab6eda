import DVObject
import Yams

/// Reads YAML files: what version 1.2 calls its core schema, and merge keys (`<<`).
///
/// A file that is small may stand for something huge: each of ten lines names the one before ten times. Therefore what
/// aliases stand for counts as often as it is named, and a key may only be a scalar.
package struct YAMLReader {
  /// The most bytes of a file.
  static let maximumByteCount = 4 << 20
  /// The most nodes, counting what an alias stands for each time.
  static let maximumNodeCount = 500_000
  /// How deep nodes may be nested.
  static let maximumDepth = 200

  private let file: String
  private var nodeCount = 0

  /// Reads the one document of a file; `nil` if it has none.
  ///
  /// - Throws: ``PipelineError`` with file and line.
  package static func read(_ bytes: [UInt8], named file: String) throws(PipelineError) -> YAMLNode? {
    guard bytes.count <= maximumByteCount else {
      throw PipelineError(.limit, "'\(file)' has \(bytes.count) bytes; at most \(maximumByteCount) are read.")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw PipelineError(.syntax, "'\(file)' is not UTF-8.", remedy: "Save it as UTF-8.")
    }
    try requireShallow(bytes, file)
    let root: Node?
    do {
      // `basic` leaves the kinds of plain scalars to this reader.
      root = try Yams.compose(yaml: text, .basic)
    } catch {
      throw PipelineError(.syntax, "'\(file)' is no YAML: \(description(of: error)).")
    }
    guard let root else { return nil }
    var reader = YAMLReader(file: file)
    return try reader.node(root, depth: 0)
  }

  /// Refuses lines that open hundreds of nested nodes, before a parser that recurses sees them.
  private static func requireShallow(_ bytes: [UInt8], _ file: String) throws(PipelineError) {
    var (openers, line, indented) = (0, 1, 0)
    for byte in bytes {
      switch byte {
      case 0x0a: (line, indented) = (line + 1, 0)
      case UInt8(ascii: "["), UInt8(ascii: "{"): openers += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): openers = max(0, openers - 1)
      case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "?"): indented += indented >= 0 ? 1 : 0
      default:
        // Text has begun: the rest of the line opens no more.
        if indented > 2 * maximumDepth { throw tooDeep(file, line) }
        indented = -1
      }
      if openers > 4 * maximumDepth || indented > 4 * maximumDepth { throw tooDeep(file, line) }
    }
  }

  private static func tooDeep(_ file: String, _ line: Int) -> PipelineError {
    PipelineError(.limit, "'\(file)' line \(line) is nested too deep: at most \(maximumDepth) levels are read.")
  }

  private static func description(of error: any Error) -> String {
    guard let error = error as? YamlError else { return "\(error)" }
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let where_ = context.map { " (\($0.text.trimmed))" } ?? ""
      return "line \(mark.line), column \(mark.column): \(problem.trimmed)\(where_)"
    case .duplicatedKeysInMapping(let duplicates, let context):
      return "line \(context.mark.line): the key '\(duplicates.first ?? "")' stands there twice"
    case .reader(let problem, _, _, _): return problem
    default: return "\(error)"
    }
  }

  private init(file: String) { self.file = file }

  private mutating func node(_ node: Node, depth: Int) throws(PipelineError) -> YAMLNode {
    nodeCount += 1
    let line = node.mark?.line ?? 1
    guard nodeCount <= Self.maximumNodeCount else {
      throw PipelineError(
        .limit, "'\(file)' stands for more than \(Self.maximumNodeCount) values, with what its aliases repeat.")
    }
    guard depth <= Self.maximumDepth else { throw Self.tooDeep(file, line) }
    switch node {
    case .scalar(let scalar):
      return YAMLNode(content: .scalar(try value(of: scalar, line: line)), line: line)
    case .sequence(let sequence):
      var nodes: [YAMLNode] = []
      for element in sequence { nodes.append(try self.node(element, depth: depth + 1)) }
      return YAMLNode(content: .sequence(nodes), line: line)
    case .mapping(let mapping):
      return YAMLNode(content: .mapping(try members(of: mapping, depth: depth)), line: line)
    case .alias:
      throw PipelineError(.syntax, "'\(file)' line \(line): an alias stands for nothing.")
    }
  }

  private mutating func members(of mapping: Node.Mapping, depth: Int) throws(PipelineError) -> [YAMLNode.Member] {
    var members: [YAMLNode.Member] = []
    var positions: [String: Int] = [:]
    var merged: [YAMLNode.Member] = []
    for (key, value) in mapping {
      let line = key.mark?.line ?? 1
      guard case .scalar(let scalar) = key else {
        throw PipelineError(.syntax, "'\(file)' line \(line): a key is a list or a mapping; only plain keys are read.")
      }
      let node = try self.node(value, depth: depth + 1)
      if scalar.string == "<<", scalar.style == .plain {
        merged += try self.merged(node, line: line)
        continue
      }
      guard positions[scalar.string] == nil else {
        throw PipelineError(.syntax, "'\(file)' line \(line): the key '\(scalar.string)' stands there twice.")
      }
      positions[scalar.string] = members.count
      members.append(YAMLNode.Member(key: scalar.string, keyLine: line, value: node))
    }
    // What a mapping says itself goes before what it merges in, and earlier before later.
    for member in merged where positions[member.key] == nil {
      positions[member.key] = members.count
      members.append(member)
    }
    return members
  }

  private func merged(_ node: YAMLNode, line: Int) throws(PipelineError) -> [YAMLNode.Member] {
    switch node.content {
    case .mapping(let members): return members
    case .sequence(let nodes):
      var all: [YAMLNode.Member] = []
      for node in nodes { all += try merged(node, line: line) }
      return all
    case .scalar:
      throw PipelineError(.syntax, "'\(file)' line \(line): '<<' merges mappings, and this is none.")
    }
  }

  private func value(of scalar: Node.Scalar, line: Int) throws(PipelineError) -> JSONValue {
    let text = scalar.string
    switch scalar.tag.rawValue {
    case "": return scalar.style == .plain ? YAMLScalar.value(of: text) : .string(text)
    case "!", "tag:yaml.org,2002:str": return .string(text)
    case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null":
      return YAMLScalar.value(of: text)
    case let tag:
      throw PipelineError(
        .syntax, "'\(file)' line \(line): the tag '\(tag)' is not known.", remedy: "Write the value without a tag.")
    }
  }
}

extension String {
  fileprivate var trimmed: String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\n" }
    return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
  }
}
