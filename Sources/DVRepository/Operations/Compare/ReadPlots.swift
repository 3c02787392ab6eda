public import DVObject
public import DVPipeline
import DVFile
import DVGit
import DVStore
public import DVWorkspace

/// Reads what plots show of one or several versions: series of values, and images.
public struct ReadPlots: Sendable {
  /// What is asked for.
  public struct Request: Sendable {
    /// Versions in git's syntax, in the order in which they are shown; `workspace` is what is on disk. None is that too.
    public var revisions: [String] = []
    /// Plots by the names that `dv.yaml` gives them, or paths of files and directories; of none, all of `dv.yaml`.
    public var targets: [String] = []
    /// The current directory.
    public var directory = TreePath.root
    /// How targets are drawn, if not as `dv.yaml` says: `x`, `y`, `template` and so on, as there.
    public var properties = JSONObject()

    public init() {}
  }

  /// An image of one version.
  public struct Image: Sendable {
    public let revision: String
    public let path: StagePath
    public let format: ImageFormat
    public let bytes: [UInt8]
  }

  /// One picture of the page.
  public struct Plot: Sendable {
    public let definition: PlotDefinition
    public internal(set) var series: [PlotSeries] = []
    public internal(set) var images: [Image] = []
  }

  public struct Report: Sendable {
    public internal(set) var revisions: [String] = []
    public internal(set) var plots: [Plot] = []
    /// What could not be read or drawn as asked, in words; each once.
    public internal(set) var problems: [String] = []
  }

  /// What is on disk, as a version.
  public static let workspace = "workspace"
  /// The most bytes of one image, and of all.
  public static let imageLimit = 8 << 20
  public static let imagesLimit = 64 << 20
  /// The most pictures, and the most series and versions of one.
  public static let plotLimit = 200
  public static let seriesLimit = 64
  public static let revisionLimit = 32

  private let request: Request

  public init(_ request: Request) { self.request = request }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for too many versions; ``GitError`` for one that does not exist.
  public func run(in repository: Repository) async throws -> Report {
    var reading = PlotReading()
    let names = request.revisions.isEmpty ? [Self.workspace] : request.revisions
    guard names.count <= Self.revisionLimit else {
      throw RepositoryError(.usage, "\(names.count) revisions are more than one page compares.", remedy: "Name \(Self.revisionLimit) at most.")
    }
    for name in names where !reading.report.revisions.contains(name) {
      let isKnown = name == Self.workspace && (try? repository.git.resolve(revision: name)) == nil
      reading.versions.append((name, try RevisionFiles(repository, revision: isKnown ? nil : name)))
      reading.report.revisions.append(name)
    }
    for definition in try definitions(&reading) { try await reading.read(definition) }
    return reading.report
  }

  /// What is to be drawn: as the last version that has a plot declares it.
  private func definitions(_ reading: inout PlotReading) throws -> [PlotDefinition] {
    var known: [PlotDefinition] = []
    var problems: [String] = []
    for (_, files) in reading.versions.reversed() {
      let own = try files.pipelines(from: request.directory).flatMap { $0.plotDefinitions { problems.append($0) } }
      // A file may be drawn in several ways; what another version declares besides comes after.
      let names = Set(known.map(\.name))
      known += own.filter { !names.contains($0.name) }
    }
    problems.forEach { reading.note($0) }
    guard !request.targets.isEmpty else { return known }
    var chosen: [PlotDefinition] = []
    let start = try StagePath(request.directory)
    for target in request.targets {
      let path = try? StagePath(target, in: start)
      let found = known.filter { $0.name == target || ($0.sources.count == 1 && $0.sources[0].file == path) }
      if !found.isEmpty, request.properties.isEmpty {
        chosen += found
      } else {
        chosen.append(try PlotDefinition(target, request.properties, in: start) { reading.note($0) })
      }
    }
    return chosen
  }
}

/// A format of images, known by their first bytes.
public enum ImageFormat: String, Sendable {
  case png = "image/png"
  case jpeg = "image/jpeg"
  case gif = "image/gif"
  case webp = "image/webp"
  case svg = "image/svg+xml"

  /// The ends of names of such files.
  static let suffixes = [".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"]

  static func isName(_ path: StagePath) -> Bool { suffixes.contains { path.text.lowercased().hasSuffix($0) } }

  init?(_ bytes: [UInt8], _ path: StagePath) {
    if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]) {
      self = .png
    } else if bytes.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if bytes.starts(with: "GIF8".utf8) {
      self = .gif
    } else if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) {
      self = .webp
    } else if path.text.lowercased().hasSuffix(".svg"), bytes.prefix(4096).contains(UInt8(ascii: "<")) {
      self = .svg
    } else {
      return nil
    }
  }
}

/// The reading of plots under way.
private struct PlotReading {
  var versions: [(name: String, files: RevisionFiles)] = []
  var report = ReadPlots.Report()
  private var known: Set<String> = []
  private var imageBytes = 0

  /// Notes what is wrong, once, and not without end.
  mutating func note(_ problem: String) {
    guard known.count < 100, known.insert(problem).inserted else { return }
    report.problems.append(problem)
  }

  /// Reads one plot, or all that a directory holds.
  mutating func read(_ definition: PlotDefinition) async throws {
    guard definition.sources.count == 1 else { return try await draw(definition) }
    // A directory is a plot for each file in it.
    let place = definition.sources[0].file
    var files: [StagePath] = []
    for (_, version) in versions {
      for file in try await listed(place, version) {
        guard let path = try? StagePath(file), !files.contains(path) else { continue }
        files.append(path)
      }
    }
    if files == [place] { return try await draw(definition) }
    if files.isEmpty { note("The plot '\(definition.name)' has no file '\(place)' in any of the versions.") }
    for file in files {
      let known = [".csv", ".tsv", ".json", ".yaml", ".yml", ".toml"] + ImageFormat.suffixes
      guard known.contains(where: { file.text.lowercased().hasSuffix($0) }) else { continue }
      var inner = PlotDefinition(file.text, sources: [PlotDefinition.Source(file: file, fields: definition.sources[0].fields)])
      inner.template = definition.template
      inner.x = definition.x
      (inner.xLabel, inner.yLabel, inner.hasHeader, inner.isSorted) =
        (definition.xLabel, definition.yLabel, definition.hasHeader, definition.isSorted)
      try await draw(inner)
    }
  }

  private mutating func listed(_ place: StagePath, _ version: RevisionFiles) async throws -> [TreePath] {
    do { return try await version.files(at: TreePath(place), limit: ReadPlots.plotLimit) } catch {
      try absorb(error, place)
      return []
    }
  }

  private mutating func draw(_ definition: PlotDefinition) async throws {
    guard report.plots.count < ReadPlots.plotLimit else {
      return note("There are more than \(ReadPlots.plotLimit) plots; the rest is left out.")
    }
    var plot = ReadPlots.Plot(definition: definition)
    var axisFiles: [StagePath] = []
    if case .sources(let axes) = definition.x { axisFiles = axes.map(\.file) }
    for (name, version) in versions {
      var contents: [StagePath: [UInt8]] = [:]
      for file in definition.sources.map(\.file) + axisFiles where contents[file] == nil {
        let isImage = ImageFormat.isName(file)
        do {
          let limit = isImage ? ReadPlots.imageLimit : PlotTable.maximumByteCount
          contents[file] = try await version.content(of: TreePath(file), limit: limit)
        } catch {
          try absorb(error, file)
        }
        if isImage, let bytes = contents[file] { add(bytes, of: file, name, to: &plot) }
      }
      var problems: [String] = []
      plot.series += definition.series(of: name) { problems.append($0) } table: { file, fields in
        guard let bytes = contents[file], !ImageFormat.isName(file) else { return nil }
        do throws(PipelineError) {
          return try PlotTable(parsing: bytes, named: file.text, hasHeader: definition.hasHeader, fields: fields)
        } catch {
          problems.append("\(error.message) (at '\(name)')")
          return nil
        }
      }
      problems.forEach { note($0) }
    }
    if plot.series.count > ReadPlots.seriesLimit {
      note("The plot '\(definition.name)' has \(plot.series.count) series; the first \(ReadPlots.seriesLimit) are drawn.")
      plot.series.removeLast(plot.series.count - ReadPlots.seriesLimit)
    }
    guard !plot.series.isEmpty || !plot.images.isEmpty else {
      return note("There is nothing to draw for the plot '\(definition.name)'.")
    }
    report.plots.append(plot)
  }

  private mutating func add(_ bytes: [UInt8], of file: StagePath, _ revision: String, to plot: inout ReadPlots.Plot) {
    guard let format = ImageFormat(bytes, file) else { return note("'\(file)' at '\(revision)' is no image, by its first bytes.") }
    guard imageBytes + bytes.count <= ReadPlots.imagesLimit else {
      return note("Images take more than \(ReadPlots.imagesLimit >> 20) MiB; '\(file)' and others are left out.")
    }
    imageBytes += bytes.count
    plot.images.append(ReadPlots.Image(revision: revision, path: file, format: format, bytes: bytes))
  }

  /// Notes what one file is the fault of; anything else ends the reading.
  private mutating func absorb(_ error: any Error, _ file: StagePath) throws {
    switch error {
    case let error as PipelineError: note(error.message)
    case let error as StoreError where error.code == .missing:
      note("'\(file)' is neither in the local store nor on the remote; 'dv fetch' with the revision may get it.")
    case let error as WorkspaceError where error.code == .missing:
      note("'\(file)' is neither in the local store nor on the remote; 'dv fetch' with the revision may get it.")
    default: throw error
    }
  }
}
