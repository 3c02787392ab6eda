import ArgumentParser
import DVObject
import DVRepository
import DVS3
import DVStore

struct RemoteCheckCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Look whether a remote can be used and has all its packs.",
    discussion: """
      Compares the packs that are there with what the index says of them, without reading them: exits with 4 if one is \
      missing or short or stands in no index although something needs it, with 5 if the remote cannot be reached. 'dv fsck --remote' reads them too.
      """)

  @OptionGroup var options: GlobalOptions

  @Argument(help: "The remote's name; the default one if not given.")
  var name: String?

  func run() async throws {
    let name = name
    let report = try await ProgressDisplay(quiet: options.quiet).show { progress in
      try await CheckRemote(name).run(in: try Here.repository(), progress: progress)
    }
    try StandardOutput.write(options.json ? json(report) : text(report))
    if let problem = report.problem { throw problem }
    if !report.isSound { throw ExitCode.corrupt }
  }

  private func text(_ report: CheckRemote.Report) -> String {
    var table = Table(.left, .left)
    table.append("remote", "\(SafeText.name(report.remote.name)) (\(SafeText.name(report.remote.url.description)))")
    table.append("reachable", report.problem == nil ? "yes" : "no")
    if report.problem == nil {
      table.append("writable", report.isWritable ? "yes" : "no: it can be pulled from, not pushed to")
      if let difference = report.clockDifference {
        table.append("clock", abs(difference) <= 2 ? "agrees" : "\(abs(difference)) s \(difference > 0 ? "ahead" : "behind")")
      }
    }
    if let capabilities = report.capabilities {
      let missing = capabilities.list.filter { !$0.has }.map(\.name)
      table.append("server", missing.isEmpty ? "does all that helps" : "works without: \(missing.joined(separator: ", "))")
    }
    if report.abandonedUploads > 0 {
      table.append("uploads", "\(Count(UInt64(report.abandonedUploads))) never finished, removed")
    }
    var lines = table.lines
    if let inventory = report.inventory {
      var table = Table(.left, .left)
      let packs = inventory.packs
      table.append("packs", "\(Count(UInt64(packs.count))) (\(ByteCount(packs.bytes)))")
      table.append("objects", "\(Count(UInt64(inventory.objects)))")
      table.append("index", "\(Count(UInt64(inventory.segments)).of("segment"))")
      let incomplete = inventory.incompleteRoots
      table.append(
        "roots", "\(Count(UInt64(inventory.roots - incomplete))) complete"
          + (incomplete > 0 ? ", \(Count(UInt64(incomplete))) not any more" : ""))
      if inventory.pending > 0 { table.append("pushes", "\(inventory.pending) under way, or killed") }
      if packs.unindexed > 0 { table.append("unindexed", "\(Count(UInt64(packs.unindexed)).of("pack"))") }
      if inventory.condemned > 0 { table.append("condemned", "\(Count(UInt64(inventory.condemned)).of("pack"))") }
      lines += table.lines
      for finding in packs.findings {
        lines.append(
          finding.actual.map {
            "damaged: pack \(finding.pack.hex) has \($0) bytes, and should have \(finding.expected)."
          } ?? "damaged: pack \(finding.pack.hex) (\(ByteCount(finding.expected))) is missing.")
      }
      if packs.findings.isEmpty, inventory.incompleteRoots > 0 {
        lines.append("damaged: part of the index is missing; \(Count(UInt64(packs.unindexed)).of("pack")) cannot be found by it.")
      }
      if report.isSound {
        lines.append("All packs are there.")
      } else {
        lines.append("'dv push' from a clone that has the data makes it good.")
      }
    } else if report.problem == nil {
      lines.append("Nothing has been pushed to it yet.")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func json(_ report: CheckRemote.Report) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.remote.check/1")
      json.member("name", report.remote.name)
      json.member("url", report.remote.text)
      json.member("path", report.remote.url.description)
      json.member("ok", report.isSound)
      json.member("reachable", report.problem == nil)
      json.member("writable", report.isWritable)
      json.member("clockDifference", report.clockDifference)
      if let capabilities = report.capabilities {
        json.object("capabilities") { json in
          for capability in capabilities.list { json.member(capability.name, capability.has) }
        }
      }
      json.member("abandonedUploads", report.abandonedUploads)
      json.member("initialised", report.inventory != nil)
      if let inventory = report.inventory {
        json.member("packs", inventory.packs.count)
        json.member("bytes", inventory.packs.bytes)
        json.member("unindexedPacks", inventory.packs.unindexed)
        json.member("objects", inventory.objects)
        json.member("segments", inventory.segments)
        json.member("roots", inventory.roots)
        json.member("incompleteRoots", inventory.incompleteRoots)
        json.member("pending", inventory.pending)
        json.member("condemned", inventory.condemned)
      }
      json.array("damaged") { json in
        for finding in report.inventory?.packs.findings ?? [] {
          json.object { json in
            json.member("pack", finding.pack.hex)
            json.member("state", finding.actual == nil ? "missing" : "wrong-size")
            json.member("expected", finding.expected)
            json.member("actual", finding.actual)
          }
        }
      }
      json.member("message", report.problem?.message)
    }
    return json.text + "\n"
  }
}
