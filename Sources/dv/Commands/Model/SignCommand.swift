import ArgumentParser
import DVFile
import DVLineage
import DVRepository
import SystemPackage

struct SignCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "sign", abstract: "Sign a version of a model, and what made it.",
    discussion: """
      Writes an OpenSSF Model Signing bundle, which 'model_signing verify key' reads, and beside it, in FILE.provenance, the SLSA \
      provenance of the run that made the model, signed likewise. The key is an EC key (P-256, P-384, P-521) in PEM.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .long, help: ArgumentHelp("The private key, in PEM.", valueName: "file"))
  var key: PathArgument

  @Option(name: .shortAndLong, help: ArgumentHelp("The bundle to write; NAME-VERSION.sig in this directory if not given.", valueName: "file"))
  var output: PathArgument?

  @Flag(name: .long, help: "Say so in a git tag too, where policies look for signatures.")
  var tag = false

  @Argument(help: ArgumentHelp("The version.", valueName: "name@version"))
  var version: ModelVersionArgument

  func run() async throws {
    let directory = try Here.directory()
    let key = try SigningKey(pem: KeyFile.text(key, in: directory))
    let name = version.name.inTag.split(separator: "/").last.map(String.init) ?? "model"
    let output = output?.path ?? FilePath("\(name)-\(version.selector).sig")
    let report = try await SignModel(
      version.name, version.selector, key: key, output: directory.pushing(output), makesTag: tag, environment: ProcessEnvironment.all
    ).run(in: try Here.repository())
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.sign/1")
        json.member("model", report.record.model.text)
        json.member("version", report.record.release.description)
        json.path("signature", Array(report.signature.rawBytes))
        json.member("provenance", report.provenance.map { String(decoding: $0.rawBytes, as: UTF8.self) })
        json.member("files", report.files)
        json.member("tag", report.tag)
        json.member("key", report.key)
      }
      return try StandardOutput.write(json.text + "\n")
    }
    guard !options.quiet else { return }
    // As the user wrote it, which may have '..' that is not ours to resolve.
    var lines = [
      "Signed \(report.record.model)@\(report.record.release), \(Count(UInt64(report.files)).of("file")): '\(SafeText.name(output.rawBytes))'."
    ]
    lines.append(
      report.provenance.map { _ in "Signed what made it: '\(SafeText.name(SignModel.provenancePath(beside: output).rawBytes))'." }
        ?? "What made it is not recorded, so there is no provenance to sign.")
    if let tag = report.tag { lines.append("Share it: git push origin '\(tag)'") }
    try StandardOutput.write(lines.map { $0 + "\n" }.joined())
  }
}

struct VerifyCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check that a model is what somebody signed.",
    discussion: """
      TARGET is a version of the registry, or a file or directory on any disk; every byte of it is read and hashed. A version is read \
      from the local store and, with --remote, what that lacks from a remote; its provenance and the signatures that git made of its tag and \
      commit are checked as well. Bundles that 'model_signing sign key' made are read too. Exits with 1 if it does not hold, and says \
      what differs.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .long, help: ArgumentHelp("The public key of who signed, in PEM, from a place you trust.", valueName: "file"))
  var key: PathArgument

  @Option(name: .shortAndLong, help: ArgumentHelp("The bundle.", valueName: "file"))
  var signature: PathArgument

  @Option(
    name: [.customShort("r"), .long], help: ArgumentHelp("Read what the local store lacks from this remote.", valueName: "name"))
  var remote: String?

  @Argument(help: ArgumentHelp("A version, or files on disk.", valueName: "name@version or path"))
  var target: PathArgument

  func run() async throws {
    let directory = try Here.directory()
    let key = try VerifyingKey(pem: KeyFile.text(key, in: directory))
    let path = directory.pushing(target.path)
    let text = String(decoding: target.bytes, as: UTF8.self)
    let subject: VerifyModel.Subject
    if try path.fileStat() == nil, let version = ModelVersionArgument(argument: text) {
      subject = .version(version.name, version.selector, remote: remote)
    } else {
      guard remote == nil else { throw ValidationError("--remote is for versions of the registry, and '\(SafeText.message(text))' is none.") }
      subject = .files(path)
    }
    let report: VerifyModel.Report
    let signature = directory.pushing(signature.path)
    do {
      report = try await ProgressDisplay(options).show { progress in
        try await VerifyModel(subject, signature: signature, key: key, environment: ProcessEnvironment.all).run(
          in: try Here.repository(countingIn: progress), progress: progress)
      }
    } catch let error as SigningError where error.code == .refused {
      if options.json { try StandardOutput.write(json(text, ok: false, problems: [error.message], nil)) } else { StandardError.write("error: \(SafeText.message(error.message))\n") }
      throw ExitCode.no
    }
    if options.json {
      try StandardOutput.write(json(text, ok: report.problems.isEmpty, problems: report.problems, report))
    } else {
      for problem in report.problems { StandardError.write("error: \(SafeText.message(problem))\n") }
      if report.problems.isEmpty, !options.quiet {
        try StandardOutput.write(
          "'\(SafeText.name(target.bytes))' is what key \(report.key.prefix(12)) signed: \(Count(UInt64(report.files)).of("file"))"
            + (report.provenance == true ? ", with its provenance" : "") + ".\n" + notes(report).map { $0 + "\n" }.joined())
      }
    }
    if !report.problems.isEmpty { throw ExitCode.no }
  }

  /// What of a version was read, and what nobody signed.
  private func notes(_ report: VerifyModel.Report) -> [String] {
    guard let tag = report.tag, let commit = report.commit else { return [] }
    var notes = ["\(ByteCount(report.bytes)) were read and hashed."]
    if report.provenance == nil, report.looksForProvenance {
      notes.append("No provenance lies beside the signature: what made the model is not proved.")
    }
    switch (tag, commit) {
    case (.accepted, .accepted): notes.append("git accepts the signatures of tag and commit.")
    case (.accepted, _): notes.append("git accepts the tag's signature; the commit has none.")
    case (_, .accepted): notes.append("git accepts the commit's signature; the tag has none.")
    default: notes.append("Neither the tag nor the commit is signed.")
    }
    return notes
  }

  private static func word(_ signature: SignatureVerdict) -> String {
    switch signature {
    case .none: "none"
    case .accepted: "accepted"
    case .refused: "refused"
    }
  }

  private func json(_ target: String, ok: Bool, problems: [String], _ report: VerifyModel.Report?) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.verify/1")
      json.member("target", target)
      json.member("ok", ok)
      json.member("key", report?.key)
      json.member("files", report?.files)
      if let report, let tag = report.tag, let commit = report.commit {
        json.member("bytes", report.bytes)
        json.member("provenance", report.provenance == true)
        json.member("tagSignature", Self.word(tag))
        json.member("commitSignature", Self.word(commit))
      }
      json.array("problems") { json in for problem in problems { json.value(problem) } }
    }
    return json.text + "\n"
  }
}

/// A file with a key.
enum KeyFile {
  static func text(_ argument: PathArgument, in directory: FilePath) throws -> String {
    String(decoding: try directory.pushing(argument.path).readAll(limit: 64 << 10), as: UTF8.self)
  }
}
