import ArgumentParser
import DVRepository
import DVStore

struct RepairCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "repair", abstract: "Make good what is damaged in the local store or on a remote.",
    discussion: """
      Reads everything to find what is damaged. Then makes lost or damaged parts of the index again from the packs, saves \
      what is whole in damaged packs, and gets the rest from the remotes (for a remote: from the local store) and from \
      files of the working tree that are what their pointers say. Damaged files are moved to 'quarantine/' in the same \
      store: nothing is deleted, and nothing but you removes what is there.

      Exits with 4 if something stays damaged, with 3 if something stays missing. It may be stopped at any time and run \
      again.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(
    name: [.customShort("r"), .long], help: ArgumentHelp("Repair this remote and not the local store.", valueName: "name"))
  var remote: String?

  @Flag(name: .shortAndLong, help: "Say what would be done, and change nothing.")
  var dryRun = false

  @Flag(name: .long, help: "Read the structure only: finds what is missing or cut short, not every flipped bit.")
  var fast = false

  func run() async throws {
    let operation = RepairData(remote.map { .remote($0) } ?? .local, isDryRun: dryRun, readsAll: !fast)
    let speaks = !options.json && !options.quiet
    let verbose = options.verbose
    let report = try await ProgressDisplay(quiet: options.quiet).show { progress in
      try await operation.run(in: try Here.repository(), progress: progress) { report in
        if speaks { try StandardOutput.write(Self.plan(report, verbose: verbose).map { $0 + "\n" }.joined()) }
      }
    }
    if options.json {
      try StandardOutput.write(json(report))
    } else if !options.quiet {
      try StandardOutput.write(outcome(report).map { $0 + "\n" }.joined())
    }
    try throwRemaining(report)
  }

  // MARK: - Text

  private static func plan(_ report: RepairData.Report, verbose: Bool) -> [String] {
    let plan = report.plan
    guard !plan.isEmpty else { return ["\(report.before.title) is whole: there is nothing to repair."] }
    var lines = report.before.damageLines(limit: verbose ? .max : 20)
    lines.append(report.isDryRun ? "Would do:" : "Doing:")
    func count(_ number: Int, _ noun: String) -> String { Count(UInt64(number)).of(noun) }
    if plan.isFormatDamaged { lines.append("  write the format again") }
    if !plan.segments.isEmpty { lines.append("  make \(count(plan.segments.count, "index segment")) again from packs") }
    if plan.adopted > 0 { lines.append("  index \(count(plan.adopted, "pack")) that no index names") }
    if !plan.packs.isEmpty {
      lines.append("  save \(count(plan.salvaged, "object")) out of \(count(plan.packs.count, "damaged pack"))")
    }
    for source in plan.sources { lines.append("  copy \(count(source.keys.count, "object")) from \(source.name)") }
    if !report.fromFiles.isEmpty {
      lines.append("  make \(count(report.fromFiles.count, "object")) again from files of the working tree")
    }
    if plan.missingPacks > 0 { lines.append("  take \(count(plan.missingPacks, "missing pack")) out of the index") }
    let aside = plan.packs.count + plan.segments.count + plan.records.count + plan.wholeFiles.count
      + plan.hints.count
    if aside > 0 { lines.append("  move \(count(aside, "damaged file")) to 'quarantine/'") }
    if plan.staleListings > 0 { lines.append("  write the listing for web servers anew") }
    let lost = Set(plan.unhealed).subtracting(report.fromFiles).count
    if lost > 0 { lines.append("  nothing for \(count(lost, "object")), of which no copy was found") }
    for name in report.unreachable where lost > 0 { lines.append("  without asking remote '\(name)', which cannot be opened") }
    return lines
  }

  private func outcome(_ report: RepairData.Report) -> [String] {
    guard let outcome = report.outcome else { return [] }
    var lines: [String] = []
    lines.append(
      "Wrote \(Count(UInt64(outcome.objects)).of("object")) (\(ByteCount(outcome.bytes))), moved "
        + "\(Count(UInt64(outcome.quarantined)).of("file")) to 'quarantine/'.")
    if outcome.roots > 0 {
      lines.append("Wrote the record of \(Count(UInt64(outcome.roots)).of("version")) again.")
    }
    if report.after?.store.isSound == true, report.remaining.isEmpty { lines.append("\(report.before.title) is whole again.") }
    return lines
  }

  private func remedy(_ report: RepairData.Report) -> String {
    let others = "Look for another clone or a backup that has it: 'dv push' from there brings it back, and 'dv fsck' says when all is whole."
    guard let name = report.unreachable.first else { return others }
    // What was here and is lost is like what was never here, and comes with the next pull.
    let again = remote == nil ? "'dv pull --remote \(name)'" : "the same command"
    return "Remote '\(name)' could not be opened and may have it: when it can, \(again) gets it. \(others)"
  }

  private func throwRemaining(_ report: RepairData.Report) throws {
    let remaining = report.remaining
    guard !remaining.isEmpty else { return }
    let isMissing = report.after?.store.isOnlyMissing ?? remaining.allSatisfy { $0.finding.isMissing }
    // What was damaged here and is gone now was damage all the same.
    let wasDamaged = !report.before.store.isOnlyMissing
    throw UndeliveredData(
      message: "Not all could be made good:\n"
        + CheckReport.lines(of: remaining, limit: options.verbose ? .max : 20).joined(separator: "\n"),
      remedy: remedy(report),
      exitCode: isMissing && !wasDamaged ? .missing : .corrupt)
  }

  // MARK: - JSON

  private func json(_ report: RepairData.Report) -> String {
    var json = JSONText()
    let (plan, outcome) = (report.plan, report.outcome)
    json.object { json in
      json.member("schema", "dv.repair/1")
      json.member("ok", report.remaining.isEmpty)
      json.member("dryRun", report.isDryRun)
      json.member("store", report.before.name)
      json.object("plan") { json in
        json.member("format", plan.isFormatDamaged)
        json.array("segments") { json in for key in plan.segments { json.value(key) } }
        json.array("packs") { json in for key in plan.packs { json.value(key) } }
        json.array("records") { json in for key in plan.records { json.value(key) } }
        json.array("hints") { json in for key in plan.hints { json.value(key) } }
        json.array("wholeFiles") { json in for key in plan.wholeFiles { json.value(key) } }
        json.member("staleListings", plan.staleListings)
        json.member("missingPacks", plan.missingPacks)
        json.member("indexedPacks", plan.adopted)
        json.member("savedObjects", plan.salvaged)
        json.array("copied") { json in
          for source in plan.sources {
            json.object { json in
              json.member("from", source.name)
              json.member("objects", source.keys.count)
            }
          }
        }
        json.member("fromFiles", report.fromFiles.count)
        json.member("withoutCopy", Set(plan.unhealed).subtracting(report.fromFiles).count)
      }
      json.array("unreachable") { json in for name in report.unreachable { json.value(name) } }
      json.member("objects", outcome?.objects ?? 0)
      json.member("bytes", outcome?.bytes ?? 0)
      json.member("packs", outcome?.packs ?? 0)
      json.member("quarantined", outcome?.quarantined ?? 0)
      json.member("roots", outcome?.roots ?? 0)
      json.array("damaged") { json in report.before.writeDamage(to: &json) }
      json.array("remaining") { json in CheckReport.write(report.remaining, of: report.before.name, to: &json) }
    }
    return json.text + "\n"
  }
}
