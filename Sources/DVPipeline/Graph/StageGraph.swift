/// Stages and which of them needs what another one makes.
public struct StageGraph: Sendable {
  /// All stages, each after those it depends on; otherwise in the order in which they were given.
  public let stages: [Stage]
  /// Positions of the stages that each one depends on directly, ascending.
  public let upstream: [[Int]]
  /// Positions of the stages that depend directly on each one, ascending.
  public let downstream: [[Int]]

  /// Puts stages in order.
  ///
  /// - Throws: ``PipelineError/Code/graph`` if two stages make the same file, one inside the other's directory counts
  ///   too, or stages wait for each other in a circle.
  /// - Complexity: O(*n* log *n*) in stages and files.
  public init(_ given: [Stage]) throws(PipelineError) {
    let makers = try OutputMakers(given)
    let needs = given.enumerated().map { index, stage in
      Array(Set(stage.reads.flatMap { makers.makers(of: $0) })).filter { $0 != index }.sorted()
    }
    for (index, stage) in given.enumerated() {
      if let own = stage.reads.first(where: { makers.makers(of: $0).contains(index) }) {
        throw PipelineError(
          .graph, "The stage '\(stage.address)' (\(Self.place(stage))) has '\(own)' as input and as output.",
          remedy: "Give what it makes another name, or mark the output 'persist: true' and do not name it as input.")
      }
    }
    let order = try Self.order(given, needs)
    var place = [Int](repeating: 0, count: given.count)
    for (position, index) in order.enumerated() { place[index] = position }
    stages = order.map { given[$0] }
    let upstream = order.map { needs[$0].map { place[$0] }.sorted() }
    var downstream = [[Int]](repeating: [], count: given.count)
    for (index, needed) in upstream.enumerated() {
      for other in needed { downstream[other].append(index) }
    }
    self.upstream = upstream
    self.downstream = downstream
  }

  static func place(_ stage: Stage) -> String { "\(stage.file) line \(stage.line)" }

  /// Takes stages whose needs are met, the first given first.
  private static func order(_ stages: [Stage], _ needs: [[Int]]) throws(PipelineError) -> [Int] {
    var states = [UInt8](repeating: 0, count: stages.count)  // 0 new, 1 under way, 2 done
    var order: [Int] = []
    for start in stages.indices where states[start] == 0 {
      // Depth first without recursion: each level keeps where it goes on.
      var path: [(index: Int, next: Int)] = [(start, 0)]
      states[start] = 1
      while let (index, next) = path.last {
        guard next < needs[index].count else {
          states[index] = 2
          order.append(index)
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let needed = needs[index][next]
        if states[needed] == 1 {
          let from = path.firstIndex { $0.index == needed } ?? 0
          let circle = path[from...].map { stages[$0.index].address }
          throw PipelineError(
            .graph,
            "These stages wait for each other: \((circle + [circle[0]]).joined(separator: " needs ")).",
            remedy: "One of them must not read what a later one makes.")
        }
        if states[needed] == 0 {
          states[needed] = 1
          path.append((needed, 0))
        }
      }
    }
    return order
  }

  // MARK: - Parts

  /// Returns the positions of stages that `name` selects: an address, a name, all of a repeated stage, a `dv.yaml` or an
  /// output.
  ///
  /// - Parameter directory: the current directory; names without a file are looked for in its `dv.yaml` first.
  /// - Throws: ``PipelineError/Code/notFound``.
  public func positions(named name: String, from directory: StagePath = .root) throws(PipelineError) -> [Int] {
    let own = (try? StagePath(PipelineFile.name, in: directory)) ?? StagePath.root
    let tests: [(Stage) -> Bool] = [
      { $0.file == own && ($0.name == name || $0.group == name) },
      { $0.address == name || "\($0.file):\($0.group)" == name || ($0.file.text == PipelineFile.name && $0.group == name) },
      { stage in
        guard let path = try? StagePath(name, in: directory) else { return false }
        return stage.file == path || stage.outputs.contains { $0.path == path }
      },
    ]
    for test in tests {
      let found = stages.indices.filter { test(stages[$0]) }
      if !found.isEmpty { return found }
    }
    throw PipelineError(
      .notFound, "There is no stage '\(name)'.\(Suggestion(for: name, among: stages.map(\.address)))",
      remedy: "'dv stage list' shows all stages.")
  }

  /// Returns these stages and all they depend on, in order.
  public func closure(of positions: [Int], downstream goesDown: Bool = false) -> [Int] {
    let next = goesDown ? downstream : upstream
    var seen = Set(positions)
    var waiting = positions
    while let position = waiting.popLast() {
      for other in next[position] where seen.insert(other).inserted { waiting.append(other) }
    }
    return seen.sorted()
  }

  /// The stage that makes `path`, or something that it lies in.
  public func maker(of path: StagePath) -> Stage? {
    stages.first { stage in stage.outputs.contains { path.isInside($0.path) } }
  }
}
