import ArgumentParser
import DVObject
import DVRepository
import DVStore
import DVWorkspace

struct FsckCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "fsck", abstract: "Check that data is all there and what it should be.",
    discussion: """
      Checks the local store, or a remote: that everything the pointers of all branches, tags, stashes, worktrees and \
      the working tree name is there, every byte of the index and of all directories and chunk lists, and the frame of \
      every pack. That reads little. --full reads every byte besides, and hashes whole files; --sample reads a part of \
      the packs, those first that were read the longest ago, so that a regular 'dv fsck --sample 5%' reads everything in \
      time.

      What was never fetched and a remote has is no damage. Exits with 4 if something is damaged, with 3 if something is \
      missing and nothing damaged. 'dv repair' makes good what can be.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(
    name: [.customShort("r"), .long], help: ArgumentHelp("Check this remote and not the local store.", valueName: "name"))
  var remote: String?

  @Flag(name: .long, help: "Check the local store and all remotes.")
  var all = false

  @Flag(name: .long, help: "Read every byte.")
  var full = false

  @Option(name: .long, help: ArgumentHelp("Read this share of the packs, the longest unread first: 5%.", valueName: "percent"))
  var sample: Percentage?

  @Argument(help: "The data to check, also inside tracked directories, in all its versions; everything if not given.")
  var paths: [PathArgument] = []

  func validate() throws {
    if full, sample != nil { throw ValidationError("--full and --sample exclude each other.") }
    if all, remote != nil { throw ValidationError("--all and --remote exclude each other.") }
  }

  func run() async throws {
    let (paths, places) = (paths, try places())
    let depth: CheckData.Depth = full ? .full : sample.map { .sample(percent: $0.value) } ?? .structure
    let isAll = all
    let reports = try await ProgressDisplay(quiet: options.quiet).show { progress in
      let repository = try Here.repository()
      let targets = try Here.treePaths(paths, in: repository)
      var reports: [CheckReport] = []
      for place in places {
        let check = CheckData(targets, in: place, depth: depth)
        do { reports.append(try await check.run(in: repository, progress: progress)) } catch let error as RepositoryError {
          guard isAll, case .remote(let name?) = place else { throw error }
          reports.append(CheckReport(failing: name, error))
        }
      }
      return reports
    }
    if options.json {
      try StandardOutput.write(json(reports))
    } else {
      var text = ""
      for report in reports { text += self.text(report) }
      try StandardOutput.write(text)
    }
    let codes = Set(reports.map(\.exitCode))
    if let code = [ExitCode.corrupt, .missing, .unreachable].first(where: codes.contains) { throw code }
  }

  private func places() throws -> [VerifiedPlace] {
    if let remote { return [.remote(remote)] }
    return all ? [.local] + (try Here.repository().remotes().map { .remote($0.name) }) : [.local]
  }

  // MARK: - Text

  private func text(_ report: CheckReport) -> String {
    if let problem = report.problem { return "\(SafeText.name(report.name)): \(SafeText.message(problem.message))\n" }
    var lines = report.damageLines(limit: options.verbose ? .max : 20)
    for pointer in report.unreadable { lines.append("damaged: \(SafeText.message(pointer.message))") }
    if !options.quiet { lines += notes(report) }
    lines.append(report.isSound ? "\(report.title) is whole: \(summary(report))" : summary(report).capitalizedFirst)
    return lines.map { $0 + "\n" }.joined()
  }

  /// What is no damage and worth knowing.
  private func notes(_ report: CheckReport) -> [String] {
    var lines: [String] = []
    let store = report.store
    if report.versionsElsewhere > 0 {
      lines.append(
        "\(Count(UInt64(report.versionsElsewhere)).of("version")) not or not all here, but on a remote: what is here was checked.")
    }
    if store.unpushed > 0 {
      lines.append("\(Count(UInt64(store.unpushed)).of("version")) of this clone \(store.unpushed == 1 ? "was" : "were") never pushed to it.")
    }
    if store.unindexedPacks > 0 {
      lines.append(
        "\(Count(UInt64(store.unindexedPacks)).of("pack")) (\(ByteCount(store.unindexedBytes))) that no index names: of a "
          + "command under way, or of one that was killed.")
    }
    if store.quarantined > 0 {
      lines.append("\(Count(UInt64(store.quarantined)).of("file")) that repairs set aside lie under 'quarantine/'.")
    }
    if !store.unlisted.isEmpty {
      lines.append(
        "A web server cannot list \(store.unlisted.map { "'\($0)'" }.joined(separator: ", ")): these were not looked at. Check the "
          + "directory or bucket behind it.")
    }
    if !store.staleListings.isEmpty {
      lines.append(
        "Its listing for web servers is not of what it holds now, which may hide what is new from who reads by HTTP: the next push or "
          + "'dv repair --remote' writes it anew.")
    }
    for (oid, item, isHere) in report.erased.prefix(20) {
      lines.append("erased: \(oid.shortHex) was \(SafeText.message(item.text))")
      if isHere { lines.append("  it is here all the same: 'dv erase --yes' removes it") }
    }
    if report.erased.count > 20 { lines.append("… and \(report.erased.count - 20) more that were erased") }
    for key in store.unknownKeys.prefix(5) { lines.append("'\(SafeText.name(key))' is nothing that dv knows.") }
    for name in report.unreachable where !report.isSound {
      lines.append("Remote '\(SafeText.name(name))' could not be asked for copies.")
    }
    return lines
  }

  /// One sentence: what was checked, how much, in what time, and what was not.
  private func summary(_ report: CheckReport) -> String {
    let checked = report.store.checked
    let time = TimeSpan(report.elapsed)
    let what =
      "checked \(Count(UInt64(checked.contents)).of("version")), \(Count(UInt64(checked.nodes)).of("directory node")), "
      + "\(Count(UInt64(checked.indexEntries)).of("index entry", plural: "index entries")), "
      + "\(Count(UInt64(checked.packs)).of("pack")) (\(ByteCount(checked.packBytes))) in \(time)"
    if full, checked.packsRead == checked.packs {
      let files =
        checked.filesHashed > 0
        ? ", and \(Count(UInt64(checked.filesHashed)).of("file")) of several chunks hashed whole (\(ByteCount(checked.fileBytesHashed)))"
        : ""
      return what + "; every byte was read\(files)."
    }
    if checked.packsRead > 0 {
      return what
        + "; \(ByteCount(checked.bytesRead)) in \(Count(UInt64(checked.packsRead)).of("pack")) were read, the rest by its structure only."
    }
    return what + "; structure only, --full reads every byte."
  }

  // MARK: - JSON

  private func json(_ reports: [CheckReport]) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.fsck/1")
      json.member("ok", reports.allSatisfy(\.isSound))
      json.member("depth", full ? "full" : sample == nil ? "structure" : "sample")
      json.object("checked") { json in CheckReport.write(reports.map(\.store.checked), to: &json) }
      json.array("damaged") { json in
        for report in reports { report.writeDamage(to: &json) }
      }
      json.array("stores") { json in
        for report in reports {
          json.object { json in
            json.member("name", report.name)
            json.member("remote", report.remote)
            json.member("ok", report.isSound)
            json.member("problem", report.problem?.message)
            json.member("seconds", report.elapsed.seconds)
            json.object("checked") { json in CheckReport.write([report.store.checked], to: &json) }
            json.array("erased") { json in
              for (oid, item, isHere) in report.erased {
                json.object { json in
                  json.member("oid", oid.text)
                  json.member("reason", item.reason)
                  json.member("time", item.time)
                  json.member("record", item.record.text)
                  json.member("here", isHere)
                }
              }
            }
            json.member("versionsElsewhere", report.versionsElsewhere)
            json.member("absentObjects", report.store.absent)
            json.member("unpushed", report.store.unpushed)
            json.member("unindexedPacks", report.store.unindexedPacks)
            json.member("unindexedBytes", report.store.unindexedBytes)
            json.member("quarantined", report.store.quarantined)
            json.array("unlisted") { json in for folder in report.store.unlisted { json.value(folder) } }
            json.array("staleListings") { json in for key in report.store.staleListings { json.value(key) } }
            json.array("unknownKeys") { json in for key in report.store.unknownKeys { json.value(key) } }
            json.array("unreachable") { json in for name in report.unreachable { json.value(name) } }
            json.array("unreadablePointers") { json in
              for pointer in report.unreadable {
                json.object { json in
                  json.path("path", pointer.target.bytes)
                  json.member("message", pointer.message)
                }
              }
            }
          }
        }
      }
    }
    return json.text + "\n"
  }
}

/// A share of a whole as the user wrote it: `5%`, `0.5` or `12.5%`.
struct Percentage: ExpressibleByArgument, Hashable {
  let value: Double

  init?(argument: String) {
    let text = argument.hasSuffix("%") ? argument.dropLast() : argument[...]
    guard let value = Double(text), value > 0, value <= 100 else { return nil }
    self.value = value
  }
}

extension Duration {
  /// Seconds, in thousandths.
  fileprivate var seconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds / 1_000_000_000_000_000) / 1000
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
