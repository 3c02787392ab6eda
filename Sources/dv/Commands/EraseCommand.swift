import ArgumentParser
import DVObject
import DVRepository
import DVStore

struct EraseCommand: WritingCommand {
  static let configuration = CommandConfiguration(
    commandName: "erase", abstract: "Take the bytes of files out of the local store and of remotes, for good.",
    discussion: """
      For what must not exist any more: a person's record, a leaked secret. Prints what the files ended up in and, without --yes, does \
      nothing else. With --yes it stages a record that says so for git, and writes packs anew without every chunk of the files that \
      nothing else needs, here and on all remotes (or those named with -r), at once and not after a grace. From then on no push or repair of a clone \
      that has the record brings them back; 'fsck' and 'pull' say 'erased'.

      Git keeps the hashes and names. Without a file, what records say was erased is carried out: in other clones after 'git pull', or \
      again after a remote could not be reached. Exits with 5 if one could not.
      """)

  @OptionGroup var options: GlobalOptions

  @Option(name: .long, help: ArgumentHelp("Why, for the record in git.", valueName: "text"))
  var reason: String?

  @Option(
    name: [.customShort("r"), .long], parsing: .singleValue,
    help: ArgumentHelp("Reach this remote and no other; can be repeated.", valueName: "name"))
  var remote: [String] = []

  @Flag(name: .long, help: "Do it.")
  var yes = false

  @Argument(help: ArgumentHelp(
      "Files: by oid, by path, or any file on disk, which is meant by its content; directories and patterns such as 'people/0042*' mean all files in them.",
      valueName: "oid|[rev:]path"))
  var files: [PathArgument] = []

  func validate() throws {
    if yes, !files.isEmpty, reason?.isEmpty ?? true { throw ValidationError("--reason is needed: it is recorded in git.") }
    if let reason, reason.utf8.count > ErasedReason.limit {
      throw ValidationError("--reason is longer than \(ErasedReason.limit) bytes.")
    }
  }

  func run() async throws {
    let here = try Here.directory()
    let operation = EraseData(
      files.map(\.bytes), reason: reason, remotes: remote.isEmpty ? nil : remote, isDryRun: !yes, from: here)
    let report = try await ProgressDisplay(options).show { progress in
      try await operation.run(in: try Here.repository(countingIn: progress), progress: progress)
    }
    if options.json {
      try StandardOutput.write(json(report))
    } else if !options.quiet {
      try StandardOutput.write(text(report))
    }
    guard report.isComplete else {
      let lines = report.places.compactMap { place in place.problem.map { "  \(place.name): \(SafeText.message($0))" } }
      throw UndeliveredData(
        message: "Not everything could be reached:\n" + lines.joined(separator: "\n"),
        remedy: "Run 'dv erase --yes' again when it can: what is recorded is carried out then.", exitCode: .unreachable)
    }
  }

  // MARK: - Text

  private func text(_ report: EraseReport) -> String {
    if report.items.isEmpty { return "No record says that anything was erased.\n" }
    var text = ""
    for directory in report.directories {
      text += "'\(SafeText.name(directory.name))': \(Count(UInt64(directory.files)).of("file"))\n" + impact(directory.graph)
    }
    let members = report.items.filter { !$0.isNamed }
    for item in report.items.filter(\.isNamed) + members.prefix(20) {
      let names = item.paths.prefix(3).map { "'\(SafeText.name($0))'" }.joined(separator: ", ")
      text += "\(item.oid.shortHex)  \(names.isEmpty ? "(no path is known)" : names)\(item.paths.count > 3 ? " and \(item.paths.count - 3) more" : "")\n"
      if let reason = item.reason { text += "  reason: \(SafeText.message(reason))\n" }
      text += impact(item.graph)
    }
    if members.count > 20 { text += "… and \(members.count - 20) more; --json lists all.\n" }
    if report.unsearchedTrees > 0 {
      text += "\(Count(UInt64(report.unsearchedTrees)).of("directory version")) could not be searched, not being here.\n"
    }
    for place in report.places where place.problem == nil {
      let store = place.store
      let verb = report.isDryRun ? "would erase" : "erased"
      text += "\(place.name): "
      text +=
        store.objects == 0 && store.packs == 0
        ? "nothing of it is there" : "\(verb) \(Count(UInt64(store.objects)).of("object")), \(ByteCount(store.bytes)); \(Count(UInt64(store.packs)).of("file")) of the store written anew"
      if !store.shared.isEmpty {
        text += "; \(Count(UInt64(store.shared.count)).of("chunk")) (\(ByteCount(store.sharedBytes))) \(store.shared.count == 1 ? "stays" : "stay"), as other data needs the same bytes"
      }
      text += ".\n"
    }
    if !report.sharedWith.isEmpty {
      text += "The same bytes are in: \(report.sharedWith.map { "'\(SafeText.name($0))'" }.joined(separator: ", ")).\n"
    }
    for path in report.stillTracked.prefix(10) {
      text += "Still tracked: '\(SafeText.name(path))'. 'dv rm \(SafeText.name(path))' takes it out of the next version.\n"
    }
    if !report.notReached.isEmpty { text += report.isDryRun ? "Would not be reached:\n" : "Not reached:\n" }
    for rest in report.notReached { text += "  \(SafeText.name(rest.place)): \(SafeText.message(rest.advice))\n" }
    text += report.isDryRun
      ? "Nothing was changed. Do it with --yes\(reason == nil && report.items.contains { $0.record == nil } ? " and --reason" : ""): it cannot be undone.\n"
      : "The record is staged: commit and push it, so that no other clone brings the data back. Git keeps hashes and names.\n"
    return text
  }

  /// What files ended up in, as lines.
  private func impact(_ graph: LineageGraph) -> String {
    var text = ""
    for (title, kind) in [("Model versions", LineageGraph.Node.Kind.model), ("Aliases", .alias), ("Runs", .run), ("Data", .data), ("Commits", .commit)] {
      let nodes = graph.nodes.filter { $0.kind == kind }
      guard !nodes.isEmpty else { continue }
      text += "  \(title): \(nodes.count)\n"
      for node in nodes.prefix(10) { text += "    \(LineageTree.line(node))\n" }
      if nodes.count > 10 { text += "    … and \(nodes.count - 10) more; 'dv impact' lists all\n" }
    }
    return text
  }

  // MARK: - JSON

  private func write(_ graph: LineageGraph, to json: inout JSONText) {
    for (key, kind) in [("models", LineageGraph.Node.Kind.model), ("aliases", .alias), ("runs", .run), ("data", .data), ("commits", .commit)] {
      json.array(key) { json in for node in graph.nodes where node.kind == kind { json.object { LineageJSON.write(node, to: &$0) } } }
    }
  }

  private func json(_ report: EraseReport) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.erase/1")
      json.member("dryRun", report.isDryRun)
      json.member("complete", report.isComplete)
      json.member("unsearchedTrees", report.unsearchedTrees)
      json.array("directories") { json in
        for directory in report.directories {
          json.object { json in
            json.member("name", directory.name)
            json.member("files", directory.files)
            write(directory.graph, to: &json)
          }
        }
      }
      json.array("erased") { json in
        for item in report.items {
          json.object { json in
            json.member("oid", item.oid.text)
            json.member("reason", item.reason)
            json.member("record", item.record?.text)
            json.array("paths") { json in for path in item.paths { json.value(path) } }
            if item.isNamed { write(item.graph, to: &json) }
          }
        }
      }
      json.array("stores") { json in
        for place in report.places {
          json.object { json in
            json.member("name", place.name)
            json.member("objects", place.store.objects)
            json.member("bytes", place.store.bytes)
            json.member("packs", place.store.packs)
            json.member("sharedObjects", place.store.shared.count)
            json.member("sharedBytes", place.store.sharedBytes)
            json.member("problem", place.problem)
          }
        }
      }
      json.array("sharedWith") { json in for path in report.sharedWith { json.value(path) } }
      json.array("stillTracked") { json in for path in report.stillTracked { json.value(path) } }
      json.array("notReached") { json in
        for rest in report.notReached {
          json.object { json in
            json.member("place", rest.place)
            json.member("advice", rest.advice)
          }
        }
      }
    }
    return json.text + "\n"
  }
}

private enum ErasedReason {
  /// What fits a record beside the rest, in bytes.
  static let limit = 1000
}
