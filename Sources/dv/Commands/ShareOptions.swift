import ArgumentParser
import DVObject
import DVRepository
import DVWorkspace

/// The options that push, fetch and pull have in common.
struct ShareOptions: ParsableArguments {
  @Option(name: [.customShort("r"), .long], help: ArgumentHelp("The remote; the default one if not given.", valueName: "name"))
  var remote: String?

  @Option(name: .long, help: ArgumentHelp("The data of this commit, branch or tag.", valueName: "revision"))
  var rev: String?

  @Flag(name: .long, help: "The data of all commits of all branches and tags.")
  var all = false

  @Option(name: [.customShort("j", allowingJoined: true), .long], help: ArgumentHelp("Packs to copy at a time.", valueName: "number"))
  var jobs: Int?

  func validate() throws {
    if rev != nil, all { throw ValidationError("--rev and --all exclude each other.") }
    if let jobs, !(1...256).contains(jobs) { throw ValidationError("-j takes a number from 1 to 256.") }
  }

  var scope: ShareScope { all ? .all : rev.map { .revision($0) } ?? .workingTree }
}

// MARK: - What a push, fetch and pull print

extension ShareReport {
  /// How many files and bytes the contents have that were not complete before.
  private var freshTotals: String {
    let files = fresh.clampedSum { $0.pointer.files ?? 1 }
    let bytes = fresh.clampedSum(\.pointer.size)
    let isPart = fresh.contains { !$0.inside.isRoot }
    return isPart ? Count(UInt64(fresh.count)).of("target") : "\(Count(files).of("file")) (\(ByteCount(bytes)))"
  }

  /// The lines that say what was done.
  func summary(verb: String) -> [String] {
    var lines: [String] = []
    if healedPacks > 0 {
      lines.append(
        "Remote '\(SafeText.name(remote.name))' had lost the content of \(Count(UInt64(healedPacks)).of("pack")): it is "
          + "complete again.")
    }
    if !fresh.isEmpty {
      let copied =
        packs == 0 ? "all of it was there already." : "\(ByteCount(bytes)) in \(Count(UInt64(packs)).of("pack"))."
      lines.append("\(verb) \(freshTotals): \(copied)")
    } else if failures.isEmpty {
      if records == 0 || !items.isEmpty { lines.append(items.isEmpty ? "dv tracks nothing here." : "Everything is there already.") }
    }
    if records > 0 { lines.append("\(verb) \(Count(UInt64(records)).of("record")) of runs.") }
    if !leftOut.isEmpty { lines.append("Left out, because it was erased: \(Count(UInt64(leftOut.count)).of("path")).") }
    lines += notes.map { "warning: \(SafeText.message($0))" }
    return lines
  }

  /// Writes the members that push, fetch and pull share.
  func write(to json: inout JSONText) {
    json.member("remote", remote.name)
    json.member("objects", objects)
    json.member("bytes", bytes)
    json.member("packs", packs)
    json.member("skipped", skipped)
    json.member("healedPacks", healedPacks)
    json.member("records", records)
    json.array("erased") { json in for path in leftOut { json.value(path) } }
    json.array("done") { json in
      for item in items {
        json.object { json in
          json.path("path", item.path.appending(item.inside).bytes)
          json.member("oid", item.pointer.oid.text)
          json.member("size", item.pointer.size)
          json.member("files", item.pointer.files ?? 1)
          json.member("wasThere", item.wasThere)
        }
      }
    }
  }

  /// Writes the failures as elements of an array.
  func writeFailures(to json: inout JSONText) {
    for failure in failures {
      json.object { json in
        json.member("path", failure.path)
        json.member("kind", failure.kind.rawValue)
        json.member("oid", failure.oid?.text)
        json.member("where", failure.place)
        json.member("message", failure.message)
      }
    }
  }

  /// The exit codes of what failed.
  var failureCodes: Set<ExitCode> {
    Set(
      failures.map { failure in
        switch failure.kind {
        case .corrupt: .corrupt
        case .missing, .erased: .missing
        case .conflicted: .conflict
        case .unreadable: .corrupt
        }
      })
  }

  /// The lines that say what failed: each path once, with what is wrong.
  var failureLines: [String] {
    var met: Set<String> = []
    return failures.filter { met.insert($0.path).inserted }.map { failure in
      switch failure.kind {
      case .erased: "'\(failure.path)' is erased: \(failure.message)"
      case .corrupt, .missing: "'\(failure.path)' is \(failure.kind.rawValue): \(failure.message)"
      case .conflicted, .unreadable: failure.message
      }
    }
  }

  /// Throws if something failed: what, and the code of the gravest.
  func throwFailures(verb: String) throws {
    guard !failures.isEmpty else { return }
    throw UndeliveredData(failureLines, codes: failureCodes, verb: verb, isErased: failures.allSatisfy { $0.kind == .erased })
  }
}

extension UndeliveredData {
  /// Names some failures and counts the rest. Damage is graver than absence, and both than a conflict.
  ///
  /// - Parameter isErased: whether all of it was erased.
  init(_ lines: [String], codes: Set<ExitCode>, verb: String, isErased: Bool = false) {
    let gravest = [ExitCode.corrupt, .missing, .unreachable, .conflict].first { codes.contains($0) } ?? .usage
    let shown = lines.prefix(20).map { "  " + $0 }.joined(separator: "\n")
    let more = lines.count > 20 ? "\n  … and \(lines.count - 20) more" : ""
    let remedy: String =
      switch gravest {
      case .missing where isErased: Self.erasedRemedy
      case .missing: "Push it from a clone that has it ('dv push'), or name another remote with -r."
      case .corrupt: "'dv repair' makes it good, here from a remote, or on a remote from a clone that has the data whole."
      default: "Resolve the conflict ('git checkout --ours' or '--theirs' of the pointer, or 'dv add'), and run this again."
      }
    self.init(
      message: "\(Count(UInt64(lines.count)).of("path")) could not be \(verb), all else was:\n\(shown)\(more)",
      remedy: remedy, exitCode: gravest)
  }
}
