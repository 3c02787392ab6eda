import DVFile
import SystemPackage
import Testing

/// `dv repair`: says what it could not get, and why.
@Suite struct RepairTests {
  /// A remote that cannot be asked is no proof that nobody has a copy: what is lacking is named, and nothing called whole.
  @Test func saysWhatARemoteOutOfReachMayHave() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    try sandbox.shell("head -c 200000 /dev/urandom > bad; head -c 20000 /dev/urandom > good")
    let bad = try sandbox.snapshot("bad")
    // Both in one pack, of which the rest is saved.
    try sandbox.dv("add", "bad", "good").succeed()
    let pack = try #require(sandbox.packs(below: sandbox.path(".git/dv/store/packs")).first)
    try sandbox.commit()
    try sandbox.dv("push").succeed()
    try sandbox.path("bad").removeFile()
    try sandbox.path("good").removeFile()
    try sandbox.shell("chmod u+w '\(pack)'; printf 'x' | dd of='\(pack)' bs=1 seek=100000 conv=notrunc 2>/dev/null")
    let away = sandbox.folder.appending("away")
    try sandbox.shell("mv ../remote '\(away)'").succeed()

    let outcome = try sandbox.dv("repair").exit(4)
    #expect(outcome.text.contains("without asking remote 'origin', which cannot be opened") && !outcome.text.contains("whole again"))
    #expect(outcome.errorText.contains("'bad'") && outcome.errorText.contains("'origin'"))
    try sandbox.dv("checkout", "good").succeed()

    #expect(outcome.errorText.contains("'dv pull --remote origin' gets it"))
    try sandbox.shell("mv '\(away)' ../remote").succeed()
    try sandbox.dv("pull", "--remote", "origin").succeed()
    #expect(try sandbox.snapshot("bad") == bad)
    try sandbox.dv("fsck", "--full").succeed()
  }

  /// With the remote at hand all is made good at once.
  @Test func copiesFromTheRemote() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    try sandbox.shell("head -c 200000 /dev/urandom > bad")
    let bad = try sandbox.snapshot("bad")
    try sandbox.dv("add", "bad").succeed()
    try sandbox.commit()
    try sandbox.dv("push").succeed()
    try sandbox.path("bad").removeFile()
    let pack = try #require(sandbox.packs(below: sandbox.path(".git/dv/store/packs")).first)
    try sandbox.shell("chmod u+w '\(pack)'; printf 'x' | dd of='\(pack)' bs=1 seek=100000 conv=notrunc 2>/dev/null")
    let outcome = try sandbox.dv("repair").succeed()
    #expect(outcome.text.contains("whole again"))
    try sandbox.dv("checkout").succeed()
    #expect(try sandbox.snapshot("bad") == bad)
  }
}
