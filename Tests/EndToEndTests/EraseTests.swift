import DVFile
import DVTesting
import Foundation
import SystemPackage
import Testing

/// Files that must not exist any more: nowhere, for good, and nobody brings them back.
struct EraseTests {
  /// One file in two datasets, part of whose bytes another file has too; two remotes; a clone with all of it.
  private func sandbox() throws -> Sandbox {
    let sandbox = try Sandbox()
    try sandbox.script(
      """
      mkdir ../lab ../cloud ../third && head -c 400000 /dev/urandom > ../secret
      mkdir -p a/in b && cp ../secret a/in/person.bin && cp ../secret b/copy.bin && echo x > a/x && echo y > b/y
      head -c 200000 ../secret > b/half.bin && echo 'a short secret' > a/short && head -c 100000 /dev/urandom > weights
      dv remote add -q lab ../lab && dv remote add -q cloud ../cloud && dv add -q a b weights
      git add -A && git commit -qm data && dv push -q -r lab && dv push -q -r cloud && dv pin before HEAD
      git clone -q . ../clone && cd ../clone && dv pull -q -r lab
      """)
    return sandbox
  }

  /// How many files under a directory hold bytes that only the erased file had, or the short one.
  private func remains(_ sandbox: Sandbox, _ directory: String) throws -> Int {
    let script = """
      import os, sys, zlib
      secret = open(sys.argv[1], 'rb').read()
      needles = [secret[300000:300200], secret[399000:399200], b'a short secret']
      print(sum(any(n in open(os.path.join(d, f), 'rb').read() for n in needles) for d, _, fs in os.walk(sys.argv[2]) for f in fs))
      """
    let outcome = try sandbox.run(
      ["python3", "-c", Sandbox.Argument(script), "../secret", Sandbox.Argument(directory)]).succeed()
    return try #require(Int(outcome.text.trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  private let stores = ["../lab", "../cloud", ".git/dv/store"]

  @Test func aFileGoesFromEverywhereAndStaysGone() throws {
    let sandbox = try sandbox()
    let oid = String(try sandbox.script("sha256sum ../secret").text.prefix(64))
    for store in stores { #expect(try remains(sandbox, store) > 0) }
    // The impact first, and nothing else.
    let plan = try sandbox.dv("erase", "--json", "a/in/person.bin").succeed().json
    #expect(plan["dryRun"] as? Bool == true && (plan["stores"] as? [Any])?.count == 3)
    let planned = try #require((plan["erased"] as? [[String: Any]])?.first)
    #expect(planned["oid"] as? String == "sha256:" + oid && planned["record"] is NSNull)
    #expect(Set((planned["data"] as? [[String: Any]] ?? []).compactMap { $0["label"] as? String }).isSuperset(of: ["a", "b"]))
    #expect(try sandbox.git("status", "--short").text.isEmpty)
    for store in stores { #expect(try remains(sandbox, store) > 0) }
    try sandbox.dv("erase", "a/in/person.bin", "--yes").exit(2)
    try sandbox.dv("erase", "a/no*", "--reason", "r", "--yes").exit(2)
    try sandbox.dv("erase", "no/such", "--reason", "r", "--yes").exit(2)

    let done = try sandbox.dv("erase", "--json", "a/in/person.bin", "a/short", "--reason", "asked for", "--yes").succeed().json
    #expect(done["complete"] as? Bool == true)
    #expect(done["sharedWith"] as? [String] == ["b/half.bin"])
    #expect(Set(done["stillTracked"] as? [String] ?? []) == ["a/in/person.bin", "a/short", "b/copy.bin"])
    let places = (done["notReached"] as? [[String: Any]] ?? []).compactMap { $0["place"] as? String }
    #expect(places.contains("the file 'b/copy.bin'") && places.contains("other clones"))
    for store in stores { #expect(try remains(sandbox, store) == 0, "\(store)") }
    #expect(try sandbox.git("status", "--short").text.split(separator: "\n").allSatisfy { $0.hasPrefix("A  .dv/records/") })
    try sandbox.commit("erased")
    // What shares bytes with it is whole; fsck says erased, not damaged.
    try sandbox.dv("fsck", "--all", "--full").succeed()
    let check = try sandbox.dv("fsck", "--json").succeed().json
    let told = try #require(((check["stores"] as? [[String: Any]])?.first?["erased"]) as? [[String: Any]])
    #expect(told.count == 2 && told.allSatisfy { $0["reason"] as? String == "asked for" && $0["here"] as? Bool == false })
    try sandbox.dv("audit").succeed()
    // Files of the user's stay his. Once they are gone, nothing has them.
    try sandbox.script("rm -r a b && ! dv pull -r lab")
    let pull = try sandbox.dv("pull", "-r", "cloud", "--json").exit(3).json
    let failed = try #require(pull["failed"] as? [[String: Any]])
    #expect(failed.allSatisfy { $0["kind"] as? String == "erased" } && failed.count == 3)
    #expect(try sandbox.dv("cat", "b/copy.bin").exit(3).errorText.contains("was erased on"))
    try sandbox.script("head -c 200000 ../secret | cmp - b/half.bin && test ! -e b/copy.bin && test ! -e a/short && test -e a/x")
    // Gc, repair and pins neither stumble over it nor bring it back.
    try sandbox.dv("gc", "--now").succeed()
    sandbox.variables["DV_TEST_REMOTE_GRACE"] = "0"
    try sandbox.dv("gc", "--remote", "lab").succeed()
    sandbox.variables["DV_TEST_REMOTE_GRACE"] = nil
    try sandbox.dv("repair").succeed()
    try sandbox.dv("repair", "--remote", "lab").succeed()
    try sandbox.script(
      """
      dv add -q a b && git commit -qam 'without it'
      dv push -q -r lab && dv push -q -r cloud && rm -r a b && dv pull -q -r lab
      """)
    #expect(try sandbox.dv("status").succeed().text.contains("All data is what its pointers say"))

    // Another clone still has it. With the record it neither pushes it nor repairs with it, until it erases it too.
    let clone = sandbox.folder.appending("clone")
    try sandbox.script("git pull -q", in: clone)
    #expect(try remains(sandbox, "../clone/.git/dv/store") > 0)
    #expect(try sandbox.dv("fsck", in: clone).succeed().text.contains("it is here all the same"))
    try sandbox.dv("remote", "add", "third", "../third", in: clone).succeed()
    let refused = try sandbox.dv("push", "-r", "third", "--rev", "HEAD~2", "--json", in: clone).exit(3).json
    #expect((refused["failed"] as? [[String: Any]] ?? []).allSatisfy { $0["kind"] as? String == "erased" })
    try sandbox.dv("push", "-r", "lab", "--all", in: clone).succeed()
    for store in ["../third", "../lab", "../cloud"] { #expect(try remains(sandbox, store) == 0, "\(store)") }
    try sandbox.dv("fsck", "--remote", "third", "--full", in: clone).succeed()
    #expect(try sandbox.dv("erase", in: clone).succeed().text.contains("Nothing was changed"))
    try sandbox.dv("erase", "--yes", in: clone).succeed()
    #expect(try remains(sandbox, "../clone/.git/dv/store") == 0)
    try sandbox.dv("fsck", "--full", in: clone).succeed()
    #expect(try sandbox.dv("push", "-r", "third", "--rev", "HEAD~2", "--json", in: clone).succeed().json["erased"] as? [String] != nil)
  }

  /// A tracked file of its own, by the hash of a file on disk, with one remote away: that is told, and made good later.
  @Test func remotesThatAreAwayAreReachedLater() throws {
    let sandbox = try sandbox()
    try sandbox.script("cp weights ../leaked && mv ../cloud ../away")
    let outcome = try sandbox.dv("erase", "../leaked", "--reason", "leaked", "--yes").exit(5)
    #expect(outcome.errorText.contains("remote 'cloud'"))
    #expect(try sandbox.dv("push", "-r", "lab").succeed().text.contains("Left out, because it was erased: 1 path"))
    try sandbox.script("mv ../away ../cloud")
    try sandbox.dv("erase", "--yes").succeed()
    try sandbox.script(
      """
      python3 - ../leaked ../lab ../cloud .git/dv/store <<'END'
      import os, sys
      needle = open(sys.argv[1], 'rb').read()[50000:50100]
      for top in sys.argv[2:]:
          for d, _, fs in os.walk(top):
              for f in fs:
                  assert needle not in open(os.path.join(d, f), 'rb').read(), os.path.join(d, f)
      END
      """)
    #expect(try !sandbox.exists(".git/dv/erasing/\(try sandbox.script("sha256sum ../leaked").text.prefix(64))"))
    try sandbox.dv("fsck", "--all", "--full").succeed()
    #expect(try sandbox.dv("erase", "--reason", "x").succeed().text.contains("nothing of it is there"))
  }

  /// A directory means all files in it, a pattern all that match, also in versions that are not checked out.
  @Test func directoriesAndPatternsMeanTheirFiles() throws {
    let sandbox = try sandbox()
    let plan = try sandbox.dv("erase", "--json", "a").succeed().json
    let directory = try #require((plan["directories"] as? [[String: Any]])?.first)
    #expect(directory["name"] as? String == "a" && directory["files"] as? Int == 3)
    #expect((plan["erased"] as? [Any])?.count == 3)
    #expect(Set((directory["data"] as? [[String: Any]] ?? []).compactMap { $0["label"] as? String }).isSuperset(of: ["a", "b"]))
    // What of it other data holds too is told before.
    #expect(Set(plan["stillTracked"] as? [String] ?? []) == ["a/in/person.bin", "a/short", "a/x", "b/copy.bin"])
    for (pattern, count) in [("a/*", 3), ("a/in/*.bin", 1), ("*/x", 1), ("**/*.bin", 2), ("HEAD:a/sh?rt", 1), ("a/in", 1)] {
      let erased = try sandbox.dv("erase", "--json", .init(pattern)).succeed().json["erased"] as? [Any]
      #expect(erased?.count == count, "\(pattern)")
    }
    try sandbox.dv("rm", "-r", "a").succeed()
    try sandbox.commit("without a")
    #expect(try sandbox.dv("erase", "HEAD~1:a", "--reason", "no licence", "--yes").succeed().text.contains("'HEAD~1:a': 3 files"))
    for store in stores { #expect(try remains(sandbox, store) == 0, "\(store)") }
    #expect(try sandbox.script("ls .dv/records/*/* | wc -l").text.trimmingCharacters(in: .whitespacesAndNewlines) == "3")
    try sandbox.commit("erased")
    try sandbox.dv("fsck", "--all", "--full").succeed()
    #expect(try sandbox.dv("cat", "HEAD~2:a/x").exit(3).errorText.contains("was erased on"))
  }

  /// Pushes of a clone that knows nothing of the erasure, meanwhile: the remote stays whole, and what one of them brought back goes with the
  /// next erasure.
  @Test func pushesMeanwhileAreSeenAndUndone() throws {
    let sandbox = try sandbox()
    try sandbox.script(
      """
      cd ../clone && dv remote add -q lab ../lab 2>/dev/null || true
      (for n in 1 2 3 4 5 6 7 8 9 10; do
         head -c 20000 /dev/urandom > new$n && dv add -q new$n && git add . && git commit -qm $n && dv push -q -r lab --all || exit 1
       done; echo done > ../pushed) > ../log 2>&1 &
      cd ../work && dv erase a/in/person.bin a/short --reason why --yes > /dev/null
      for n in $(seq 600); do test -e ../pushed && break; sleep 0.1; done; test -e ../pushed || { cat ../log; exit 1; }
      git add -A && git commit -qm erased && dv fsck --remote lab --full
      """)
    // Whoever has the record is told whether it is there all the same.
    let isBack = try remains(sandbox, "../lab") > 0
    #expect(try sandbox.dv("fsck", "--remote", "lab").succeed().text.contains("all the same") == isBack)
    try sandbox.dv("erase", "--yes").succeed()
    #expect(try remains(sandbox, "../lab") == 0)
    try sandbox.dv("fsck", "--remote", "lab", "--full").succeed()
    // A push that begins after it, of a clone without the record: the same remedy.
    try sandbox.dv("push", "-r", "lab", "--all", in: sandbox.folder.appending("clone")).succeed()
    try sandbox.dv("erase", "--yes").succeed()
    #expect(try remains(sandbox, "../lab") == 0)
    try sandbox.dv("fsck", "--remote", "lab", "--full").succeed()
  }

  /// From a bucket too, as another client sees it: with pushes of a clone without the record meanwhile.
  @Test(arguments: TestServers.Kind.all)
  func filesGoFromBuckets(kind: TestServers.Kind) throws {
    let sandbox = try Sandbox.withBucketKeys(of: kind)
    sandbox.variables["AWS_ENDPOINT_URL_S3"] = try TestServers.url(of: kind)
    let prefix = TestServers.freshPrefix()
    let bucket = DamagedBucket(server: kind, prefix: prefix)
    try sandbox.dv("remote", "add", "cloud", .init("s3://\(TestServers.bucket)/\(prefix)")).succeed()
    try sandbox.script(
      """
      mkdir -p people && head -c 300000 /dev/urandom > people/0042.bin && head -c 50000 /dev/urandom > people/0007.bin
      seq 9 > people/index && dv add -q people && git add -A && git commit -qm data && dv push -q
      git clone -q . ../clone && cd ../clone && dv pull -q
      """)
    let secret = Array(try sandbox.path("people/0042.bin").readAll(limit: 1 << 20)[200_000..<200_100])
    let other = Array(try sandbox.path("people/0007.bin").readAll(limit: 1 << 20)[20_000..<20_100])
    #expect(try bucket.objects(holding: secret, sandbox) > 0 && bucket.objects(holding: other, sandbox) > 0)
    try sandbox.script(
      """
      (cd ../clone && for n in 1 2 3; do head -c 9000 /dev/urandom > new$n && dv add -q new$n && git add . && git commit -qm $n && dv push -q || exit 1; done
       echo done > ../pushed) > ../log 2>&1 &
      dv erase 'people/0042*' --reason asked --yes > /dev/null
      for n in $(seq 600); do test -e ../pushed && break; sleep 0.1; done; test -e ../pushed || { cat ../log; exit 1; }
      dv erase --yes > /dev/null
      """)
    #expect(try bucket.objects(holding: secret, sandbox) == 0 && bucket.objects(holding: other, sandbox) > 0)
    try sandbox.commit("erased")
    try sandbox.dv("fsck", "--remote", "cloud", "--full").succeed()
    try sandbox.script("rm -rf people .git/dv/store")
    try sandbox.dv("pull").exit(3)
    #expect(try sandbox.exists("people/0007.bin") && !sandbox.exists("people/0042.bin"))
    // The clone's own pushes have arrived whole.
    try sandbox.script("git pull -q --no-rebase --no-edit ../clone main && dv pull new3 && cmp new3 ../clone/new3")
  }

  /// Killed at any moment, it is completed by running it again.
  @Test func killedErasuresAreCompleted() throws {
    let sandbox = try sandbox()
    try sandbox.script(
      """
      for delay in 0.02 0.05 0.08 0.12 0.16 0.2 0.25 0.3 0.4; do
        dv erase a/in/person.bin a/short --reason why --yes >/dev/null 2>&1 & process=$!
        sleep $delay; kill -9 $process 2>/dev/null || true; wait $process 2>/dev/null || true
      done
      """)
    try sandbox.dv("erase", "a/in/person.bin", "a/short", "--reason", "why", "--yes").succeed()
    for store in stores { #expect(try remains(sandbox, store) == 0, "\(store)") }
    try sandbox.dv("fsck", "--all", "--full").succeed()
    #expect(try sandbox.script("ls .dv/records/*/* | wc -l").text.trimmingCharacters(in: .whitespacesAndNewlines) == "2")
    try sandbox.script("rm -r a b; dv checkout || true; head -c 200000 ../secret | cmp - b/half.bin")
  }
}
