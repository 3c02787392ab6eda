/// Which parameters of one file a stage depends on.
public struct ParameterSelection: Hashable, Sendable {
  /// The file that is meant where none is named.
  public static let defaultFile = "params.yaml"

  public let file: StagePath
  /// Names inside the file; empty for all that is in it.
  public var names: [String]

  public init(file: StagePath, names: [String]) {
    self.file = file
    self.names = names
  }
}
