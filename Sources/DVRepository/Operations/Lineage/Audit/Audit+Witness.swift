import DVGit
import DVLineage
import DVObject
import DVSQLite
import DVStore

extension Audit {
  /// What remotes saw must still be so: no tag of the registry gone or made anew, no history rewritten, no record taken away.
  ///
  /// The remote that was named is asked; of the others counts what was last seen of them.
  mutating func witness() async throws {
    var present: [String: String] = [:]
    for reference in try repository.git.references() where reference.name.hasPrefix("refs/tags/") {
      present[String(reference.name.dropFirst("refs/tags/".count))] = reference.target.hex
    }
    let links = try chainLinks()
    for remote in try repository.remotes() {
      let seen: RemoteWitness
      if let (asked, store) = self.remote, asked.name == remote.name {
        seen = try await RemoteWitness(of: store, remote, in: repository)
      } else {
        seen = RemoteWitness(copiedFrom: remote, in: repository)
      }
      for problem in seen.problems { find(.tampering, "altered-witness", "remote \(remote.name)", problem) }
      if !seen.withdrawn.isEmpty {
        find(
          .gap, "witness-withdrawn", "remote \(remote.name)",
          "\(seen.withdrawn.count) of what it bore witness to it does not say any more: what was taken away there may be gone from git too.")
      }
      var whole = seen.witness
      for statement in seen.withdrawn { whole.add(statement, at: 0) }
      let before = report.findings.count
      compareTags(whole.tags, present, remote)
      try compareCommits(whole, remote)
      try compareChains(whole, links, remote)
      let holds = report.findings.count == before && seen.withdrawn.isEmpty && seen.problems.isEmpty
      report.witnessed += seen.witness.seen.count
      if report.anchor.kind == .none, holds, let last = seen.witness.seen.values.max() {
        report.anchor = .init(kind: .witness, name: remote.name, time: last)
      }
    }
  }

  private mutating func compareTags(_ seen: [String: [(object: String, time: UInt64)]], _ present: [String: String], _ remote: Remote) {
    for (name, objects) in seen where isAsked(.tag(name)) || present[name] == nil {
      guard let first = objects.first else { continue }
      guard let now = present[name] else {
        find(
          .tampering, "tag-gone", name,
          "Remote '\(remote.name)' saw this tag as object \(first.object.prefix(12)), and it is not here: deleted, or not fetched ('git fetch --tags').")
        continue
      }
      if !objects.contains(where: { $0.object == now }) {
        find(
          .tampering, "tag-replaced", name,
          "It is object \(now.prefix(12)) here; remote '\(remote.name)' saw it as \(first.object.prefix(12)).")
      } else if first.object != now {
        find(
          .gap, "tag-seen-twice", name,
          "Remote '\(remote.name)' saw it as \(first.object.prefix(12)) before it was \(now.prefix(12)): two clones made it, or it was made anew.")
      }
    }
  }

  private mutating func compareCommits(_ seen: Witness, _ remote: Remote) throws {
    func number(_ commit: GitObjectID) throws -> Int64? {
      try database.first("SELECT n FROM commits WHERE id = ?", .blob(commit.bytes)) { $0.integer(0) }
    }
    let isShallow = try repository.git.isShallow
    let tip = try repository.sharedTip().flatMap { try number($0) }
    let history = try tip.map { try index.ancestors(of: [$0]) }
    for case (.commit(let hex), _) in seen.seen {
      guard let commit = try? GitObjectID(hex: hex) else { continue }
      // Without a branch that all share it is enough that something leads there.
      if let n = try number(commit), history?.contains(n) != false { continue }
      if isShallow {
        find(.gap, "shallow", "git", "Of this shallow clone's history not all is here that remote '\(remote.name)' bore witness to.")
      } else {
        find(
          .tampering, "history-rewritten", "commit \(hex)",
          "Remote '\(remote.name)' saw it at the tip of the branch that all share, which does not lead to it now: rewritten, or not fetched ('git fetch').")
      }
    }
  }

  private mutating func compareChains(
    _ seen: Witness, _ links: [String: [Int64: (id: ObjectID, previous: String?)]], _ remote: Remote
  ) throws {
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    let own = try book.lastLink() == nil ? nil : try book.cloneID()
    for case (.chain(let clone, let number, let record), _) in seen.seen {
      if let here = links[clone]?[number] {
        if here.id != record {
          find(
            .tampering, "chain", "record \(here.id.hex)",
            "Remote '\(remote.name)' saw another record, \(record.shortHex), as number \(number) of the clone \(clone.prefix(12)).")
        }
      } else if clone == own {
        find(.tampering, "chain", "clone", "Remote '\(remote.name)' saw record \(number) of this clone, \(record.shortHex), which is gone.")
      }
    }
  }
}
