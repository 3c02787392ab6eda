/// Where a file of a pipeline lies: names joined by `/`, relative to the working tree's root, which is empty.
public struct StagePath: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let text: String

  /// The working tree's root.
  public static let root = StagePath(unchecked: "")

  private init(unchecked text: String) { self.text = text }

  /// Reads a path as a pipeline names it.
  ///
  /// - Parameter directory: what it is relative to.
  /// - Throws: ``PipelineError/Code/schema`` if it is absolute, a URL or leads out of the working tree.
  public init(_ text: String, in directory: StagePath = .root) throws(PipelineError) {
    guard !text.isEmpty, !text.unicodeScalars.contains("\0") else {
      throw PipelineError(.schema, "A path is empty or has a NUL character.")
    }
    guard !text.contains("://") else {
      throw PipelineError(
        .schema, "'\(text)' is a URL, and a stage works with files of the working tree.",
        remedy: "Let the command fetch it and name it in 'params' or 'env', or bring it in and track it with 'dv add'.")
    }
    guard !text.hasPrefix("/") else {
      throw PipelineError(
        .schema, "'\(text)' is an absolute path, which means something else on every machine.",
        remedy: "Name it relative to the stage's directory.")
    }
    var names = directory.names
    for name in text.split(separator: "/") where name != "." {
      if name != ".." {
        names.append(String(name))
      } else if names.popLast() == nil {
        throw PipelineError(.schema, "'\(text)' leads out of the working tree.", remedy: "Name a path inside it.")
      }
    }
    self.text = names.joined(separator: "/")
  }

  /// Reads the path of an output, which is removed before its stage runs.
  ///
  /// - Throws: ``PipelineError/Code/schema`` as the other initialiser, and if removing it would take more than a command can make
  ///   again: the working tree itself, git's directory, dv's, or anything in them.
  public init(output text: String, in directory: StagePath = .root) throws(PipelineError) {
    try self.init(text, in: directory)
    // File systems that fold case have one `.git` by any spelling.
    let isKept = isRoot || names.contains { $0.lowercased() == ".git" } || names[0].lowercased() == ".dv"
    guard !isKept else {
      throw PipelineError(
        .schema, "'\(text)' cannot be an output: an output is removed before its stage runs.",
        remedy: "Name a file or directory that the command makes.")
    }
  }

  public var isRoot: Bool { text.isEmpty }
  public var names: [String] { text.split(separator: "/").map(String.init) }

  /// The directory it lies in; the root's is the root.
  public var parent: StagePath { StagePath(unchecked: names.dropLast().joined(separator: "/")) }

  /// Whether this is `other` or lies in it.
  public func isInside(_ other: StagePath) -> Bool {
    other.isRoot || text == other.text || text.hasPrefix(other.text + "/")
  }

  /// Whether one of the two lies in the other.
  public func overlaps(_ other: StagePath) -> Bool { isInside(other) || other.isInside(self) }

  /// How a command that runs in `directory` names it.
  public func relative(to directory: StagePath) -> String {
    var (path, base) = (names[...], directory.names[...])
    while let first = path.first, first == base.first {
      path.removeFirst()
      base.removeFirst()
    }
    let steps = base.map { _ in ".." } + path
    return steps.isEmpty ? "." : steps.joined(separator: "/")
  }

  public var description: String { isRoot ? "." : text }

  /// Orders by UTF-8 bytes.
  public static func < (left: Self, right: Self) -> Bool { left.text.utf8.lexicographicallyPrecedes(right.text.utf8) }
}
