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
    let tags = try repository.witnessedTags()
    let present = Dictionary(tags.map { ($0.name, $0.object) }, uniquingKeysWith: { first, _ in first })
    var had = SeenTags(of: repository)
    let removals = try Removals(in: repository)
    for (tag, problem) in removals.problems { find(.tampering, "tag-contradicts-itself", tag, problem) }
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
      compareTags(whole.tags, present, remote, had, removals)
      try compareCommits(whole, remote)
      try compareChains(whole, links, remote)
      // What somebody answers for is told, and makes nothing else less sure.
      let holds = report.findings[before...].allSatisfy { $0.kind == "tag-removed" } && seen.withdrawn.isEmpty && seen.problems.isEmpty
      report.witnessed += seen.witness.seen.count
      if report.anchor.kind == .none, holds, let last = seen.witness.seen.values.max() {
        report.anchor = .init(kind: .witness, name: remote.name, time: last)
      }
    }
    for (_, removal) in removals.byObject.sorted(by: { $0.key < $1.key }) where present[removal.record.tag] == removal.record.object {
      find(
        .gap, "tag-removed", removal.record.tag,
        "It was \(removal.text). It is still in this clone: 'git tag -d \(removal.record.tag)', or it comes back with the next push of tags.")
    }
    had.add(tags)
  }

  private mutating func compareTags(
    _ seen: [String: [(object: String, time: UInt64)]], _ present: [String: String], _ remote: Remote, _ had: SeenTags, _ removals: Removals
  ) {
    for (name, objects) in seen.sorted(by: { $0.key < $1.key }) where isAsked(.tag(name)) || present[name] == nil {
      guard let first = objects.first else { continue }
      guard let now = present[name] else {
        absent(name, objects.map(\.object), remote, had, removals)
        continue
      }
      if !objects.contains(where: { $0.object == now }) {
        find(
          .tampering, "tag-replaced", name,
          "It is object \(now.prefix(12)) here; remote '\(remote.name)' saw it as \(first.object.prefix(12)).")
      } else if first.object != now {
        let removal = removals.removal(of: name, as: [first.object])
        let why = removal.map { "that one was \($0.text)" } ?? "two clones made it, or it was made anew"
        find(
          .gap, "tag-seen-twice", name,
          "Remote '\(remote.name)' saw it as \(first.object.prefix(12)) before it was \(now.prefix(12)): \(why).")
      }
    }
  }

  /// A tag that a remote saw is not here: somebody answers for that, or it was not fetched yet, or it is gone.
  private mutating func absent(_ name: String, _ objects: [String], _ remote: Remote, _ had: SeenTags, _ removals: Removals) {
    if let removal = removals.removal(of: name, as: objects) {
      return find(.gap, "tag-removed", name, "It was \(removal.text) ('\(removal.tag)').")
    }
    let saw = "Remote '\(remote.name)' saw this tag as object \(objects.first?.prefix(12) ?? "")"
    let isFetchable = server?.hasTag(name)
    if had.contains(name, as: objects) || objects.contains(where: { gitHas($0) }) {
      let remedy = isFetchable == false ? "" : " 'git fetch --tags' brings it back, if the server has it."
      find(.tampering, "tag-gone", name, "\(saw), this clone had it, and it is gone.\(remedy) If it was removed on purpose: 'dv model remove'.")
    } else if isFetchable == false {
      find(
        .tampering, "tag-gone", name,
        "\(saw), and neither this clone nor git's server has it: deleted there, or whoever made it has not pushed it yet. If it was removed on purpose: 'dv model remove'.")
    } else {
      let rest = isFetchable == true ? "" : " If it does not, the tag was deleted: 'dv audit --remote' asks git's server too."
      find(.gap, "not-fetched", name, "\(saw), and it is not in this clone: 'git fetch --tags' brings it.\(rest)")
    }
  }

  private mutating func compareCommits(_ seen: Witness, _ remote: Remote) throws {
    func number(_ commit: GitObjectID) throws -> Int64? {
      try database.first("SELECT n FROM commits WHERE id = ?", .blob(commit.bytes)) { $0.integer(0) }
    }
    let isShallow = try repository.git.isShallow
    let tip = try repository.sharedTip()
    let history = try tip.flatMap { try number($0) }.map { try index.ancestors(of: [$0]) }
    for case (.commit(let hex), _) in seen.seen {
      guard let commit = try? GitObjectID(hex: hex) else { continue }
      // Without a branch that all share it is enough that something leads there.
      if let n = try number(commit), history?.contains(n) != false { continue }
      let saw = "Remote '\(remote.name)' saw it at the tip of the branch that all share"
      let current = server?.sharedTip
      if isShallow {
        find(.gap, "shallow", "git", "Of this shallow clone's history not all is here that remote '\(remote.name)' bore witness to.")
      } else if current.map({ !gitHas($0) }) ?? !gitHas(hex) {
        let rest = current == nil ? " If it does not, history was rewritten: 'dv audit --remote' asks git's server too." : ""
        find(.gap, "not-fetched", "commit \(hex)", "\(saw), and it is not in this clone's history: 'git fetch' brings it.\(rest)")
      } else {
        let remedy = current == nil ? ", or this clone's 'origin' is older than that: 'git fetch'" : ""
        find(.tampering, "history-rewritten", "commit \(hex)", "\(saw), which does not lead to it now: rewritten\(remedy).")
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
