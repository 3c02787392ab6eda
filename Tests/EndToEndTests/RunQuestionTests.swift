import DVFile
import Foundation
import SystemPackage
import Testing

/// Runs that are vouched for, compared, traced, and whose surroundings or inputs are not here.
struct RunQuestionTests {
  private func stage(_ sandbox: Sandbox) throws {
    try sandbox.write("stages:\n  copy: {cmd: cp in.txt out.txt, deps: [in.txt], params: [lr], outs: [out.txt]}\n", to: "dv.yaml")
    try sandbox.write("lr: 1\n", to: "params.yaml")
    try sandbox.write("one\n", to: "in.txt")
  }

  @Test func whatIsThereCanBeAccepted() throws {
    let sandbox = try Sandbox()
    try stage(sandbox)
    try sandbox.dv("stage", "accept", "copy").exit(2)
    try sandbox.write("made by hand\n", to: "out.txt")
    try sandbox.commit("before")
    let dry = try sandbox.dv("repro", "--dry-run").succeed()
    #expect(dry.errorText.contains("nothing says which run made its outputs"))
    try sandbox.git("rm", "--quiet", "--cached", "out.txt").succeed()
    let json = try sandbox.dv("stage", "accept", "copy", "--json").succeed().json
    #expect((json["stages"] as? [[String: Any]])?.first?["accepted"] as? Bool == true)
    #expect(try sandbox.decisions() == ["copy": "up-to-date"])
    #expect(try sandbox.read("out.txt") == "made by hand\n")
    let record = try #require(try sandbox.runs().last?["record"] as? [String: Any])
    #expect(record["status"] as? String == "asserted" && record["exit"] == nil)
    #expect(try sandbox.dv("stage", "accept", "copy").succeed().text.contains("up to date already"))
    #expect(try sandbox.git("status", "--porcelain").text.contains("A  .dv/records/"))
    // A change that somebody knows to change nothing.
    try sandbox.write("one, with a comment\n", to: "in.txt")
    #expect(try sandbox.decisions("--dry-run") == ["copy": "run"])
    try sandbox.dv("stage", "accept", "copy").succeed()
    #expect(try sandbox.decisions() == ["copy": "up-to-date"])
    try sandbox.dv("stage", "accept", "no-such").exit(2)
  }

  /// Cards of which only the driver's program tells.
  @Test func graphicsAreAskedFor() throws {
    let sandbox = try Sandbox()
    func environment(_ script: String) throws -> [String: Any] {
      try sandbox.write("#!/bin/sh\n\(script)\n", to: sandbox.folder.appending("bin/nvidia-smi"), mode: [.ownerReadWriteExecute])
      let run = try sandbox.script("PATH=$PWD/../bin:$PATH dv run --json -- true")
      let id = try #require(try run.json["run"] as? String)
      return try sandbox.dv("runs", "show", "--environment", .init(id)).succeed().json
    }
    let found = try environment("test \"$1\" = --query-gpu=driver_version,name && printf '535.104.05, NVIDIA A100-SXM4-80GB\\n535.104.05,  Tesla  T4\\n'")
    // A machine with such cards tells of its own.
    if try FilePath("/proc/driver/nvidia/version").fileStat() == nil {
      let gpu = try #require(found["gpu"] as? [String: Any])
      #expect(gpu["driver"] as? String == "535.104.05" && gpu["models"] as? [String] == ["NVIDIA A100-SXM4-80GB", "Tesla T4"])
      #expect(try environment("echo NVIDIA-SMI has failed; exit 9")["gpu"] == nil)
      #expect(try environment("echo No devices were found")["gpu"] == nil)
    }
    #expect(found["type"] as? String == "environment" && (found["cpu"] as? [String: Any])?["cores"] != nil)
  }

  @Test func runsAreCompared() throws {
    let sandbox = try Sandbox()
    try stage(sandbox)
    try sandbox.commit("code")
    try sandbox.dv("repro").succeed()
    try sandbox.write("two\n", to: "in.txt")
    try sandbox.write("lr: 2\n", to: "params.yaml")
    try sandbox.dv("repro").succeed()
    let ids = try sandbox.runs().compactMap { $0["run"] as? String }.map { Sandbox.Argument(String($0.dropFirst(7).prefix(12))) }
    let text = try sandbox.dv("runs", "diff", ids[0], ids[1], "--exit-code").exit(1).text
    #expect(text.contains("parameter  params.yaml:lr  1"))
    for line in ["code       in.txt", "code       params.yaml", "input      in.txt", "output     out.txt"] { #expect(text.contains(line), "\(text)") }
    #expect(try sandbox.dv("runs", "diff", ids[0], ids[0], "--exit-code").succeed().text == "Nothing differs.\n")
    let json = try sandbox.dv("runs", "diff", ids[0], ids[1], "--json").succeed().json
    #expect(json["same"] as? Bool == false && (json["inputs"] as? [Any])?.count == 1)
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/strace"), "strace is not installed"))
  func undeclaredFilesAreFound() throws {
    let sandbox = try Sandbox()
    try sandbox.write("stages:\n  s: {cmd: sh do.sh, deps: [do.sh], outs: [out.txt]}\n", to: "dv.yaml")
    try sandbox.write(
      "cat 'hidden <in>.txt' \"$HOME/weights.bin\" > tmp.txt; mv tmp.txt out.txt; echo x > extra.txt; (cd sub && cat deep.txt > /dev/null)\n",
      to: "do.sh")
    try sandbox.write("x\n", to: "hidden <in>.txt")
    try sandbox.write("y\n", to: "sub/deep.txt")
    try sandbox.shell("echo w > \"$HOME/weights.bin\"")
    let outcome = try sandbox.dv("repro", "--trace").succeed()
    for name in ["'hidden <in>.txt' was read", "'sub/deep.txt' was read", "'~/weights.bin' was read", "'extra.txt' was written"] {
      #expect(outcome.errorText.contains(name), "\(outcome.errorText)")
    }
    let record = try #require(try sandbox.runs().last?["record"] as? [String: Any])
    let found = (record["undeclared"] as? [[String]])?.map { $0.joined(separator: " ") }
    #expect(found == ["in hidden <in>.txt", "in sub/deep.txt", "in ~/weights.bin", "out extra.txt"])
    // Exit codes and Ctrl-C go through; what is not traced is not recorded as traced.
    #expect(try sandbox.dv("run", "--trace", "-o", "o", "--", "exit 7").exit(7).code == 7)
    try sandbox.dv("run", "--", "true").succeed()
    #expect(try (sandbox.runs().last?["record"] as? [String: Any])?["undeclared"] == nil)
    // Without strace it says what is missing, before anything runs.
    let bare = try sandbox.dv("run", "--trace", "-o", "p", "--", "touch", "p", environment: ["PATH": "/nonexistent"])
    #expect(bare.code == 2 && bare.errorText.contains("--trace needs 'strace'"))
    #expect(try !sandbox.exists("p"))
  }

  @Test func otherSurroundingsAreNamed() throws {
    let sandbox = try Sandbox()
    try stage(sandbox)
    try sandbox.dv("repro", environment: ["OMP_NUM_THREADS": "4"]).succeed()
    let here = try sandbox.dv("repro", environment: ["OMP_NUM_THREADS": "8"]).succeed()
    #expect(here.errorText.contains("copy: up to date (made with variable OMP_NUM_THREADS 4; here 8)"))
    let strict = try sandbox.dv("repro", "--strict-env", environment: ["OMP_NUM_THREADS": "8"]).succeed()
    #expect(strict.errorText.contains("copy: run: surroundings differ: variable OMP_NUM_THREADS (4 -> 8)"))
    // Now there is a run for each.
    for threads in ["4", "8"] {
      let again = try sandbox.dv("repro", "--strict-env", environment: ["OMP_NUM_THREADS": threads]).succeed()
      #expect(again.text == "All stages are up to date.\n")
    }
  }

  /// What --strict-env set aside must not come back from the remote, and what nobody knows does not fit.
  @Test func strictRunsAreComparedWhereverTheyAre() throws {
    let sandbox = try Sandbox()
    try stage(sandbox)
    let share = sandbox.folder.appending("share")
    try share.createDirectories()
    try sandbox.dv("remote", "add", "origin", Sandbox.Argument(share)).succeed()
    try sandbox.dv("repro", environment: ["OMP_NUM_THREADS": "4"]).succeed()
    try sandbox.commit("run")
    try sandbox.dv("push").succeed()
    try sandbox.dv("config", "run.trust", "remote").succeed()
    let strict = try sandbox.dv("repro", "--strict-env", "--dry-run", environment: ["OMP_NUM_THREADS": "8"]).succeed()
    #expect(strict.errorText.contains("copy: run: surroundings differ: variable OMP_NUM_THREADS (4 -> 8)"), "\(strict.errorText)")
    // In a clone the record comes with git, and its environment from the remote.
    try sandbox.git("clone", "--quiet", Sandbox.Argument(sandbox.work), "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    let here = try sandbox.dv("repro", "--strict-env", in: clone, environment: ["OMP_NUM_THREADS": "4"]).succeed()
    #expect(here.text.hasPrefix("All stages are up to date. 'out.txt' not checked out"), "\(here.text)\(here.errorText)")
    // Where it cannot be had, nobody knows.
    try sandbox.git("clone", "--quiet", Sandbox.Argument(sandbox.work), "../other").succeed()
    try sandbox.shell("mv ../share ../away")
    let unknown = try sandbox.dv(
      "repro", "--strict-env", "--dry-run", in: sandbox.folder.appending("other"), environment: ["OMP_NUM_THREADS": "4"]).succeed()
    #expect(unknown.errorText.contains("copy: run: what surrounded its run is recorded nowhere"), "\(unknown.errorText)")
  }

  @Test func dataThatAStageNeedsIsBroughtIn() throws {
    let sandbox = try Sandbox()
    try stage(sandbox)
    try sandbox.dv("add", "in.txt").succeed()
    let share = sandbox.folder.appending("share")
    try share.createDirectories()
    try sandbox.dv("remote", "add", "origin", Sandbox.Argument(share)).succeed()
    try sandbox.dv("repro").succeed()
    try sandbox.commit("run")
    try sandbox.dv("push").succeed()
    try sandbox.git("clone", "--quiet", Sandbox.Argument(sandbox.work), "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    #expect(try sandbox.decisions(in: clone) == ["copy": "up-to-date"])
    try sandbox.shell("echo 'lr: 3' > params.yaml", in: clone)
    let refused = try sandbox.dv("repro", in: clone).exit(3)
    #expect(refused.errorText.contains("'in.txt', which the stage 'copy' reads") && refused.errorText.contains("--pull"))
    let pulled = try sandbox.dv("repro", "--pull", in: clone).succeed()
    #expect(pulled.errorText.contains("copy: checked out 'in.txt'"))
    // What an earlier run made is fetched rather than made again.
    try sandbox.shell("echo 'lr: 1' > params.yaml; rm -f out.txt out.txt.dv", in: clone)
    #expect(try sandbox.decisions("--pull", in: clone) == ["copy": "restore"])
    #expect(String(decoding: try clone.appending("out.txt").readAll(limit: 100), as: UTF8.self) == "one\n")
    // Missing everywhere.
    try sandbox.git("clone", "--quiet", Sandbox.Argument(sandbox.work), "../other").succeed()
    let other = sandbox.folder.appending("other")
    try sandbox.shell("rm -rf ../share/* && echo 'lr: 4' > params.yaml", in: other)
    let missing = try sandbox.dv("repro", "--pull", in: other)
    #expect([3, 4, 5].contains(missing.code), "\(missing.code) \(missing.errorText)")
  }

  @Test func inputsThatNobodyTracksAreNamed() throws {
    let sandbox = try Sandbox()
    try sandbox.write("stages:\n  s: {cmd: ls big > out, deps: [big], outs: [out]}\n", to: "dv.yaml")
    try sandbox.write("x", to: "big/file")
    let outcome = try sandbox.dv("repro").succeed()
    #expect(outcome.errorText.contains("'big', which the stage 's' reads, is tracked neither by git nor by dv"))
    try sandbox.dv("add", "big").succeed()
    #expect(try !sandbox.dv("repro", "--force").succeed().errorText.contains("tracked neither"))
  }
}
