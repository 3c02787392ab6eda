import DVFile
import DVLineage
import DVObject
import DVPipeline
import DVRepository
import DVWorkspace
import Synchronization

/// Tells on the terminal what happens while stages run, and hands on what they print.
///
/// With several at once each line begins with the stage that printed it.
final class RunNarration: Sendable {
  private let isQuiet: Bool
  private let prefixes: Bool
  /// Where commands' output goes: the standard error too, if the standard output is for JSON.
  private let usesErrors: Bool
  /// Of each stage, the line that has not ended yet.
  private let partial = Mutex<[String: [UInt8]]>([:])

  init(isQuiet: Bool, prefixes: Bool, usesErrors: Bool) {
    self.isQuiet = isQuiet
    self.prefixes = prefixes
    self.usesErrors = usesErrors
  }

  var output: RunOutput {
    RunOutput(write: { self.write($0, $1, $2) }, note: { self.note($0) })
  }

  /// For one of several that run at once: what it tells begins with its mark.
  func output(of mark: String) -> RunOutput {
    RunOutput(
      write: { stage, stream, bytes in self.write("\(mark) \(stage ?? "")", stream, bytes) },
      note: { self.note($0, mark: "[\(mark)] ") })
  }

  private func write(_ stage: String?, _ stream: ChildProcess.Stream, _ bytes: Span<UInt8>) {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    for index in 0..<bytes.count { text.append(bytes[index]) }
    if prefixes, let stage { text = wholeLines(of: stage, text) }
    guard !text.isEmpty else { return }
    if stream == .errors || usesErrors {
      StandardError.write(bytes: text)
    } else {
      // That nobody reads it any more does not stop the run.
      try? StandardOutput.write(bytes: text)
    }
  }

  private func wholeLines(of stage: String, _ text: [UInt8]) -> [UInt8] {
    partial.withLock { partial in
      var all = (partial[stage] ?? []) + text
      guard let last = all.lastIndex(of: 0x0a) else {
        partial[stage] = all
        return []
      }
      partial[stage] = Array(all[(last + 1)...])
      all.removeSubrange((last + 1)...)
      let mark = Array("\(SafeText.name(stage)) | ".utf8)
      return all.dropLast().split(separator: 0x0a, omittingEmptySubsequences: false).flatMap { mark + $0 + [0x0a] }
    }
  }

  private func note(_ note: RunNote, mark: String = "") {
    func say(_ line: String, always: Bool = false) { self.say(mark + line, always: always) }
    switch note {
    case .warning(let text): say("warning: \(SafeText.message(text))", always: true)
    case .kept(let path, let oid):
      say("'\(SafeText.name(path.bytes))' was in the way; its bytes are kept in the store as \(oid.text).", always: true)
    case .leftOut(let paths):
      let names = paths.prefix(5).map { "'\(SafeText.name($0.bytes))'" }.joined(separator: ", ")
      say("Left out of the recorded code, as they may hold secrets: \(names)\(paths.count > 5 ? " …" : "").")
    case .decided(let stage, let decision, let differences):
      let drift = differences.isEmpty ? "" : " (\(SurroundingsText(differences: differences)))"
      say("\(SafeText.name(stage)): \(DecisionText(decision: decision))\(drift)")
    case .broughtIn(let stage, let paths):
      let names = paths.prefix(5).map { "'\(SafeText.name($0.bytes))'" }.joined(separator: ", ")
      say("\(SafeText.name(stage)): checked out \(names)\(paths.count > 5 ? " …" : "")")
    case .borrowed(let paths):
      let names = paths.map { "'\(SafeText.name($0.bytes))'" }.joined(separator: ", ")
      say("Uses \(names) of your working tree, which git does not version.")
    case .started(let stage, let command): say("\(stage.map { "\(SafeText.name($0)) " } ?? "")$ \(SafeText.message(command))")
    case .startedAway(let id, let bundle):
      say("That it starts is recorded. If dv is killed, at home: dv runs adopt \(bundle.map { SafeText.name($0.rawBytes) } ?? id.shortHex)")
    case .restored(let stage, let record):
      say("\(SafeText.name(stage)): restored what run \(record.shortHex) made")
    case .foreign(let stage, let record, let author):
      let name = author.map { SafeText.name($0) } ?? "somebody who is not named"
      say("\(SafeText.name(stage)): run \(record.shortHex) comes from the remote; its author is \(name)", always: true)
    case .skipped(let stage, let other):
      say("\(SafeText.name(stage)): skipped, because '\(SafeText.name(other))' failed", always: true)
    case .finished(let run): finished(run, mark)
    }
  }

  private func finished(_ finished: FinishedRun, _ mark: String) {
    if let stage = finished.stage.map({ mark.isEmpty ? $0 : "\(mark.dropFirst().dropLast(2)) \($0)" }), prefixes {
      let rest = partial.withLock { $0.removeValue(forKey: stage) } ?? []
      if !rest.isEmpty { StandardError.write(bytes: Array("\(SafeText.name(stage)) | ".utf8) + rest + [0x0a]) }
    }
    let name = mark + (finished.stage.map { "\(SafeText.name($0)): " } ?? "")
    let run = finished.run
    let time = TimeSpan(.milliseconds(run.end - run.start))
    undeclared(run, name)
    switch run.status {
    case .complete: say("\(name)done in \(time), recorded as run \(finished.record.shortHex)")
    default: say("\(name)\(RunEndText(finished)) after \(time), recorded as run \(finished.record.shortHex)", always: true)
    }
  }

  /// Names what a run used and did not declare; files of one directory together if there are many.
  private func undeclared(_ run: RunRecord, _ name: String) {
    guard let files = run.undeclared else { return }
    if files.isEmpty { return say("\(name)all files it used are declared") }
    let kinds = [(false, "read and not declared; name it in 'deps'"), (true, "written and not declared; name it in 'outs'")]
    for (isOutput, what) in kinds {
      let some = files.filter { $0.isOutput == isOutput }
      for file in some.prefix(20) { say("\(name)'\(SafeText.name(file.path))' was \(what)", always: true) }
      if some.count > 20 {
        say("\(name)… and \(Count(UInt64(some.count - 20)).of("file")) more; 'dv runs show' names them all", always: true)
      }
    }
  }

  private func say(_ line: String, always: Bool = false) {
    if always || !isQuiet { StandardError.write(line + "\n") }
  }
}

/// How a run that did not succeed ended, in words.
struct RunEndText: CustomStringConvertible {
  let description: String

  init(_ finished: FinishedRun) {
    let run = finished.run
    if run.status == .failed, run.exitCode == 0, let missing = finished.missing.first {
      description = "the command ended well and did not make '\(SafeText.name(missing.text))'"
    } else {
      description = Self.text(run)
    }
  }

  init(_ run: RunRecord) { description = Self.text(run) }

  private static func text(_ run: RunRecord) -> String {
    switch run.status {
    case .complete: "complete"
    case .failed: run.exitCode == 0 ? "failed: an output is missing" : "failed with exit code \(run.exitCode.map(String.init) ?? "?")"
    case .interrupted: "interrupted"
    case .killed: "killed by signal \(run.signal.map(String.init) ?? "?")"
    case .abandoned: "abandoned: dv itself was killed"
    case .asserted: "asserted"
    }
  }
}
