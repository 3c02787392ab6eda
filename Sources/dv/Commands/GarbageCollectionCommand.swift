import ArgumentParser
import DVFile
import DVRepository
import DVStore
import SystemPackage

struct GarbageCollectionCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Free what nothing needs any more in the local store, or on a remote.",
    discussion: """
      Needed is all data that any commit, reflog, stash, index or pointer on disk names, in every clone that uses the \
      store. What is not is freed in two steps: it is condemned first, and deleted by a later 'dv gc' when the grace \
      has passed (gc.grace, 7 days by default), so that nobody who is adding data right now loses any. --now does both \
      at once, and refuses while another process is writing.

      With --rev, of the history only the data of those revisions stays, beside what the working trees need. Data that no \
      remote is known to have whole, which is asked now, stays in any case.

      With --remote, a remote is freed of what no push needs that was not retired (see 'dv remote retire'), whatever this clone \
      can reach: others push to it too, and may do so meanwhile. The grace there is gc.remoteGrace, 7 days by default, a day at \
      least.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(name: .shortAndLong, help: "Say what would be freed, and change nothing.")
  var dryRun = false

  @Flag(name: .long, help: "Free at once.")
  var now = false

  @Flag(name: .long, help: "Keep the data of all history: the default.")
  var all = false

  @Option(
    name: .long, parsing: .singleValue,
    help: ArgumentHelp("Keep, of the history, the data of this revision only; can be repeated.", valueName: "revision"))
  var rev: [String] = []

  @Flag(name: .long, help: "Forget clones whose git directory is gone.")
  var pruneClones = false

  @Option(name: .shortAndLong, help: ArgumentHelp("Free this remote instead of the local store.", valueName: "name"))
  var remote: String?

  func validate() throws {
    if remote != nil, now || all || !rev.isEmpty || pruneClones {
      throw ValidationError(
        "--now, --all, --rev and --prune-clones are about the local store. What a remote need not keep, 'dv remote retire' tells it.")
    }
    if all, !rev.isEmpty { throw ValidationError("--rev and --all exclude each other.") }
  }

  func run() async throws {
    if let remote { return try await collect(remote) }
    let operation = CollectGarbage(keeping: rev, isNow: now, isDryRun: dryRun, prunesClones: pruneClones)
    let report = try await ProgressDisplay(quiet: options.quiet).show { progress in
      try await operation.run(in: try Here.repository(), progress: progress)
    }
    if options.json {
      try StandardOutput.write(json(report))
    } else if !options.quiet {
      try StandardOutput.write(text(report))
    }
    let damaged = report.collection.damaged
    guard !damaged.isEmpty else { return }
    throw UndeliveredData(
      message: "The structure of \(damaged.prefix(20).map { "'\($0)'" }.joined(separator: ", ")) is damaged in the "
        + "local store, so nobody knows what it needs. Nothing was removed.",
      remedy: "'dv fsck' says what is damaged, 'dv repair' replaces it from a remote.", exitCode: .corrupt)
  }

  private func text(_ report: CollectGarbage.Report) -> String {
    let collection = report.collection
    func packs(_ number: Int) -> String { Count(UInt64(number)).of("pack") }
    var lines: [String] = []
    for clone in report.prunedClones { lines.append("Forgot the clone '\(SafeText.name(clone.rawBytes))', which is gone.") }
    for name in report.unreachable { lines.append("Remote '\(SafeText.name(name))' could not be asked: what only it has is kept.") }
    if !report.keptUnpushed.isEmpty {
      let shown = report.keptUnpushed.prefix(5).map { "'\(SafeText.name($0))'" }.joined(separator: ", ")
      let more = report.keptUnpushed.count > 5 ? ", …" : ""
      lines.append(
        "Kept \(Count(UInt64(report.keptUnpushed.count)).of("version")) that no remote is known to have: \(shown)\(more).")
    }
    guard collection.damaged.isEmpty else { return lines.map { $0 + "\n" }.joined() }
    if collection.deletedPacks > 0 {
      lines.append(
        "\(report.isDryRun ? "Would free" : "Freed") \(ByteCount(collection.deletedBytes - min(collection.deletedBytes, report.isNow ? collection.repackedBytes : 0))) "
          + "in \(packs(collection.deletedPacks)).")
    }
    if collection.condemnedPacks + collection.waitingPacks > 0 {
      let bytes = ByteCount(collection.condemnedBytes + collection.waitingBytes)
      let wait = collection.nextDeletion.map { max(0, $0 - FileTime.now.seconds) } ?? 0
      lines.append(
        "\(bytes) in \(packs(collection.condemnedPacks + collection.waitingPacks)) are not needed: 'dv gc' frees them "
          + "in \(TimeSpan(seconds: UInt64(wait))), 'dv gc --now' at once.")
    }
    if collection.deletedPacks + collection.condemnedPacks + collection.waitingPacks == 0 {
      lines.append("Nothing to free.")
    }
    if report.abandonedFiles > 0 {
      lines.append("Removed \(Count(UInt64(report.abandonedFiles)).of("file")) that killed processes had left.")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func json(_ report: CollectGarbage.Report) -> String {
    let collection = report.collection
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.gc/1")
      json.member("dryRun", report.isDryRun)
      json.member("now", report.isNow)
      json.path("store", report.directory.rawBytes)
      json.member("graceSeconds", report.grace.seconds)
      json.member("clones", report.clones)
      json.member("liveObjects", collection.liveObjects)
      json.member("deletedPacks", collection.deletedPacks)
      json.member("deletedBytes", collection.deletedBytes)
      json.member("condemnedPacks", collection.condemnedPacks)
      json.member("condemnedBytes", collection.condemnedBytes)
      json.member("waitingPacks", collection.waitingPacks)
      json.member("waitingBytes", collection.waitingBytes)
      json.member("nextDeletion", collection.nextDeletion)
      json.member("repackedBytes", collection.repackedBytes)
      json.member("abandonedFiles", report.abandonedFiles)
      json.array("prunedClones") { json in for clone in report.prunedClones { json.value(clone.string) } }
      json.array("keptUnpushed") { json in for path in report.keptUnpushed { json.value(path) } }
      json.array("unreachable") { json in for name in report.unreachable { json.value(name) } }
      json.array("incomplete") { json in for path in collection.incomplete { json.value(path) } }
      json.array("damaged") { json in for path in collection.damaged { json.value(path) } }
    }
    return json.text + "\n"
  }

  // MARK: A remote

  private func collect(_ remote: String) async throws {
    let operation = CollectRemoteGarbage(remote, isDryRun: dryRun)
    let report = try await ProgressDisplay(quiet: options.quiet).show { progress in
      try await operation.run(in: try Here.repository(), progress: progress)
    }
    if options.json {
      try StandardOutput.write(json(report))
    } else if !options.quiet {
      try StandardOutput.write(text(report))
    }
  }

  private func text(_ report: CollectRemoteGarbage.Report) -> String {
    let collection = report.collection
    func packs(_ number: Int, _ bytes: UInt64) -> String { "\(ByteCount(bytes)) in \(Count(UInt64(number)).of("pack"))" }
    let (would, did) = report.isDryRun ? ("Would free", "Would condemn") : ("Freed", "Condemned")
    var lines = [
      "\(Count(UInt64(collection.contents)).of("version")) on remote '\(SafeText.name(report.remote.name))' "
        + "\(collection.contents == 1 ? "is" : "are") kept: \(Count(UInt64(collection.liveObjects)).of("object")), "
        + "\(packs(collection.packs, collection.bytes))."
    ]
    if collection.deletedPacks > 0 { lines.append("\(would) \(packs(collection.deletedPacks, collection.deletedBytes)).") }
    if collection.condemnedPacks > 0 {
      lines.append("\(did) \(packs(collection.condemnedPacks, collection.condemnedBytes)) that nothing needs.")
    }
    if collection.repackedBytes > 0 {
      lines.append("\(report.isDryRun ? "Would copy" : "Copied") \(ByteCount(collection.repackedBytes)) out of packs that go.")
    }
    if let next = collection.nextDeletion {
      let wait = max(0, next - collection.time)
      lines.append(
        "\(packs(collection.condemnedPacks + collection.waitingPacks, collection.condemnedBytes + collection.waitingBytes)) "
          + "can go in \(TimeSpan(seconds: UInt64(wait))): run 'dv gc --remote \(SafeText.name(report.remote.name))' again then.")
    }
    if collection.youngPacks > 0 {
      lines.append(
        "\(packs(collection.youngPacks, collection.youngBytes)) may belong to a push under way: younger than the grace of "
          + "\(TimeSpan(seconds: report.grace.seconds)).")
    }
    if collection.retiring > 0 {
      lines.append("\(Count(UInt64(collection.retiring)).of("record")) of pushes, retired, count until the grace has passed.")
    }
    if collection.givenUp > 0 {
      lines.append("Gave up \(Count(UInt64(collection.givenUp)).of("push", plural: "pushes")) that never ended.")
    }
    if report.abandonedFiles > 0 {
      lines.append("Removed \(Count(UInt64(report.abandonedFiles)).of("file")) that killed processes had left.")
    }
    if lines.count == 1 { lines.append("Nothing to free.") }
    return lines.map { $0 + "\n" }.joined()
  }

  private func json(_ report: CollectRemoteGarbage.Report) -> String {
    let collection = report.collection
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.gc.remote/1")
      json.member("remote", report.remote.name)
      json.member("dryRun", report.isDryRun)
      json.member("graceSeconds", report.grace.seconds)
      json.member("time", collection.time)
      json.member("contents", collection.contents)
      json.member("roots", collection.roots)
      json.member("retiring", collection.retiring)
      json.member("deletedRoots", collection.deletedRoots)
      json.member("pending", collection.pending)
      json.member("givenUp", collection.givenUp)
      json.member("clearedPushes", collection.clearedPushes)
      json.member("liveObjects", collection.liveObjects)
      json.member("packs", collection.packs)
      json.member("bytes", collection.bytes)
      json.member("deletedPacks", collection.deletedPacks)
      json.member("deletedBytes", collection.deletedBytes)
      json.member("condemnedPacks", collection.condemnedPacks)
      json.member("condemnedBytes", collection.condemnedBytes)
      json.member("waitingPacks", collection.waitingPacks)
      json.member("waitingBytes", collection.waitingBytes)
      json.member("youngPacks", collection.youngPacks)
      json.member("youngBytes", collection.youngBytes)
      json.member("repackedBytes", collection.repackedBytes)
      json.member("nextDeletion", collection.nextDeletion)
      json.member("abandonedFiles", report.abandonedFiles)
    }
    return json.text + "\n"
  }
}
