import ArgumentParser
import DVFile
import DVRepository

/// Groups the check of this repository, which is what happens without a subcommand, and the export of its proofs.
struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Check that records, pointers, tags and objects agree, and tell what is not known.",
    subcommands: [AuditCheckCommand.self, AuditExportCommand.self], defaultSubcommand: AuditCheckCommand.self)
}

struct AuditCheckCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check that records, pointers, tags and objects agree, and tell what is not known.",
    discussion: """
      Ends with 0 if nothing was found, 1 if there are gaps such as a model without a run, data of unknown source or code that is \
      in no commit, and 4 if something was altered. The anchor says what outside the repository vouches for it: a signature, or a \
      remote that saw tags and history at each push ('--remote' asks it now; else what was last seen of it counts). Without one, \
      whoever rewrote all of history would not be noticed. With --archive no repository is needed: what 'dv audit export' packed \
      is verified, and with --key that its tag was signed by that SSH key, or that a key in PEM signed ('dv sign --tag') or approved of the version.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(name: .long, help: "Read and verify every byte in the local store too, and on the remote that --remote names.")
  var full = false

  @Option(name: [.customShort("r"), .long], help: ArgumentHelp("Ask this remote for what it saw, and for objects.", valueName: "remote"))
  var remote: String?

  @Option(name: .long, help: "How to write the report: text, json, markdown or html.")
  var format: AuditFormat?

  @Option(name: .long, help: ArgumentHelp("Verify an archive that 'dv audit export' made.", valueName: "file"))
  var archive: PathArgument?

  @Option(name: .long, help: ArgumentHelp("The public key, of SSH or in PEM, that must have signed what is in the archive.", valueName: "file"))
  var key: PathArgument?

  @Argument(help: "Only what this came from: a path, an oid, a run, MODEL@VERSION or MODEL@ALIAS.")
  var target: PathArgument?

  func validate() throws {
    if archive != nil, full || target != nil || remote != nil { throw ValidationError("--archive takes no target, no --full and no --remote.") }
    if archive == nil, key != nil { throw ValidationError("--key goes with --archive.") }
    if options.json, let format, format != .json { throw ValidationError("--json and --format \(format.rawValue) exclude each other.") }
  }

  func run() async throws {
    let report: AuditReport
    if let archive {
      report = try await CheckArchive(archive.path, key: key?.path).run()
    } else {
      let progress = ProgressSink()
      let repository = try Here.repository(countingIn: progress)
      let operation = AuditLineage(target?.bytes, isFull: full, remote: remote, from: try Here.directory(), environment: ProcessEnvironment.all)
      report = try await operation.run(in: repository, progress: progress)
    }
    try StandardOutput.write(AuditText(report).text(as: options.json ? .json : format ?? .text))
    if report.isTampered { throw ExitCode.corrupt }
    if !report.findings.isEmpty { throw ExitCode.no }
  }
}

enum AuditFormat: String, ExpressibleByArgument, CaseIterable { case text, json, markdown, html }
