import DVObject

/// What `${…}` may name: values of `vars` and of the files they name, each with where it came from.
struct TemplateContext {
  private(set) var values = JSONObject()
  /// Which file or list of `vars` said a name at the top.
  private var sources: [String: String] = [:]
  /// Files that were read, and which of their names; `nil` for all.
  private var loaded: [StagePath: Set<String>?] = [:]

  /// Adds what `vars` says itself.
  ///
  /// - Throws: ``PipelineError/Code/template`` if a name has a value already.
  mutating func add(_ object: JSONObject, from source: String, at place: SourcePlace) throws(PipelineError) {
    values = try merge(object, into: values, name: "", source, place)
    for key in object.keys where sources[key] == nil { sources[key] = source }
  }

  /// Adds values of a file that `vars` names.
  ///
  /// - Parameter names: which of them; `nil` for all.
  mutating func add(
    _ object: JSONObject, of file: StagePath, names: [String]?, at place: SourcePlace
  ) throws(PipelineError) {
    if let earlier = loaded[file] {
      guard let earlier else {
        if names == nil { return }
        throw PipelineError(
          .template, "\(place): names of '\(file)' are asked for, and the whole file is in 'vars' already.",
          remedy: "Name the file once, without names ('params.yaml' is always read).")
      }
      guard let names, earlier.isDisjoint(with: names) else {
        throw PipelineError(.template, "\(place): some of '\(file)' is in 'vars' already.", remedy: "Name each part once.")
      }
      loaded[file] = earlier.union(names)
    } else {
      loaded[file] = .some(names.map(Set.init))
    }
    guard let names else { return try add(object, from: "'\(file)'", at: place) }
    var selected = JSONObject()
    for name in names {
      guard let value = object[name] else {
        throw PipelineError(.template, "\(place): '\(file)' has no '\(name)'.\(Suggestion(for: name, among: object.keys))")
      }
      selected[name] = value
    }
    try add(selected, from: "'\(file)'", at: place)
  }

  /// Returns this context with `item` and `key` of a stage that is made several times.
  func with(_ local: JSONObject) -> TemplateContext {
    var context = self
    for member in local.members { context.values[member.key] = member.value }
    return context
  }

  private func merge(
    _ update: JSONObject, into base: JSONObject, name: String, _ source: String, _ place: SourcePlace
  ) throws(PipelineError) -> JSONObject {
    var base = base
    for member in update.members {
      let path = name.isEmpty ? member.key : "\(name).\(member.key)"
      switch (base[member.key], member.value) {
      case (nil, let value): base[member.key] = value
      case (.object(let inner)?, .object(let update)):
        base[member.key] = .object(try merge(update, into: inner, name: path, source, place))
      default:
        let first = path.split(separator: ".").first.flatMap { sources[String($0)] } ?? source
        throw PipelineError(
          .template, "\(place): '\(path)' has a value from \(first) already, and \(source) gives it another.",
          remedy: "Rename one of the two.")
      }
    }
    return base
  }

  /// Returns the value of a name.
  func value(of name: String, at place: SourcePlace) throws(PipelineError) -> JSONValue {
    guard let path = ValuePath(name.trimmingSpaces) else {
      throw PipelineError(.template, "\(place): '${\(name)}' is no name: expected one like '${train.lr}' or '${layers[0]}'.")
    }
    guard let value = JSONValue.object(values).value(at: path) else {
      let known = values.keys + JSONValue.object(values).flattened().map(\.name)
      throw PipelineError(
        .template, "\(place): '${\(name)}' names no value.\(Suggestion(for: name, among: known))",
        remedy: "Add it to 'params.yaml' or to 'vars'; a '${' for the shell is written '\\${'.")
    }
    return value
  }
}

extension String {
  var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
