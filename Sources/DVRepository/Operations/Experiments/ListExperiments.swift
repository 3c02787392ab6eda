import DVGit
public import DVLineage
public import DVObject

/// An experiment that is kept.
public struct KeptExperiment: Sendable {
  public let name: String
  /// 40 hex digits.
  public let commit: String
  /// The commit it was made from; `nil` if it has none.
  public let base: String?
  /// In seconds since 1970.
  public let time: Int64
  public let author: String
  /// What its commit says of it; `nil` if it says nothing that is understood.
  public let experiment: Experiment?

  /// The value of a name in a condition: `metrics.…`, `params.…`, `name`, `base`, `commit`, `created`, `author`.
  public func value(_ name: String) -> JSONValue? {
    switch name {
    case "name": .string(self.name)
    case "base": base.map { .string($0) }
    case "commit": .string(commit)
    case "created": .integer(time)
    case "author": .string(author)
    default: experiment?.value(name)
    }
  }
}

/// Finds experiments.
///
/// - Complexity: one commit read for each; no tree and no file.
public struct ListExperiments: Sendable {
  private let filter: ExperimentFilter?
  private let order: [String]
  private let isDescending: Bool
  private let limit: Int?

  /// - Parameters:
  ///   - order: names of values to sort by; by time if there is none. Experiments without the value come last.
  ///   - limit: only so many, the first.
  public init(filter: ExperimentFilter? = nil, order: [String] = [], isDescending: Bool = false, limit: Int? = nil) {
    self.filter = filter
    self.order = order
    self.isDescending = isDescending
    self.limit = limit
  }

  /// Carries it out.
  public func run(in repository: Repository) throws -> [KeptExperiment] {
    var found: [KeptExperiment] = []
    for (name, target) in try repository.git.referenceTargets(prefix: Experiment.referencePrefix) {
      guard let kept = try? repository.experiment(String(name.dropFirst(Experiment.referencePrefix.count)), target) else { continue }
      if filter?.fits(kept.value) ?? true { found.append(kept) }
    }
    let names = order.isEmpty ? ["created", "name"] : order
    let keys = found.map { kept in names.map { kept.value($0) } }
    let positions = found.indices.sorted { left, right in
      for (one, other) in zip(keys[left], keys[right]) {
        switch (one, other) {
        case (nil, nil): continue
        case (nil, _?): return false
        case (_?, nil): return true
        case (let one?, let other?):
          let order = Self.compare(one, other)
          if order != 0 { return isDescending ? order > 0 : order < 0 }
        }
      }
      return found[left].name < found[right].name
    }
    let sorted = positions.map { found[$0] }
    return limit.map { Array(sorted.prefix($0)) } ?? sorted
  }

  private static func compare(_ left: JSONValue, _ right: JSONValue) -> Int {
    if let one = left.double, let other = right.double { return one < other ? -1 : one > other ? 1 : 0 }
    let (one, other) = (left.string ?? String(decoding: left.canonical(), as: UTF8.self), right.string ?? String(decoding: right.canonical(), as: UTF8.self))
    return one < other ? -1 : one > other ? 1 : 0
  }
}

extension Repository {
  func experiment(_ name: String, _ target: GitObjectID) throws -> KeptExperiment {
    let commit = try git.commit(target)
    return KeptExperiment(
      name: name, commit: target.hex, base: commit.parents.first?.hex, time: commit.commitTime, author: commit.author.name,
      experiment: Experiment(message: commit.message))
  }

  /// Finds an experiment by its name.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if there is none.
  public func experiment(named name: String) throws -> KeptExperiment {
    guard Experiment.isName(name),
      let found = try git.referenceTargets(prefix: Experiment.referencePrefix + name)
        .first(where: { $0.name == Experiment.referencePrefix + name })
    else {
      throw RepositoryError(.usage, "There is no experiment '\(name)'.", remedy: "'dv exp list' shows all.")
    }
    return try experiment(name, found.target)
  }
}

/// Removes experiments. Their commits stay until git collects them; their data until 'dv gc' does.
public struct RemoveExperiments: Sendable {
  private let names: [String]

  /// - Parameter names: all if there is none.
  public init(_ names: [String]) { self.names = names }

  /// Carries it out.
  ///
  /// - Returns: the names of those removed.
  public func run(in repository: Repository) throws -> [String] {
    let prefix = Experiment.referencePrefix
    let chosen = names.isEmpty
      ? try repository.git.referenceTargets(prefix: prefix).map { String($0.name.dropFirst(prefix.count)) }
      : try names.map { try repository.experiment(named: $0).name }
    for name in chosen { try repository.git.removeReference(prefix + name) }
    return chosen
  }
}

/// Makes a branch of an experiment.
public struct BranchExperiment: Sendable {
  private let name: String
  private let branch: String

  public init(_ name: String, as branch: String) {
    self.name = name
    self.branch = branch
  }

  /// Carries it out. Nothing is checked out.
  public func run(in repository: Repository) throws {
    let kept = try repository.experiment(named: name)
    let reference = "refs/heads/\(branch)"
    if try repository.git.referenceTargets(prefix: reference).contains(where: { $0.name == reference }) {
      throw RepositoryError(.usage, "There is a branch '\(branch)' already.", remedy: "Choose another name.")
    }
    guard !branch.isEmpty, !branch.hasPrefix("-") else { throw RepositoryError(.usage, "'\(branch)' cannot name a branch.") }
    try repository.git.setReference(reference, to: try GitObjectID(hex: kept.commit))
  }
}
