import DVGit
public import DVObject
public import SystemPackage

/// Finds everything that a file or dataset ended up in: the operation behind `dv impact`.
public struct FindImpact: Sendable {
  /// What was found.
  public struct Report: Sendable {
    /// The contents that were asked for.
    public internal(set) var oids: [ObjectID] = []
    /// All that came of it.
    public internal(set) var graph = LineageGraph()
    /// Whether anything here has or had the contents.
    public var isKnown: Bool { oids.isEmpty || graph.nodes.contains { $0.kind != .data || !$0.label.isEmpty } }
    /// Model versions, aliases, runs, data versions and commits, each as a node of the graph; of runs, record, commit, status and end are told.
    public func nodes(_ kind: LineageGraph.Node.Kind) -> [LineageGraph.Node] { graph.nodes.filter { $0.kind == kind } }
  }

  private let target: [UInt8]
  private let directory: FilePath

  /// - Parameter target: a path, an oid, or any file on disk, which is looked for by its content.
  public init(_ target: [UInt8], from directory: FilePath) {
    self.target = target
    self.directory = directory
  }

  /// Carries it out. Searches what directories hold, so the first time costs a look at every tree that is here.
  public func run(in repository: Repository) async throws -> Report {
    let index = try LineageIndex(of: repository)
    try await index.update(from: repository)
    var report = Report()
    let absent = try await index.updateContents(repository.dataReader(allowingRemote: false).nodes)
    let trace = LineageTrace(index, of: repository)
    let keys = try await LineageTarget(trace: trace, repository: repository, directory: directory).keys(target, hashingFiles: true)
    // By content: another path with the same bytes is the same data.
    var starts: [LineageKey] = []
    for key in keys {
      guard case .data(_, let oid) = key else {
        starts.append(key)
        continue
      }
      if !report.oids.contains(oid) {
        report.oids.append(oid)
        let paths = try trace.places(of: oid)
        starts += paths.isEmpty ? [key] : paths.map { .data(path: $0, oid: oid) }
      }
    }
    var walk = GraphWalk(trace: trace, isBrief: true)
    try await walk.follow(starts, direction: .down, depth: nil)
    walk.graph.unsearchedTrees = absent
    walk.graph.problems = try index.problems()
    report.graph = walk.graph
    return report
  }
}
