import DVFile
import Foundation
import SystemPackage
import Testing

/// `dv status`: every state, and that looking changes nothing.
@Suite struct StatusTests {
  @Test func tellsEveryDifferenceInside() throws {
    let sandbox = try Sandbox()
    for name in ["changed", "gone", "same", "sub/kept"] { try sandbox.write(name, to: "data/\(name)") }
    try sandbox.dv("add", "data").succeed()
    try sandbox.write("CHANGED", to: "data/changed")
    try sandbox.path("data/gone").removeFile()
    try sandbox.write("new", to: "data/sub/new")
    let json = try sandbox.dv("status", "--json").succeed().json
    #expect(json["clean"] as? Bool == false)
    let entries = try #require(json["entries"] as? [[String: Any]])
    #expect(
      entries.map { ($0["path"] as? String ?? "") + " " + ($0["state"] as? String ?? "") } == [
        "data/changed modified", "data/gone deleted-inside", "data/sub/new untracked-inside",
      ])
    // Looking changes nothing of what the next look sees.
    let again = try sandbox.dv("status", "--exit-code", "--json").exit(1)
    #expect(try again.output == sandbox.dv("status", "--json").succeed().output)
    #expect(try again.json["entries"] as? [[String: String]] == entries as? [[String: String]])
    let part = try sandbox.dv("status", "data/sub").succeed().text
    #expect(part.contains("data/sub/new") && !part.contains("data/gone"))
    try sandbox.dv("status", "--exit-code", "data/same").succeed()
    try sandbox.dv("status", "nothing").exit(2)
  }

  @Test func missingAndAbsent() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "data/file")
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit()
    try sandbox.path("data").removeTree()
    #expect(try sandbox.dv("status").succeed().text.contains("missing:     data"))
    // A clone needs no setup, and has no store until it needs one.
    try sandbox.git("clone", "-q", ".", "../clone").succeed()
    let clone = sandbox.folder.appending("clone")
    #expect(try sandbox.dv("status", in: clone).succeed().text.contains("absent:      data"))
    #expect(try clone.appending(".git/dv/store").fileStat() == nil)
    try sandbox.dv("status", "--exit-code", in: clone).exit(1)
    let outcome = try sandbox.dv("checkout", in: clone).exit(3)
    #expect(outcome.errorText.contains("'data'") && outcome.errorText.contains("dv pull"))
  }

  @Test func unreadablePointerBreaksOnlyItself() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "good")
    try sandbox.dv("add", "good").succeed()
    try sandbox.write("dv-pointer 1\nkind nonsense\n", to: "bad.dv")
    let outcome = try sandbox.dv("status").succeed()
    #expect(outcome.text.contains("'bad.dv' line 2"), "\(outcome.text)")
    try sandbox.path("good").removeFile()
    try sandbox.dv("checkout").exit(4)
    #expect(try sandbox.read("good") == "x")
    try sandbox.dv("checkout", "good").succeed()
  }

  @Test func namesWhatCannotBeTracked() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "data/file")
    try sandbox.dv("add", "data").succeed()
    try sandbox.shell("mkfifo data/pipe")
    let outcome = try sandbox.dv("status").succeed()
    #expect(outcome.text.contains("'data/pipe' is a socket, a pipe or a device"))
  }

  @Test func unpushedOnceThereIsARemote() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "data")
    try sandbox.dv("add", "data").succeed()
    #expect(try sandbox.dv("status", "--json").succeed().text.contains("unpushed") == false)
    try sandbox.dv("config", "--project", "remote.origin.url", "../share").succeed()
    let json = try sandbox.dv("status", "--json", "--exit-code").succeed().json
    let entries = try #require(json["entries"] as? [[String: Any]])
    #expect(entries.map { $0["state"] as? String } == ["unpushed"])
    #expect(json["clean"] as? Bool == true)
  }

  /// Editing a file so that neither its size nor its times tell does not hide the change.
  @Test func changeWithinOneTick() throws {
    let sandbox = try Sandbox()
    // In one shell, as fast as it goes.
    let script = """
      i=0
      while [ $i -lt 5 ]; do
        echo 1 > racy; dv add racy > /dev/null; echo 2 > racy
        dv status --exit-code > /dev/null && { echo "missed in round $i"; exit 9; }
        i=$((i + 1))
      done
      """
    try sandbox.shell(script).succeed()
  }

  @Test func emptyAndForeignPlaces() throws {
    let sandbox = try Sandbox()
    #expect(try sandbox.dv("status").succeed().text == "dv tracks nothing here. 'dv add PATH' starts.\n")
    let outside = try sandbox.dv("status", in: sandbox.folder).exit(2)
    #expect(outside.errorText.contains("git init"))
    #expect(outside.output.isEmpty)
  }
}
