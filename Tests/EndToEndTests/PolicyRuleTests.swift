import DVFile
import Foundation
import SystemPackage
import Testing

/// Single rules of policies, withdrawn approvals, and what an audit says of a policy.
struct PolicyRuleTests {
  private static let bob = ["GIT_COMMITTER_NAME": "Bob", "GIT_COMMITTER_EMAIL": "bob@example.com"]

  /// A repository with a policy, keys that the user trusts outside of it, and an SSH key with which git signs when it is asked to.
  private func sandbox(policy: String) throws -> Sandbox {
    let sandbox = try Sandbox()
    sandbox.variables["DV_TRUST_STORE"] = sandbox.folder.appending("trust.yaml").string
    try sandbox.write(policy, to: ".dv/policy.yaml")
    try sandbox.script(
      """
      for who in ada bob carl; do
        openssl ecparam -name prime256v1 -genkey -noout -out ../$who.pem && openssl ec -in ../$who.pem -pubout -out ../$who.pub 2> /dev/null
      done
      cat > ../trust.yaml << 'END'
      version: 1
      keys:
        - {person: Ada <ada@example.com>, roles: [release], file: ada.pub}
        - {person: Bob <bob@example.com>, roles: [reviewer], file: bob.pub}
        - {person: Bob <BOB@example.com>, roles: [reviewer], file: carl.pub}
      END
      ssh-keygen -q -t ed25519 -N '' -f ../ssh && git config gpg.format ssh && git config user.signingKey "$PWD/../ssh"
      echo "ada@example.com $(cat ../ssh.pub)" > ../allowed && git config gpg.ssh.allowedSignersFile "$PWD/../allowed"
      git add . && git commit -qm policy
      """)
    return sandbox
  }

  private func makeModel(_ sandbox: Sandbox, _ name: String = "churn") throws {
    try sandbox.script(
      """
      seq 1 9 > data.txt && dv -q add data.txt && git add . && git commit -qm data
      dv -q run -n train -d data.txt -o model.bin -- 'tail -n 3 data.txt > model.bin' && git add . && git commit -qm model
      dv -q model register \(name) model.bin
      """)
  }

  private func findings(_ sandbox: Sandbox, _ code: Int32, in directory: FilePath? = nil, _ arguments: Sandbox.Argument...) throws -> [String] {
    let report = try sandbox.run([.init(Sandbox.program), "audit", "--json"] + arguments, in: directory).exit(code)
    return (try report.json["findings"] as? [[String: String]] ?? []).map { "\($0["kind"] ?? "") \($0["subject"] ?? ""): \($0["message"] ?? "")" }
  }

  @Test func tagsAndCommitsMustBeSigned() throws {
    let sandbox = try sandbox(policy: "version: 1\naliases:\n  tags: {signed_tags: true}\n  commits: {signed_commit: true}\n")
    try makeModel(sandbox)
    #expect(try sandbox.dv("model", "promote", "churn", "v0.1.0", "tags").exit(1).errorText.contains("'churn@v0.1.0' is not signed"))
    #expect(try sandbox.dv("model", "promote", "churn", "v0.1.0", "commits").exit(1).errorText.contains("is not signed"))
    try sandbox.script("echo more >> data.txt && dv -q add data.txt && dv -q repro && git add . && git commit -q -S -m signed")
    try sandbox.dv("model", "register", "churn", "model.bin", "--sign").succeed()
    try sandbox.dv("model", "promote", "churn", "v0.1.1", "commits").succeed()
    // The tag of the move is signed without being asked for.
    try sandbox.dv("model", "promote", "churn", "v0.1.1", "tags").succeed()
    try sandbox.git("verify-tag", "churn#tags#2").succeed()
    try sandbox.dv("model", "check", "churn@tags").succeed()
    #expect(try findings(sandbox, 1).allSatisfy { $0.hasPrefix("unknown-source") })
    // Whom git does not trust here any more.
    try sandbox.script("echo \"eve@example.com $(cat ../ssh.pub)\" | sed 's/AAAA[^ ]*/AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/' > ../allowed")
    let refused = try findings(sandbox, 1)
    #expect(refused.contains { $0.hasPrefix("policy churn@tags: signed tags: git does not accept") }, "\(refused)")
    #expect(refused.contains { $0.hasPrefix("policy churn@commits: signed commit: git does not accept") }, "\(refused)")
  }

  /// Rules for one model stand before those for all; data that was imported has a source, in tracked directories too.
  @Test func rulesForAModelAndSourcesOfDirectories() throws {
    let sandbox = try sandbox(
      policy: """
        version: 1
        default: {lineage: full}
        aliases:
          production: {signature: [release]}
        models:
          free:
            default: {}
          strict:
            aliases:
              production: {lineage: full, clean_code: true}

        """)
    try sandbox.script(
      """
      (mkdir ../station && cd ../station && git init -q -b main && dv -q init && mkdir -p raw/sub && seq 5 > raw/a.txt && seq 7 > raw/sub/b.txt
       dv -q add raw && git add . && git commit -qm raw && dv -q remote add hub ../hub && dv -q push && git add . && git commit -qm remote)
      dv -q import ../station raw
      printf 'cat raw/a.txt raw/sub/b.txt > model.bin\\n' > train.sh
      git add . && git commit -qm imported
      dv -q run -n train -d raw/a.txt -d raw/sub -d train.sh -o model.bin -- sh train.sh && git add . && git commit -qm model
      for name in free strict other; do dv -q model register $name model.bin; done
      """)
    // Parts of an imported directory come from where it does.
    try sandbox.dv("model", "promote", "strict", "v0.1.0", "production").succeed()
    try sandbox.dv("model", "promote", "strict", "v0.1.0", "staging").succeed()
    try sandbox.dv("model", "promote", "free", "v0.1.0", "production").succeed()
    #expect(try sandbox.dv("model", "promote", "other", "v0.1.0", "production").exit(1).errorText.contains("No key of release"))
    #expect(try findings(sandbox, 0).isEmpty)
    // Beside it, a directory that came from nowhere.
    try sandbox.script(
      """
      mkdir own && seq 3 > own/c.txt && dv -q add own && git add . && git commit -qm own
      dv -q run -f -n train -d raw -d own -d train.sh -o model.bin -- 'sh train.sh && cat own/c.txt >> model.bin' && git add . && git commit -qm again
      dv -q model register strict model.bin
      """)
    #expect(try sandbox.dv("model", "promote", "strict", "v0.1.1", "production").exit(1).errorText.contains("where 'own' came from"))
    try sandbox.dv("model", "promote", "free", "v0.1.0", "staging").succeed()
  }

  @Test func approvalsAreTakenBack() throws {
    let sandbox = try sandbox(policy: "version: 1\naliases:\n  production: {approvals: {count: 1, by: [reviewer]}}\n")
    try makeModel(sandbox)
    func approve(_ key: String = "bob", _ more: Sandbox.Argument...) throws -> Sandbox.Outcome {
      try sandbox.run(
        [.init(Sandbox.program), "model", "approve", "churn", "v0.1.0", "--key", "../\(key).pem"] + more, environment: Self.bob)
    }
    func check() throws -> Sandbox.Outcome { try sandbox.dv("model", "check", "churn@v0.1.0", "--alias", "production") }
    try approve("bob", "--withdraw").exit(2)
    try approve().succeed()
    try check().succeed()
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production").succeed()
    // For another alias it changes nothing; for this one it does, though the approval was for any.
    try approve("bob", "--withdraw", "--alias", "staging").succeed()
    try check().succeed()
    let first = try sandbox.git("rev-parse", "--verify", "refs/tags/\(try approvalTag(sandbox))").text
    let answer = try approve("bob", "--withdraw", "--alias", "production", "-m", "it drifts", "--json").succeed().json
    #expect(answer["withdrawn"] as? Bool == true)
    #expect(try check().exit(1).text.contains("took it back on"))
    #expect(try check().text.contains("it drifts"))
    #expect(try findings(sandbox, 1).contains { $0.hasPrefix("policy churn@production: approvals: 0 of 1") })
    try approve("bob", "--withdraw", "--alias", "production").exit(2)
    // The same bundle in a new tag is as old as it was.
    try sandbox.script("git for-each-ref --format='%(contents)' refs/tags/dv/approval > ../message && git tag -a --cleanup=verbatim -F ../message dv/approval/churn@v0.1.0/copy 'churn@v0.1.0^{commit}'")
    try check().exit(1)
    // One may change one's mind, and take that back with another key of one's own.
    try approve().succeed()
    try check().succeed()
    try approve().exit(2)
    #expect(try sandbox.git("tag", "--list", "dv/approval/*-2").text.split(separator: "\n").count == 1)
    try approve("carl", "--withdraw").succeed()
    try check().exit(1)
    #expect(try sandbox.git("rev-parse", "--verify", "refs/tags/\(try approvalTag(sandbox))").text == first)
  }

  private func approvalTag(_ sandbox: Sandbox) throws -> Sandbox.Argument {
    .init(String(try sandbox.git("tag", "--list", "dv/approval/*").text.split(separator: "\n").first { !$0.hasSuffix("copy") && !$0.hasSuffix("-2") } ?? ""))
  }

  /// An audit asks the policy again, states which one, and tells what it lacks to judge.
  @Test func auditsAskThePolicy() throws {
    let missing = String(repeating: "ab", count: 32)
    let sandbox = try sandbox(
      policy: "version: 1\naliases:\n  production: {signature: [release]}\n  staging: {signature: [\"sha256:\(missing)\"], approvals: {by: [auditor]}}\n")
    try makeModel(sandbox)
    try sandbox.dv("sign", "churn@v0.1.0", "--key", "../ada.pem", "-o", "../churn.sig", "--tag").succeed()
    try sandbox.dv("model", "promote", "churn", "v0.1.0", "production").succeed()
    let blob = try sandbox.git("rev-parse", "main:.dv/policy.yaml").text.filter { $0 != "\n" }
    let report = try sandbox.dv("audit", "--json").exit(1).json
    #expect((report["policy"] as? [String: Any])?["blob"] as? String == blob)
    #expect(try sandbox.dv("audit").exit(1).text.contains("Policy: '.dv/policy.yaml' of main, blob \(blob.prefix(12))"))
    var found = try findings(sandbox, 1)
    #expect(found.contains { $0.hasPrefix("unknown-key key sha256:abab") } && found.contains { $0.hasPrefix("unknown-key role auditor") })
    #expect(!found.contains { $0.hasPrefix("policy ") })
    #expect(try sandbox.dv("model", "promote", "churn", "v0.1.0", "staging").exit(1).errorText.contains("the trust store has no key of auditor"))
    // A move that asked nobody: its version lacks what is needed.
    try sandbox.script("git tag -a -m gto churn#staging#2 'churn@v0.1.0^{commit}'")
    found = try findings(sandbox, 1)
    #expect(found.contains { $0.hasPrefix("policy churn@staging: signature:") } && found.contains { $0.hasPrefix("policy churn@staging: approvals:") })
    // Only what is asked about.
    #expect(try findings(sandbox, 1, "churn@production").contains { $0.contains("churn@staging") } == false)
    // A move whose evidence leaves out what its policy asks for, or whose policy nobody has.
    for (edit, kind) in [("s/\"evidence\":.*\\]\\],\"model\"/\"model\"/", "no-evidence"), ("s/\"policy\":\"..../\"policy\":\"0000/", "unknown-policy")] {
      try sandbox.script(
        """
        git for-each-ref --format='%(contents)' 'refs/tags/churn#production#1' | sed '\(edit)' > ../message
        git tag -a --cleanup=verbatim -F ../message 'churn#production#9' 'churn@v0.1.0^{commit}'
        """)
      found = try findings(sandbox, 1)
      #expect(found.contains { $0.hasPrefix("\(kind) churn#production#9") }, "\(edit): \(found)")
      try sandbox.git("tag", "-d", "churn#production#9").succeed()
    }
    // A policy or trust store that cannot be read is told, and nothing is judged by it.
    try sandbox.script("echo broken >> ../trust.yaml")
    #expect(try findings(sandbox, 1).contains { $0.hasPrefix("trust-store trust store: ") })
    try sandbox.script("echo 'nonsense: 1' >> .dv/policy.yaml && git commit -qam broken")
    #expect(try findings(sandbox, 1).contains { $0.hasPrefix("policy-unreadable .dv/policy.yaml: ") })
  }

  /// In a shallow clone what is missing is told as that, with the remedy.
  @Test func shallowClonesSayWhatTheyLack() throws {
    let sandbox = try sandbox(policy: "version: 1\naliases:\n  production: {clean_code: true, lineage: recorded}\n")
    try makeModel(sandbox)
    try sandbox.script(
      """
      dv -q model promote churn v0.1.0 production && echo more >> data.txt && dv -q add data.txt && dv -q repro && git add . && git commit -qm again
      dv -q model register churn model.bin && dv -q model promote churn v0.1.1 production
      git init -q --bare ../hub.git && git remote add origin "file://$PWD/../hub.git" && git push -q origin main --tags
      git clone -q --depth 1 -b main "file://$PWD/../hub.git" ../shallow
      """)
    let shallow = sandbox.folder.appending("shallow")
    #expect(try findings(sandbox, 1, in: shallow).contains { $0.hasPrefix("shallow churn#production#2: ") && $0.contains("--unshallow") })
    #expect(try sandbox.dv("model", "show", "churn@v0.1.0", in: shallow).exit(2).errorText.contains("--unshallow"))
    try sandbox.dv("model", "check", "churn@production", in: shallow).succeed()
    try sandbox.git("fetch", "-q", "--unshallow", "--tags", in: shallow).succeed()
    #expect(try findings(sandbox, 1, in: shallow).allSatisfy { $0.hasPrefix("unknown-source") || $0.hasPrefix("missing-object") })
  }
}
