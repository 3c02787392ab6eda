import DVFile
import DVTesting
import Foundation
import SystemPackage
import Testing

/// A slice of each campaign of `scripts/torture`, which runs many more. Needs python3 and a C compiler, as the campaigns do.
@Suite struct TortureTests {
  private static let script = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
    .appending("scripts/torture")
  /// Whether this machine has what the campaigns need.
  static let isPossible = ["python3", "cc"].allSatisfy { name in
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
    }
  }

  @Test(.enabled(if: isPossible), arguments: [
    ["kill", "11", "1", "--only", "add,push,pull"], ["syscalls", "11", "1", "--only", "add", "--faults", "ENOSPC,EIO,EINTR,short"],
    ["rewrites", "11", "5"], ["tamper", "11", "1", "--only", "record,pointer,tag"],
  ])
  func nothingIsLost(campaign: [String]) throws {
    let folder = FilePath(FileManager.default.temporaryDirectory.path)
    let command = [Self.script.string] + campaign + ["--dv", Sandbox.program.string, "--folder", folder.string]
    let outcome = try ProgramRun(
      command: command.map { Array($0.utf8) },
      environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": folder.string], directory: folder
    ).finish(in: folder)
    let printed = String(decoding: outcome.output + outcome.errors, as: UTF8.self)
    #expect(outcome.status == 0, "\(printed)")
  }
}
