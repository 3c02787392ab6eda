import DVFile
import DVGit
public import DVPipeline
public import DVWorkspace

/// All pipelines of a working tree.
public struct Pipeline: Sendable {
  public let files: [PipelineFile]
  public let graph: StageGraph

  /// What the files say that this dv does not act on.
  public var warnings: [String] { files.flatMap(\.warnings) }
}

extension Repository {
  /// The most bytes of a `dv.yaml`.
  static let pipelineByteLimit = 4 << 20

  /// Reads the `dv.yaml` files of the working tree: at its top, in the directories above `directory` and wherever git
  /// tracks one.
  ///
  /// - Throws: ``PipelineError`` with file and line; code `graph` if the stages of all files do not fit together.
  public func pipeline(from directory: TreePath = .root) throws -> Pipeline {
    let root = try requireWorkDirectory()
    var places: [TreePath] = [.root]
    var above = TreePath.root
    for name in directory.names {
      above = above.appending(name)
      places.append(above)
    }
    let name = Array(PipelineFile.name.utf8)
    for entry in try git.index().entries(under: .root) where entry.path.bytes.suffix(name.count).elementsEqual(name) {
      if let path = TreePath(entry.path.bytes), path.lastName == name { places.append(path.parent) }
    }
    var files: [PipelineFile] = []
    var seen: Set<TreePath> = []
    for place in places where seen.insert(place).inserted {
      let file = place.appending(name)
      guard let bytes = try root.contentIfThere(file, limit: Self.pipelineByteLimit) else { continue }
      files.append(try pipelineFile(bytes, at: file) { try root.contentIfThere($0, limit: ValueFile.maximumByteCount) })
    }
    return Pipeline(files: files, graph: try StageGraph(files.flatMap(\.stages)))
  }

  /// Reads one `dv.yaml`.
  ///
  /// - Parameter read: reads the files of values that it names.
  func pipelineFile(
    _ bytes: [UInt8], at file: TreePath, read: (TreePath) throws -> [UInt8]?
  ) throws -> PipelineFile {
    var settings = ParsingSettings()
    settings.writesFalse = try configuration.string("parsing.bool") == "boolean_optional"
    settings.repeatsName = try configuration.string("parsing.list") == "append"
    var failure: (any Error)?
    do throws(PipelineError) {
      return try PipelineFile(parsing: bytes, at: try StagePath(file), settings: settings) { path throws(PipelineError) in
        do { return try read(TreePath(path)) } catch {
          failure = error
          throw PipelineError(.value, "'\(path)' cannot be read: \(error)")
        }
      }
    } catch {
      throw failure ?? error
    }
  }
}

extension StagePath {
  /// Takes over a path of the working tree.
  ///
  /// - Throws: ``PipelineError`` for one that is not UTF-8, which no pipeline can name.
  init(_ path: TreePath) throws(PipelineError) {
    guard !path.isRoot else {
      self = .root
      return
    }
    guard let text = String(validating: path.bytes, as: UTF8.self) else {
      throw PipelineError(.value, "'\(path)' is not UTF-8, so no pipeline can name it.", remedy: "Rename it.")
    }
    self = try StagePath(text)
  }
}

extension TreePath {
  /// Takes over a path of a pipeline: names that are none of `.`, `..` or empty, so it always is one.
  init(_ path: StagePath) { self = path.isRoot ? .root : TreePath(Array(path.text.utf8)) ?? .root }
}
