import DVGit
import DVLineage
import DVObject
import DVPipeline

/// Asks the policy whether a version may have an alias: `dv model promote`, `dv model check`, and `dv model get` with `model.enforce`.
///
/// All is judged by what git holds: the version's tag and commit, the records in that commit, signed tags, and the tip of the protected
/// branch. Only reproductions of this clone's own count beside those.
struct PolicyEvaluation {
  let repository: Repository
  let model: ModelRegistry.Model
  let alias: String
  /// The tag of the version that has or wants it.
  let version: ModelRegistry.Event
  /// The tag objects of the moves before, as hex digits.
  let before: [String]
  /// Whether the version had the alias earlier and gets it back: then it is not compared with what came after it.
  let isReturn: Bool
  /// The tag of the move; `nil` while there is none.
  let move: ModelRegistry.Event?
  /// Who moves it, as git names people.
  let movers: [String]
  /// All variables of the process, for git.
  let environment: [[UInt8]]

  func report() async throws -> PolicyReport {
    guard case .register(let release) = version.parsed.action else {
      throw RepositoryError(.usage, "'\(version.tag.name)' registers no version.")
    }
    let source = try ProtectedPolicy.read(in: repository)
    var report = PolicyReport(model: model.name, release: release, alias: alias, source: source)
    guard let needed = source?.policy?.requirements(of: alias, for: model.name) else { return report }
    guard let record = version.version else {
      report.checks.append(PolicyCheck("record", false, "The tag '\(version.tag.name)' was not made by dv and does not say what the model is."))
      return report
    }
    try repository.requireCommitted(record)
    let runs = try await CommittedRuns(of: record.commit, in: repository)
    if !needed.metrics.isEmpty {
      let values = runs.metrics(of: record)
      let holders = try await isReturn ? [] : self.holders(except: release)
      for rule in needed.metrics { report.checks.append(MetricQuestion(rule: rule, values: values, holders: holders).answer) }
      let lost = before.filter { object in !model.events.contains { $0.tag.object == object } }
      if !lost.isEmpty {
        let finding = "The move before (tag object \(lost[0].prefix(12))) is not here, so who had the alias is not known: 'git fetch --tags'."
        report.checks.append(PolicyCheck("history", false, finding))
      }
    }
    if needed.cleanCode || needed.lineage != nil {
      let lineage = try await RecordedLineage(of: record, runs, in: repository)
      if let wanted = needed.lineage { report.checks.append(lineage.answer(wanted)) }
      if needed.cleanCode { report.checks.append(try lineage.cleanCode()) }
    }
    if let worst = needed.reproduction { report.checks.append(try reproduction(of: record, atLeast: worst, runs, source)) }
    if needed.signature != nil || needed.approvals != nil {
      let signed = try SignedTags(of: record, version, in: repository)
      if let keys = needed.signature { report.checks.append(signed.signature(by: keys)) }
      if let approvals = needed.approvals {
        let owners = [record.user, version.tag.tagger].compactMap { $0 } + movers
        report.checks.append(signed.approvals(approvals, for: alias, notBy: owners))
      }
    }
    if needed.signedTags { report.checks.append(try await signedTags()) }
    if needed.signedCommit { report.checks.append(try await signedCommit(of: record)) }
    return report
  }

  /// The versions that had the alias before, the last first, with their metrics.
  private func holders(except release: ModelVersion) async throws -> [MetricQuestion.Holder] {
    var found: [MetricQuestion.Holder] = []
    var known: Set<ModelVersion> = [release]
    for event in model.moves(backFrom: before, of: alias, until: move?.time ?? .max) {
      if let holder = model.release(of: event), known.insert(holder).inserted, let record = model.version(holder)?.version {
        found.append(.init(release: holder, values: try await CommittedRuns(of: record.commit, in: repository).metrics(of: record)))
      }
    }
    return found
  }

  /// The last attempt that says anything counts: one that could not be carried out says nothing.
  private func reproduction(
    of record: ModelRecord, atLeast worst: ReproductionVerdict, _ runs: CommittedRuns, _ source: ProtectedPolicy?
  ) throws -> PolicyCheck {
    guard let run = record.run else { return PolicyCheck("reproduction", false, "No recorded run made the model, so it cannot be reproduced.") }
    var attempts = runs.reproductions
    if let source { attempts.merge(try CommittedRuns.reproductions(at: GitObjectID(hex: source.commit), in: repository)) { first, _ in first } }
    let shared = Set(attempts.keys)
    let own = RecordBook(repository, store: LazyStore(try repository.storePlace())).own
    for id in try own.names() {
      if let record = try? own.read(id), record.type == ReproductionRecord.type { attempts[id] = try? ReproductionRecord(record) }
    }
    let telling = attempts.filter { $0.value.run == run && $0.value.verdict <= .different }
    guard let last = telling.max(by: { ($0.value.end, $0.key) < ($1.value.end, $1.key) }) else {
      return PolicyCheck(
        "reproduction", false, "No reproduction of run \(run.shortHex) is known here: 'dv reproduce \(model.name)@\(record.release)' tries it, and others see the record that it stages when that is committed on the protected branch.")
    }
    var inputs = JSONObject()
    inputs["record"] = .string(last.key.hex)
    inputs["run"] = .string(run.hex)
    inputs["verdict"] = .string(last.value.verdict.rawValue)
    let who = last.value.user ?? "somebody"
    var finding = "\(last.value.verdict.rawValue), \(worst.rawValue) is needed (\(last.key.shortHex), by \(who))"
    if !shared.contains(last.key) {
      finding += "; known to this clone alone: others see it when its record is committed on \(source?.branchName ?? "the protected branch")"
    }
    return PolicyCheck("reproduction", last.value.verdict <= worst, finding, inputs)
  }

  private func signedTags() async throws -> PolicyCheck {
    let git = UserGit(repository, environment: environment)
    var inputs = JSONObject()
    // The tag of a move that is being made will be signed: TagWriting is told so.
    for tag in [version.tag] + [move?.tag].compactMap({ $0 }) {
      inputs[tag.name] = .string(tag.object)
      switch try await SignatureVerdict.ofTag(tag.object, message: tag.message, git) {
      case .accepted: continue
      case .none: return PolicyCheck("signed tags", false, "The tag '\(tag.name)' is not signed: register the next version with --sign, as a tag is never made anew.", inputs)
      case .refused(let words): return PolicyCheck("signed tags", false, "git does not accept the signature of '\(tag.name)': \(words)", inputs)
      }
    }
    return PolicyCheck("signed tags", true, "git accepts the signatures", inputs)
  }

  private func signedCommit(of record: ModelRecord) async throws -> PolicyCheck {
    let commit = try GitObjectID(hex: record.commit)
    var inputs = JSONObject()
    inputs["commit"] = .string(commit.hex)
    let name = "signed commit"
    switch try await SignatureVerdict.ofCommit(commit, in: repository, UserGit(repository, environment: environment)) {
    case .accepted: return PolicyCheck(name, true, "git accepts the signature of \(commit.shortHex)", inputs)
    case .none: return PolicyCheck(name, false, "The commit \(commit.shortHex) is not signed: register one that 'git commit -S' made.", inputs)
    case .refused(let words): return PolicyCheck(name, false, "git does not accept the signature of \(commit.shortHex): \(words)", inputs)
    }
  }
}
