public import DVObject

/// A file or directory that a stage makes.
public struct Output: Hashable, Sendable {
  /// What it is for.
  public enum Role: String, Hashable, Sendable {
    case data = "out"
    case metric
    case plot
  }

  public let path: StagePath
  public var role: Role
  /// Whether dv tracks it, with a pointer; else git does, as with small metrics.
  public var isCached: Bool
  /// Whether it is left in place when the stage runs again, so that the command can go on from it.
  public var isPersistent: Bool
  /// Whether `dv push` shares it.
  public var isPushed: Bool
  /// Descriptions: what `dv.yaml` says besides.
  public var annotations: JSONObject
  /// Of a plot, the ways in which it is drawn; none if nothing is said of that.
  public var ways: [JSONObject] = []

  public init(
    _ path: StagePath, role: Role = .data, isCached: Bool = true, isPersistent: Bool = false, isPushed: Bool = true,
    annotations: JSONObject = JSONObject()
  ) {
    self.path = path
    self.role = role
    self.isCached = isCached
    self.isPersistent = isPersistent
    self.isPushed = isPushed
    self.annotations = annotations
  }
}
