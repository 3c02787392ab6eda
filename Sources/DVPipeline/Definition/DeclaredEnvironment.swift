/// What of its surroundings a stage says that it depends on: `env` in `dv.yaml`. It enters the stage's key.
public struct DeclaredEnvironment: Hashable, Sendable {
  /// Names of variables whose values count.
  public var variables: [String] = []
  /// Files that pin packages, such as `uv.lock`: their content counts.
  public var lockFiles: [StagePath] = []
  /// Names of Python packages whose installed versions count; `python` is the interpreter's version.
  public var packages: [String] = []
  /// A container image, by digest.
  public var image: String?

  public init() {}

  public var isEmpty: Bool { variables.isEmpty && lockFiles.isEmpty && packages.isEmpty && image == nil }
}
