/// Why a pipeline's files, or what was asked of them, make no sense.
public struct PipelineError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure this is, for code to decide on.
  public enum Code: Hashable, Sendable {
    /// A file is no YAML, JSON or TOML.
    case syntax
    /// `dv.yaml` has another key, or another kind of value, than its schema allows.
    case schema
    /// A `${…}` names nothing, or cannot stand where it stands.
    case template
    /// The stages do not fit together: a cycle, or two stages with one output.
    case graph
    /// A parameter, a file of parameters or of metrics is missing or cannot be read.
    case value
    /// There is no such stage.
    case notFound
    /// A file is larger, deeper or more entangled than is read.
    case limit
  }

  public let code: Code
  /// What was found, with file and line where there is one, and what was expected.
  public let message: String
  /// What to do next.
  public let remedy: String?

  public init(_ code: Code, _ message: String, remedy: String? = nil) {
    self.code = code
    self.message = message
    self.remedy = remedy
  }

  public var description: String { message }
}

/// A line of a file, for messages.
struct SourcePlace: Hashable, Sendable, CustomStringConvertible {
  let file: String
  /// From 1 on.
  let line: Int

  var description: String { "'\(file)' line \(line)" }
}
