import DVFile
import Foundation
import SystemPackage
import Testing

/// Records on a remote: shared by all who use it, and trusted only by those who say so.
struct SharedRecordTests {
  @Test func recordsTravelWithPushes() throws {
    let sandbox = try Sandbox()
    let remote = sandbox.folder.appending("remote")
    try sandbox.dv("remote", "add", "origin", .init(remote)).succeed()
    try sandbox.write("one\n", to: "in.txt")
    try sandbox.commit("input")
    try sandbox.git("clone", "--quiet", .init(sandbox.work), .init(sandbox.folder.appending("other"))).succeed()
    let other = sandbox.folder.appending("other")

    try sandbox.dv("run", "-o", "x", "--", "echo why it failed; exit 3").exit(3)
    try sandbox.dv("run", "-n", "copy", "-d", "in.txt", "-o", "out.txt", "--", "cp", "in.txt", "out.txt").succeed()
    let pushed = try sandbox.dv("push", "--json").succeed()
    #expect(try pushed.json["records"] as? Int == 2)
    #expect(try sandbox.shell("ls \(remote)/records").text.split(separator: "\n").count == 1)
    // Nothing new is nothing written.
    #expect(try sandbox.dv("push", "--json").succeed().json["records"] as? Int == 0)
    #expect(try sandbox.shell("ls \(remote)/records").text.split(separator: "\n").count == 1)

    // The same stage elsewhere, of which git says nothing: it runs, unless runs of the remote's are trusted.
    try sandbox.shell("cp dv.yaml \(other)/dv.yaml")
    #expect(try sandbox.dv("repro", "--dry-run", in: other).succeed().text.contains("restore") == false)
    try sandbox.dv("config", "run.trust", "remote", in: other).succeed()
    let restored = try sandbox.dv("repro", in: other).succeed()
    #expect(restored.errorText.contains("comes from the remote; its author is Ada <ada@example.com>"), "\(restored.errorText)")
    #expect(try other.appending("out.txt").readAll(limit: 100) == Array("one\n".utf8))
    #expect(try sandbox.git("status", "--porcelain", in: other).text.contains(".dv/records/"))

    // A damaged segment is named, and written again by who has its records.
    try sandbox.shell("for f in \(remote)/records/*; do chmod u+w $f; printf x | dd of=$f bs=1 seek=40 conv=notrunc 2>/dev/null; done")
    try sandbox.shell("rm -r .git/dv/remotes/origin/records")
    let again = try sandbox.dv("push", "--json").succeed()
    #expect(try again.json["records"] as? Int == 2)
    #expect(try sandbox.shell("ls \(remote)/records").text.split(separator: "\n").count == 1)
    // Its name was taken by damaged bytes, so it has another: the next reader finds all of them.
    try sandbox.shell("rm -r .git/dv/remotes/origin/records")
    #expect(try sandbox.dv("push", "--json").succeed().json["records"] as? Int == 0)
  }

  @Test func unknownTrustIsRefused() throws {
    let sandbox = try Sandbox()
    try sandbox.write("stages:\n  a:\n    cmd: touch a\n    outs: [a]\n", to: "dv.yaml")
    try sandbox.dv("config", "run.trust", "everybody").succeed()
    let outcome = try sandbox.dv("repro").exit(2)
    #expect(outcome.errorText.contains("run.trust is 'everybody'"))
  }
}
