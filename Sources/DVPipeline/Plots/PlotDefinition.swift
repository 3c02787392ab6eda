public import DVObject

/// A picture of values that a pipeline, or a command line, asks for: what is drawn and how.
public struct PlotDefinition: Hashable, Sendable {
  /// How values are drawn.
  public enum Template: String, Hashable, Sendable, CaseIterable {
    case linear
    /// A line through the course that ``LocalRegression`` finds, above the values as they are.
    case smooth
    case scatter
    case bar
    case confusion
    /// Each row of a confusion matrix as shares of 1.
    case normalizedConfusion = "confusion_normalized"

    /// Finds a template by the name that `dv.yaml` gives it; `nil` for one that dv does not draw.
    public init?(named name: String) {
      switch name {
      case "linear", "simple", "default": self = .linear
      case "scatter", "scatter_jitter": self = .scatter
      case "bar", "bar_horizontal", "bar_horizontal_sorted": self = .bar
      default: self.init(rawValue: name)
      }
    }
  }

  /// Which columns of which file are drawn.
  public struct Source: Hashable, Sendable {
    public let file: StagePath
    /// Names of columns; of none, the last that is not drawn along the other axis.
    public let fields: [String]

    public init(file: StagePath, fields: [String]) {
      self.file = file
      self.fields = fields
    }
  }

  /// What values are drawn along.
  public enum Axis: Hashable, Sendable {
    /// The number of the row, from 0 on.
    case row
    /// A column of each source's own file.
    case field(String)
    /// Columns of certain files.
    case sources([Source])
  }

  /// What people call it: a path, or a title of its own.
  public let name: String
  public var sources: [Source]
  public var x = Axis.row
  public var template = Template.linear
  public var title: String?
  public var xLabel: String?
  public var yLabel: String?
  /// Whether the first line of a CSV file names the columns; they are called `0`, `1` … if not.
  public var hasHeader = true
  /// Whether bars stand in the order of their values rather than in that of the file.
  public var isSorted = false

  public init(_ name: String, sources: [Source]) {
    self.name = name
    self.sources = sources
  }
}

extension PlotDefinition {
  /// Reads a plot as `dv.yaml` has it.
  ///
  /// - Parameters:
  ///   - properties: `x`, `y`, `title` and so on.
  ///   - directory: what the paths in it are relative to.
  ///   - warn: called with what is not acted on, in words.
  /// - Throws: ``PipelineError`` for a path or a value that makes no sense.
  public init(
    _ name: String, _ properties: JSONObject, in directory: StagePath, warn: (String) -> Void
  ) throws(PipelineError) {
    let own = try? StagePath(name, in: directory)
    var sources: [Source] = []
    switch properties["y"] {
    case .object(let files)?:
      for member in files.members {
        sources.append(Source(file: try StagePath(member.key, in: directory), fields: try Self.fields(member.value, name)))
      }
    case let value:
      guard let own else {
        throw PipelineError(.schema, "The plot '\(name)' names no file in 'y', and is none itself.", remedy: "Write 'y: {FILE: COLUMN}'.")
      }
      sources = [Source(file: own, fields: try value.map { value throws(PipelineError) in try Self.fields(value, name) } ?? [])]
    }
    self.init(name, sources: sources)
    switch properties["x"] {
    case nil, .null?: break
    case .object(let files)?:
      var axes: [Source] = []
      for member in files.members {
        axes.append(Source(file: try StagePath(member.key, in: directory), fields: try Self.fields(member.value, name)))
      }
      x = .sources(axes)
    case let value?:
      x = .field(try Self.fields(value, name).first ?? "")
    }
    title = Self.text(properties["title"])
    xLabel = Self.text(properties["x_label"])
    yLabel = Self.text(properties["y_label"])
    if properties["header"]?.bool == false { hasHeader = false }
    if let named = Self.text(properties["template"]) {
      if let known = Template(named: named) {
        template = known
        isSorted = named == "bar_horizontal_sorted"
      } else {
        warn("The plot '\(name)' asks for the template '\(named)', which dv does not have; it is drawn as 'linear'.")
      }
    }
  }

  private static func text(_ value: JSONValue?) -> String? {
    switch value {
    case nil, .null?, .array?, .object?: nil
    case let value?: CommandLineText.plain(value)
    }
  }

  /// One name of a column, or a list of them.
  private static func fields(_ value: JSONValue, _ name: String) throws(PipelineError) -> [String] {
    switch value {
    case .null: return []
    case .array(let values):
      var names: [String] = []
      for value in values {
        guard let text = text(value) else { throw failure(value, name) }
        names.append(text)
      }
      return names
    case .object: throw failure(value, name)
    default: return [CommandLineText.plain(value)]
    }
  }

  private static func failure(_ value: JSONValue, _ name: String) -> PipelineError {
    PipelineError(.schema, "A column of the plot '\(name)' is \(value.kindText), expected a name.")
  }
}

extension PipelineFile {
  /// The plots of the file: those declared at its top, then files and directories that stages make for plotting.
  ///
  /// - Parameter warn: called with what cannot be drawn as it is declared, in words.
  public func plotDefinitions(warn: (String) -> Void) -> [PlotDefinition] {
    var found: [PlotDefinition] = []
    var drawn: Set<StagePath> = []
    func add(_ name: String, _ properties: JSONObject, in directory: StagePath) {
      do throws(PipelineError) {
        let definition = try PlotDefinition(name, properties, in: directory, warn: warn)
        found.append(definition)
        drawn.formUnion(definition.sources.map(\.file))
      } catch {
        warn(error.message)
      }
    }
    for plot in plots { add(plot.name, plot.properties, in: path.parent) }
    for output in stages.flatMap(\.outputs) where output.role == .plot && !drawn.contains(output.path) {
      for way in output.ways.isEmpty ? [JSONObject()] : output.ways { add(output.path.text, way, in: .root) }
    }
    return found
  }
}
