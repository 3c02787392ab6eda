import DVGit
import DVObject
import DVSQLite
public import SystemPackage

/// Follows what made something, and what came of it: the operation behind `dv lineage`.
public struct TraceLineage: Sendable {
  /// Which way to go.
  public enum Direction: Sendable { case up, down, both }

  private let target: [UInt8]
  private let other: [UInt8]?
  private let direction: Direction
  private let depth: Int?
  private let directory: FilePath

  /// - Parameters:
  ///   - target: a path, `REV:path`, the start of an oid, a run or a commit, `model@version`, `model@alias`.
  ///   - other: only what lies between both.
  ///   - depth: how many steps to go; `nil` for all.
  ///   - directory: what paths are relative to.
  public init(_ target: [UInt8], between other: [UInt8]? = nil, direction: Direction, depth: Int?, from directory: FilePath) {
    self.target = target
    self.other = other
    self.direction = direction
    self.depth = depth
    self.directory = directory
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if the target names nothing.
  public func run(in repository: Repository) async throws -> LineageGraph {
    let index = try LineageIndex(of: repository)
    try await index.update(from: repository)
    let trace = LineageTrace(index, of: repository)
    let resolver = LineageTarget(trace: trace, repository: repository, directory: directory)
    let keys: [LineageKey]
    do {
      keys = try await resolver.keys(target, hashingFiles: false)
    } catch let error as RepositoryError where error.code == .usage && LineageTarget.isHash(target) {
      // Of files in tracked directories those are known by their oids that were searched for once.
      _ = try await index.updateContents(repository.dataReader(allowingRemote: false).nodes)
      keys = try await resolver.keys(target, hashingFiles: false)
    }
    var walk = GraphWalk(trace: trace)
    if let other {
      let ends = try await resolver.keys(other, hashingFiles: false)
      try await walk.between(keys, ends)
    } else {
      try await walk.follow(keys, direction: direction, depth: depth)
    }
    // A part of a directory leads to it only by what directories hold.
    if walk.graph.edges.isEmpty, case .data = keys[0] {
      walk.graph.unsearchedTrees = try await index.updateContents(repository.dataReader(allowingRemote: false).nodes)
      var again = GraphWalk(trace: trace)
      if let other {
        try await again.between(keys, try await resolver.keys(other, hashingFiles: false))
      } else {
        try await again.follow(keys, direction: direction, depth: depth)
      }
      again.graph.unsearchedTrees = walk.graph.unsearchedTrees
      walk = again
    }
    walk.graph.problems = try index.problems()
    return walk.graph
  }
}

/// Gathers a part of the graph.
struct GraphWalk {
  let trace: LineageTrace
  var graph = LineageGraph()
  /// Whether only nodes are wanted, and of records only what lists show.
  private let isBrief: Bool
  private var known: Set<LineageKey> = []
  private var edges: Set<LineageGraph.Edge> = []

  init(trace: LineageTrace, isBrief: Bool = false) {
    self.trace = trace
    self.isBrief = isBrief
  }

  /// Follows both ways from some nodes, each way without turning round.
  mutating func follow(_ keys: [LineageKey], direction: TraceLineage.Direction, depth: Int?) async throws {
    try trace.index.database.reading {
      for key in keys {
        try add(key)
        graph.targets.append(try trace.id(of: key))
      }
      if direction != .down { try walk(keys, isUp: true, depth: depth) }
      if direction != .up { try walk(keys, isUp: false, depth: depth) }
    }
  }

  /// Follows from one end to the other, whichever comes first.
  mutating func between(_ starts: [LineageKey], _ ends: [LineageKey]) async throws {
    try trace.index.database.reading {
      for isUp in [false, true] {
        var forward = GraphWalk(trace: trace)
        try forward.walk(starts, isUp: isUp, depth: nil)
        var backward = GraphWalk(trace: trace)
        try backward.walk(ends, isUp: !isUp, depth: nil)
        let common = forward.known.union(starts).intersection(backward.known.union(ends))
        let isLinked = ends.contains { forward.known.contains($0) }
        guard isLinked else { continue }
        for key in starts where common.contains(key) { try add(key) }
        for key in common.subtracting(starts) { try add(key) }
        let ids = Set(graph.nodes.map(\.id))
        for edge in forward.graph.edges where ids.contains(edge.from) && ids.contains(edge.to) { note(edge) }
        break
      }
      for key in starts + ends { graph.targets.append(try trace.id(of: key)) }
      for key in starts + ends { try add(key) }
    }
  }

  private mutating func add(_ key: LineageKey) throws {
    guard known.insert(key).inserted else { return }
    graph.nodes.append(try trace.node(key, isBrief: isBrief))
  }

  private mutating func note(_ edge: LineageGraph.Edge) {
    if edges.insert(edge).inserted { graph.edges.append(edge) }
  }

  private mutating func walk(_ starts: [LineageKey], isUp: Bool, depth: Int?) throws {
    var front = starts
    var visited = Set(starts)
    var step = 0
    while !front.isEmpty {
      try Task.checkCancellation()
      if let depth, step >= depth {
        graph.isCut = try front.contains { key in
          let steps = isUp ? try trace.causes(of: key, isTarget: step == 0) : try trace.effects(of: key, isTarget: step == 0)
          return steps.contains { !known.contains($0.other) }
        } || graph.isCut
        return
      }
      var next: [LineageKey] = []
      for key in front {
        let steps = isUp ? try trace.causes(of: key, isTarget: step == 0) : try trace.effects(of: key, isTarget: step == 0)
        let here = isBrief ? "" : try trace.id(of: key)
        for neighbour in steps {
          try add(neighbour.other)
          if !isBrief {
            let there = try trace.id(of: neighbour.other)
            note(isUp ? .init(from: there, to: here, role: neighbour.role) : .init(from: here, to: there, role: neighbour.role))
          }
          if visited.insert(neighbour.other).inserted { next.append(neighbour.other) }
        }
      }
      front = next
      step += 1
    }
  }
}
