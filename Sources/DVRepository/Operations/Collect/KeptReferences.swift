import DVGit

extension GitReference {
  /// Whether audits need what the reference names, whatever becomes of the branches: a registered version of a model
  /// (`NAME@v1.2.0`), an experiment, or a pin.
  var isKeptForAudits: Bool {
    if name.hasPrefix("refs/dv/") { return true }
    guard name.hasPrefix("refs/tags/"), let at = name.lastIndex(of: "@") else { return false }
    let version = name[name.index(after: at)...]
    return version.hasPrefix("v") && version.dropFirst().first?.isNumber == true
  }
}
