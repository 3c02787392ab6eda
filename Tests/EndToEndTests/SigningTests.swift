import DVFile
import Foundation
import SystemPackage
import Testing

/// `dv sign` and `dv verify`.
struct SigningTests {
  @Test func signedModelsAreVerifiedAndChangedOnesRefused() throws {
    let sandbox = try Sandbox()
    try sandbox.shell(
      "openssl ecparam -name prime256v1 -genkey -noout -out ../key.pem && openssl ec -in ../key.pem -pubout -out ../key.pub 2> /dev/null && mkdir -p m/sub && echo a > m/a && echo b > m/sub/b")
    try sandbox.dv("add", "m").succeed()
    try sandbox.dv("run", "-n", "train", "-d", "m", "-o", "model.bin", "--", "cat m/a m/sub/b > model.bin").succeed()
    try sandbox.commit("model")
    try sandbox.dv("model", "register", "churn", "model.bin").succeed()
    try sandbox.dv("model", "register", "tree", "m").succeed()
    let signed = try sandbox.dv("sign", "churn@v0.1.0", "--key", "../key.pem", "-o", "../churn.sig", "--json").succeed().json
    #expect((signed["provenance"] as? String)?.hasSuffix("churn.sig.provenance") == true)
    #expect(
      try sandbox.dv("sign", "churn@v0.1.0", "--key", "../key.pem", "-o", "../again.sig").succeed().text.contains(
        "Signed what made it: '../again.sig.provenance'."))
    let verified = try sandbox.dv("verify", "churn@v0.1.0", "--key", "../key.pub", "-s", "../churn.sig", "--json").succeed().json
    #expect(verified["ok"] as? Bool == true && verified["provenance"] as? Bool == true && verified["bytes"] as? Int == 4)
    #expect(verified["tagSignature"] as? String == "none" && verified["commitSignature"] as? String == "none")
    // Outside any repository, with the files alone.
    try sandbox.shell("cp model.bin ../copy.bin")
    try sandbox.dv("verify", "copy.bin", "--key", "key.pub", "-s", "churn.sig", in: sandbox.folder).succeed()
    try sandbox.shell("printf x >> ../copy.bin")
    #expect(
      try sandbox.dv("verify", "copy.bin", "--key", "key.pub", "-s", "churn.sig", in: sandbox.folder).exit(1).errorText.contains(
        "the file has other bytes than were signed"))
    try sandbox.shell("openssl ecparam -name secp384r1 -genkey -noout -out ../other.pem && openssl ec -in ../other.pem -pubout -out ../other.pub 2> /dev/null")
    try sandbox.dv("verify", "churn@v0.1.0", "--key", "../other.pub", "-s", "../churn.sig").exit(1)
    // A directory: a file more is a file that nobody signed.
    // Paths are told as they were written.
    #expect(try sandbox.dv("sign", "tree@v0.1.0", "--key", "../key.pem", "-o", "../tree.sig").succeed().text.contains("2 files: '../tree.sig'."))
    try sandbox.dv("verify", "m", "--key", "../key.pub", "-s", "../tree.sig").succeed()
    try sandbox.shell("echo c > m/c")
    #expect(try sandbox.dv("verify", "m", "--key", "../key.pub", "-s", "../tree.sig").exit(1).errorText.contains("'c' is there and was not signed"))
    try sandbox.dv("verify", "tree@v0.1.0", "--key", "../key.pub", "-s", "../tree.sig").succeed()
  }

  /// A version is verified by its bytes, wherever they are, and by what git signed of it.
  @Test func storedBytesAndGitSignaturesAreVerified() throws {
    let sandbox = try Sandbox()
    try sandbox.shell(
      """
      openssl ecparam -name prime256v1 -genkey -noout -out ../key.pem && openssl ec -in ../key.pem -pubout -out ../key.pub 2> /dev/null
      ssh-keygen -q -t ed25519 -N '' -f ../ssh && git config gpg.format ssh && git config user.signingKey ../ssh
      echo "ada@example.com $(cat ../ssh.pub)" > ../allowed && git config gpg.ssh.allowedSignersFile ../allowed
      """)
    try sandbox.write("weights\n", to: "model.bin")
    try sandbox.dv("add", "model.bin").succeed()
    try sandbox.commit("model")
    try sandbox.dv("remote", "add", "origin", "../remote").succeed()
    try sandbox.dv("push").succeed()
    try sandbox.dv("model", "register", "churn", "model.bin", "--sign").succeed()
    let signed = try sandbox.dv("sign", "churn@v0.1.0", "--key", "../key.pem", "-o", "../churn.sig").succeed().text
    #expect(signed.contains(": '../churn.sig'.") && signed.contains("no provenance"))
    let verify: [Sandbox.Argument] = ["verify", "churn@v0.1.0", "--key", "../key.pub", "-s", "../churn.sig"]
    func verified(_ more: Sandbox.Argument...) throws -> Sandbox.Outcome {
      try sandbox.run([Sandbox.Argument(Sandbox.program)] + verify + more)
    }
    let text = try verified().succeed().text
    #expect(text.contains("No provenance") && text.contains("git accepts the tag's signature"))
    // Somebody whom git does not know here.
    try sandbox.shell("sed -i s/ada@/eve@/ ../allowed && ssh-keygen -q -t ed25519 -N '' -f ../eve && echo \"ada@example.com $(cat ../eve.pub)\" > ../allowed")
    let refused = try verified("--json").exit(1).json
    #expect(refused["tagSignature"] as? String == "refused" && refused["ok"] as? Bool == false)
    try sandbox.shell("echo \"ada@example.com $(cat ../ssh.pub)\" > ../allowed")
    // Without the bytes here, they are read from the remote or not said to be right.
    try sandbox.shell("rm -rf .git/dv/store")
    #expect(try verified().exit(3).errorText.contains("--remote"))
    try verified("--remote", "origin").succeed()
    // A byte of what is stored there.
    try sandbox.shell(
      """
      for f in $(find ../remote/packs ../remote/objects -type f); do chmod u+w $f; s=$(stat -c %s $f); \
      head -c $s /dev/zero | tr '\\0' x > $f; done
      rm -rf .git/dv/store
      """)
    let code = try verified("--remote", "origin").code
    #expect(code == 4 || code == 3)
  }
}
