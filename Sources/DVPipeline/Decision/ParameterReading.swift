public import DVObject

extension ParameterSelection {
  /// Returns the values that the selection names in a file's content.
  ///
  /// Of a whole file each member at its top is one parameter; a file that holds no mapping is one without a name.
  ///
  /// - Throws: ``PipelineError/Code/value`` naming the parameter that the file lacks.
  public func values(in content: JSONValue) throws(PipelineError) -> [ParameterValue] {
    guard !names.isEmpty else {
      guard case .object(let object) = content else { return [ParameterValue(file: file, name: "", value: content)] }
      return object.members.map { ParameterValue(file: file, name: $0.key, value: $0.value) }
    }
    var values: [ParameterValue] = []
    for name in names {
      guard let path = ValuePath(name), let value = content.value(at: path) else {
        let known = (content.object?.keys ?? []) + content.flattened().map(\.name)
        throw PipelineError(
          .value, "'\(file)' has no parameter '\(name)'.\(Suggestion(for: name, among: known))",
          remedy: "Add it to the file, or take it out of the stage's 'params'.")
      }
      values.append(ParameterValue(file: file, name: name, value: value))
    }
    return values
  }
}
