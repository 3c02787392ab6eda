import DVFile
import Foundation
import SystemPackage
import Testing

/// `.dv/policy.yaml`: what a version needs before it may take an alias.
struct PolicyTests {
  private static let bob = ["GIT_COMMITTER_NAME": "Bob", "GIT_COMMITTER_EMAIL": "bob@example.com"]

  /// Makes a repository with a pipeline, and keys that the user trusts outside of it.
  private func sandbox(policy: String) throws -> Sandbox {
    let sandbox = try Sandbox()
    try sandbox.shell(
      """
      for who in ada bob eve; do
        openssl ecparam -name prime256v1 -genkey -noout -out ../$who.pem && openssl ec -in ../$who.pem -pubout -out ../$who.pub 2> /dev/null
      done
      cat > ../trust.yaml << 'END'
      version: 1
      keys:
        - {person: Ada <ada@example.com>, roles: [release, reviewer], file: ada.pub}
        - {person: Bob <bob@example.com>, roles: [reviewer], file: bob.pub}
      END
      cat > train.sh << 'END'
      cat auc.txt > model.bin
      printf '{"auc": %s}' "$(cat auc.txt)" > metrics.json
      END
      """)
    sandbox.variables["DV_TRUST_STORE"] = sandbox.folder.appending("trust.yaml").string
    try sandbox.write(policy, to: ".dv/policy.yaml")
    try sandbox.commit("policy")
    return sandbox
  }

  private func train(_ sandbox: Sandbox, auc: String) throws {
    try sandbox.write("\(auc)\n", to: "auc.txt")
    try sandbox.git("add", "auc.txt", "train.sh").succeed()
    try sandbox.dv(
      "run", "-f", "-n", "train", "-d", "auc.txt", "-d", "train.sh", "-o", "model.bin", "-M", "metrics.json", "--", "sh train.sh"
    ).succeed()
  }

  private func register(_ sandbox: Sandbox, auc: String) throws {
    try train(sandbox, auc: auc)
    try sandbox.commit("auc \(auc)")
    try sandbox.dv("model", "register", "churn", "model.bin", "--bump", "minor").succeed()
  }

  private func checks(_ outcome: Sandbox.Outcome) throws -> [String: Bool] {
    let checks = try #require(try outcome.json["checks"] as? [[String: Any]])
    return checks.reduce(into: [:]) { $0[$1["check"] as? String ?? ""] = $1["ok"] as? Bool }
  }

  @Test func versionsArePromotedWhenAllIsThere() throws {
    let sandbox = try sandbox(
      policy: """
        version: 1
        aliases:
          production:
            metrics:
              auc: {min: 0.8, max_drop: 0.02}
            clean_code: true
            lineage: recorded
            signature: [release]
            approvals: {count: 1, by: [reviewer]}

        """)
    try register(sandbox, auc: "0.91")
    let refused = try sandbox.dv("model", "promote", "churn", "v0.1.0", "production", "--json").exit(1)
    #expect(
      try checks(refused) == ["metric auc": true, "clean code": true, "lineage": true, "signature": false, "approvals": false])
    #expect(refused.errorText.contains("2 of 5 checks") && refused.errorText.contains("0 of 1"))
    #expect(try sandbox.git("tag", "--list", "*#*").text.isEmpty)
    // An alias that the policy does not name needs nothing.
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "staging").succeed()
    // One's own approval does not count, and a key that nobody trusts neither.
    try sandbox.dv("model", "approve", "churn", "v0.1.0", "--key", "../ada.pem").exit(2)
    try sandbox.dv("model", "approve", "churn", "v0.1.0", "--key", "../ada.pem", environment: Self.bob).exit(2)
    try sandbox.dv("model", "approve", "churn", "v0.1.0", "--key", "../eve.pem", environment: Self.bob).succeed()
    try sandbox.dv("sign", "churn@v0.1.0", "--key", "../ada.pem", "-o", "../churn.sig", "--tag").succeed()
    try sandbox.dv("model", "approve", "churn", "v0.1.0", "--alias", "staging", "--key", "../bob.pem", environment: Self.bob).succeed()
    let still = try sandbox.dv("model", "check", "churn@v0.1.0", "--alias", "production").exit(1).text
    #expect(still.contains("0 of 1") && still.contains("not in the trust store"))
    let approved = try sandbox.dv(
      "model", "approve", "churn", "v0.1.0", "--alias", "production", "--key", "../bob.pem", "-m", "looks fine", "--json", environment: Self.bob
    ).succeed().json
    #expect(approved["person"] as? String == "Bob <bob@example.com>")
    try sandbox.dv("model", "approve", "churn", "v0.1.0", "--alias", "production", "--key", "../bob.pem", environment: Self.bob).exit(2)
    // Who promotes does not approve.
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production", environment: Self.bob).exit(1)
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production", "-m", "first").succeed()
    // What it was decided on stands in the tag.
    let events = try #require(try sandbox.dv("model", "history", "churn", "--json").succeed().json["events"] as? [[String: Any]])
    let event = try #require(events.first { $0["alias"] as? String == "production" })
    let policy = try sandbox.git("rev-parse", "main:.dv/policy.yaml").text.filter { $0 != "\n" }
    #expect(event["policy"] as? String == policy)
    let evidence = try #require(event["evidence"] as? [[String: Any]])
    #expect(evidence.count == 5)
    #expect((evidence.first?["inputs"] as? [String: Any])?["value"] as? Double == 0.91)
    for target in ["churn@production", "churn#production#2", "refs/tags/churn#production#2"] {
      #expect(try sandbox.dv("model", "check", Sandbox.Argument(target), "--json").succeed().json["ok"] as? Bool == true)
    }
    // What people signed about the version is in the graph.
    let graph = try sandbox.dv("lineage", "churn@v0.1.0", "--json").succeed().json
    let signed = try #require(graph["nodes"] as? [[String: Any]]).filter { $0["type"] as? String == "attestation" }.compactMap { $0["label"] as? String }
    #expect(
      signed.sorted() == [
        "approval of churn@v0.1.0 by Bob", "approval of churn@v0.1.0 for production by Bob", "approval of churn@v0.1.0 for staging by Bob",
        "signature of churn@v0.1.0 by Ada",
      ])
    let edges = try #require(graph["edges"] as? [[String: Any]]).filter { ($0["to"] as? String)?.hasPrefix("attestation:dv/") == true }
    #expect(edges.count == 4 && edges.allSatisfy { $0["from"] as? String == "model:churn@v0.1.0" })
    let tag = try #require(edges.first?["to"] as? String).dropFirst("attestation:".count)
    #expect(try sandbox.dv("lineage", "--up", .init(String(tag))).succeed().text.contains("model churn@v0.1.0"))
    // Worse than what is there by more than is allowed.
    try register(sandbox, auc: "0.88")
    let worse = try sandbox.dv("model", "promote", "churn", "v0.2.0", "production").exit(1).errorText
    #expect(worse.contains("metric auc") && worse.contains("below the 0.91 of v0.1.0"))
    // Taking the alias away does not take the yardstick away.
    try sandbox.dv("model", "promote", "churn", "none", "production").succeed()
    #expect(try sandbox.dv("model", "promote", "churn", "v0.2.0", "production").exit(1).errorText.contains("0.91 of v0.1.0"))
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production").succeed()
    // Nor does it go with the moves, when these are removed on record.
    for tag in ["churn#production#2", "churn#production#4", "churn#production!#3"] {
      try sandbox.dv("model", "remove", .init(tag), "-m", "away with it").succeed()
      #expect(try sandbox.dv("model", "promote", "churn", "v0.2.0", "production").exit(1).errorText.contains("0.91 of v0.1.0"), "\(tag)")
    }
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production").succeed()
    // Where model.enforce is set, an alias is only as good as the policy says now.
    try sandbox.shell("sed -i '/Bob/d' ../trust.yaml")
    try sandbox.dv("model", "get", "churn@production", "-o", "out").succeed()
    try sandbox.dv("config", "model.enforce", "true").succeed()
    #expect(try sandbox.dv("model", "get", "churn@production", "-o", "out2").exit(1).errorText.contains("approvals"))
    #expect(try !sandbox.exists("out2"))
    try sandbox.dv("model", "get", "churn@v0.1.0", "-o", "out2").succeed()
    try sandbox.dv("model", "check", "churn@production").exit(1)
  }

  /// The policy is the protected branch's: nobody brings his own.
  @Test func thePolicyIsTheProtectedBranchs() throws {
    let sandbox = try sandbox(policy: "version: 1\ndefault:\n  metrics: {auc: {min: 0.8}}\n")
    try sandbox.shell("git init -q --bare ../hub && git remote add origin ../hub && git push -q origin main && git fetch -q && git remote set-head origin main")
    try sandbox.git("checkout", "--quiet", "-b", "feature").succeed()
    try sandbox.write("version: 1\n", to: ".dv/policy.yaml")
    try register(sandbox, auc: "0.7")
    #expect(try sandbox.dv("model", "promote", "churn", "v0.1.0", "production").exit(1).errorText.contains("origin/HEAD"))
    // Neither a local branch nor a tag that is called like the protected one stands in for it.
    try sandbox.git("branch", "--force", "main", "feature").succeed()
    try sandbox.git("tag", "origin/main", "feature").succeed()
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production").exit(1)
    try sandbox.dv("config", "--project", "model.policyBranch", "feature").exit(2)
    try sandbox.dv("config", "model.policyBranch", "gone").succeed()
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production").exit(2)
    try sandbox.dv("config", "model.policyBranch", "origin/main").succeed()
    #expect(try sandbox.dv("model", "promote", "churn", "v0.1.0", "production").exit(1).errorText.contains("at least 0.8"))
    // Keys of the working tree are nobody's to trust.
    try sandbox.shell("cp ../trust.yaml trust.yaml && cp ../*.pub .")
    let inside = ["DV_TRUST_STORE": sandbox.work.appending("trust.yaml").string]
    try sandbox.shell("git tag -d origin/main && git checkout -q --no-track -B policy refs/remotes/origin/main && printf 'version: 1\\ndefault: {approvals: 1}\\n' > .dv/policy.yaml && git add .dv && git commit -qm approvals && git push -q origin HEAD:main && git fetch -q").succeed()
    #expect(try sandbox.dv("model", "promote", "churn", "v0.1.0", "production", environment: inside).exit(2).errorText.contains("working tree"))
    // A policy with an error in it lets nothing pass.
    try sandbox.shell("echo 'approvals: 1' >> .dv/policy.yaml && git add .dv && git commit -qm broken && git push -q origin HEAD:main && git fetch -q").succeed()
    #expect(try sandbox.dv("model", "promote", "churn", "v0.1.0", "production").exit(2).errorText.contains("unknown key 'approvals'"))
  }

  /// What ran must be in git as it ran, what was read known, and what was made come out again.
  @Test func codeLineageAndReproductionsAreChecked() throws {
    let sandbox = try sandbox(
      policy: """
        version: 1
        aliases:
          clean: {clean_code: true}
          known: {lineage: recorded}
          sourced: {lineage: full}
          made: {reproduction: identical}

        """)
    func question(_ version: String, _ alias: String) throws -> Sandbox.Outcome {
      try sandbox.dv("model", "check", Sandbox.Argument("churn@\(version)"), "--alias", Sandbox.Argument(alias))
    }
    // The script is changed after it ran.
    try train(sandbox, auc: "0.9")
    try sandbox.shell("echo '# later' >> train.sh")
    try sandbox.commit("dirty")
    try sandbox.dv("model", "register", "churn", "model.bin").succeed()
    #expect(try question("v0.1.0", "clean").exit(1).text.contains("train.sh"))
    // Data without a run or a source: tracked, but from nowhere.
    try sandbox.write("0.95\n", to: "auc.txt")
    try sandbox.shell("git rm -q --cached auc.txt")
    try sandbox.dv("add", "auc.txt").succeed()
    try sandbox.git("add", "train.sh").succeed()
    try sandbox.dv(
      "run", "-f", "-n", "train", "-d", "auc.txt", "-d", "train.sh", "-o", "model.bin", "-M", "metrics.json", "--", "sh train.sh"
    ).succeed()
    try sandbox.commit("tracked")
    try sandbox.dv("model", "register", "churn", "model.bin", "--version", "v0.2.0").succeed()
    try question("v0.2.0", "clean").succeed()
    try question("v0.2.0", "known").succeed()
    #expect(try question("v0.2.0", "sourced").exit(1).text.contains("'auc.txt'"))
    #expect(try question("v0.2.0", "made").exit(1).text.contains("dv reproduce"))
    try sandbox.dv("reproduce", "churn@v0.2.0").succeed()
    try question("v0.2.0", "made").succeed()
    // A model that no run made has nothing to show.
    try sandbox.write("hand-made\n", to: "other.bin")
    try sandbox.dv("add", "other.bin").succeed()
    try sandbox.commit("other")
    try sandbox.dv("model", "register", "churn", "other.bin", "--version", "v0.3.0").succeed()
    for alias in ["clean", "known", "sourced", "made"] { try question("v0.3.0", alias).exit(1) }
  }
}
