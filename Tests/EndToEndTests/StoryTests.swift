import DVFile
import Foundation
import SystemPackage
import Testing

/// The whole way, as the guide tells it: raw data imported, cleaned, two models trained, one promoted, one file found poisoned, its
/// impact listed, the model retrained, rolled back and promoted again, the file erased, all audited, exported, and verified where there is
/// no repository.
struct StoryTests {
  /// Another team's repository: measurements of forty patients, of which one file has its sign wrong.
  private func makeClinic(_ sandbox: Sandbox) throws {
    try sandbox.script(
      """
      mkdir -p ../clinic/raw ../clinic-data && cd ../clinic && git init -q -b main && dv init -q
      dv remote add -q origin ../clinic-data
      python3 - <<'END'
      import random
      random.seed(7)
      for p in range(1, 41):
          with open(f"raw/p{p:02}.csv", "w") as f:
              f.write("dose,effect\\n")
              for _ in range(25):
                  x = random.uniform(0, 10)
                  y = 2 * x + 1 + random.gauss(0, 0.5)
                  f.write(f"{x:.3f},{-9 * y if p == 13 else y:.3f}\\n")
              if p % 5 == 0: f.write("broken,\\n")
      END
      dv add -q raw && git add -A && git commit -qm 'Forty patients' && git tag v1 && dv push -q
      """)
  }

  private func writeScripts(_ sandbox: Sandbox) throws {
    try sandbox.write(
      """
      import csv, glob
      with open("clean.csv", "w") as out:
          for path in sorted(glob.glob("raw/*.csv")):
              for row in csv.DictReader(open(path)):
                  try: out.write(f"{float(row['dose'])},{float(row['effect'])}\\n")
                  except (ValueError, TypeError): pass
      """, to: "clean.py")
    try sandbox.write(
      """
      import json
      ridge = float(dict(l.split(": ") for l in open("params.yaml"))["ridge"])
      rows = [tuple(map(float, l.split(","))) for l in open("clean.csv")]
      mx, my = (sum(r[i] for r in rows) / len(rows) for i in (0, 1))
      slope = sum((x - mx) * (y - my) for x, y in rows) / (sum((x - mx) ** 2 for x, _ in rows) + ridge)
      json.dump({"slope": slope, "intercept": my - slope * mx}, open("model.json", "w"))
      error = sum(abs(slope * x + my - slope * mx - y) for x, y in rows) / len(rows)
      json.dump({"error": error, "slope": slope}, open("metrics.json", "w"))
      """, to: "train.py")
  }

  private func labels(_ json: [String: Any], _ key: String) -> [String] {
    (json[key] as? [[String: Any]] ?? []).compactMap { $0["label"] as? String }.sorted()
  }

  private func error(_ sandbox: Sandbox) throws -> Double {
    let json = try JSONSerialization.jsonObject(with: Data(try sandbox.read("metrics.json").utf8)) as? [String: Any]
    return try #require(json?["error"] as? Double)
  }

  @Test func fromRawDataToAnAuditElsewhere() throws {
    let sandbox = try Sandbox()
    try makeClinic(sandbox)
    // A key of one's own: tags of the registry are signed with it, and git knows whom it belongs to.
    try sandbox.script(
      """
      ssh-keygen -q -t ed25519 -N '' -f ../key && git config gpg.format ssh && git config user.signingKey "$PWD/../key"
      echo "ada@example.com $(cat ../key.pub)" > ../signers && git config gpg.ssh.allowedSignersFile "$PWD/../signers"
      git init -q --bare -b main ../hub && git remote add origin ../hub && mkdir ../data && dv remote add -q lab ../data
      """)

    // Imported, cleaned, trained twice.
    try sandbox.dv("import", "../clinic", "raw", "--rev", "v1").succeed()
    try writeScripts(sandbox)
    try sandbox.write("ridge: 0\n", to: "params.yaml")
    try sandbox.dv("run", "-n", "clean", "-d", "raw", "-d", "clean.py", "-o", "clean.csv", "--", "python3 clean.py").succeed()
    try sandbox.dv(
      "run", "-n", "train", "-d", "clean.csv", "-d", "train.py", "-p", "ridge", "-o", "model.json", "-M", "metrics.json", "--",
      "python3 train.py"
    ).succeed()
    try sandbox.commit("A first model")
    try sandbox.dv("model", "register", "effect", "model.json", "--sign").succeed()
    try sandbox.write("ridge: 50\n", to: "params.yaml")
    try sandbox.dv("repro").succeed()
    try sandbox.commit("With a ridge")
    try sandbox.dv("model", "register", "effect", "model.json", "--bump", "minor", "--sign").succeed()
    try sandbox.dv("model", "promote", "effect", "v0.2.0", "production", "-m", "steadier", "--sign").succeed()
    try sandbox.script("dv push -q --all && git push -q origin main --tags")
    let poisoned = try error(sandbox)
    #expect(poisoned > 2)

    // One file is found poisoned: what did it end up in?
    for target in ["raw/p13.csv", "../clinic/raw/p13.csv"] {
      let impact = try sandbox.dv("impact", "--json", .init(target)).succeed().json
      #expect(labels(impact, "models") == ["effect@v0.1.0", "effect@v0.2.0"], "\(target)")
      #expect(labels(impact, "aliases") == ["effect@production"] && labels(impact, "runs") == ["clean", "train", "train"], "\(target)")
      #expect(impact["complete"] as? Bool == true)
    }

    // Put right where it came from, and trained again.
    try sandbox.script("cd ../clinic && dv rm -q raw/p13.csv && git commit -qam 'Without 13' && git tag v2 && dv push -q")
    try sandbox.dv("update", "raw", "--rev", "v2").succeed()
    try sandbox.dv("repro").succeed()
    #expect(try error(sandbox) < poisoned / 2)
    try sandbox.commit("Without patient 13")
    try sandbox.dv("model", "register", "effect", "model.json", "--bump", "minor", "--sign").succeed()
    let after = try sandbox.dv("impact", "--json", "../clinic/raw/p01.csv").succeed().json
    #expect(labels(after, "models") == ["effect@v0.1.0", "effect@v0.2.0", "effect@v0.3.0"])

    // Promoted, rolled back in the night, and promoted again in the morning.
    try sandbox.dv("model", "promote", "effect", "v0.3.0", "production", "-m", "without 13", "--sign").succeed()
    try sandbox.dv("model", "rollback", "effect", "-m", "the consumer expects the old scale", "--sign").succeed()
    #expect(try sandbox.dv("model", "show", "effect@production").succeed().text.contains("v0.2.0"))
    try sandbox.dv("model", "promote", "effect", "v0.3.0", "production", "-m", "the consumer was put right", "--sign").succeed()
    let events = try #require(try sandbox.dv("model", "history", "effect", "--json").succeed().json["events"] as? [[String: Any]])
    #expect(events.count == 7)

    // It can be made again.
    #expect(try sandbox.dv("reproduce", "--json", "effect@v0.3.0").succeed().json["verdict"] as? String == "identical")

    // The file goes for good, from here and from the remote.
    let oid = Sandbox.Argument("HEAD~1:raw/p13.csv")
    let erased = try sandbox.dv("erase", "--json", oid, "--reason", "patient 13 asked for it", "--yes").succeed().json
    #expect(labels(try #require((erased["erased"] as? [[String: Any]])?.first), "models") == ["effect@v0.1.0", "effect@v0.2.0"])
    try sandbox.git("commit", "--quiet", "-S", "--message", "Erase patient 13").succeed()
    try sandbox.script("dv push -q --all && git push -q origin main --tags")
    try sandbox.dv("fsck", "--all", "--full").succeed()
    try sandbox.dv("reproduce", "effect@v0.2.0").exit(3)

    // An auditor's clone: all of it again, from git alone and with the data.
    let clone = sandbox.folder.appending("auditor")
    try sandbox.script("git clone -q ../hub ../auditor && cd ../auditor && git config gpg.ssh.allowedSignersFile \"$PWD/../signers\" && dv fetch -q")
    let lineage = try sandbox.dv("lineage", "--json", "--up", "effect@production", in: clone).succeed().json
    let types = Set((lineage["nodes"] as? [[String: Any]] ?? []).compactMap { $0["type"] as? String })
    #expect(types.isSuperset(of: ["alias", "model", "run", "data", "source", "parameters", "commit"]))
    let audit = try sandbox.dv("audit", "--json", "--full").succeed().json
    #expect((audit["findings"] as? [Any])?.isEmpty == true && (audit["anchor"] as? [String: Any])?["kind"] as? String == "signed-commit")
    try sandbox.dv("audit", "effect@production", in: clone).succeed()

    // One archive, verified with nothing but itself and a public key.
    try sandbox.script("mkdir ../elsewhere && dv audit export effect@production -o ../elsewhere/effect.tar && cp ../key.pub ../elsewhere/")
    let elsewhere = sandbox.folder.appending("elsewhere")
    for gone in ["work", "hub", "data", "clinic", "clinic-data", "auditor", "signers", "key"] {
      try sandbox.folder.appending(gone).rename(to: sandbox.folder.appending("away-" + gone))
    }
    defer { try? sandbox.folder.appending("away-work").rename(to: sandbox.work) }
    let verified = try sandbox.dv("audit", "--json", "--archive", "effect.tar", "--key", "key.pub", in: elsewhere).succeed().json
    #expect((verified["anchor"] as? [String: Any])?["kind"] as? String == "signed-tag")
    #expect((verified["findings"] as? [Any])?.isEmpty == true)
    try sandbox.script("printf x | dd of=effect.tar bs=1 seek=2000 conv=notrunc status=none", in: elsewhere)
    try sandbox.dv("audit", "--archive", "effect.tar", "--key", "key.pub", in: elsewhere).exit(4)
  }
}
