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
    let verified = try sandbox.dv("verify", "churn@v0.1.0", "--key", "../key.pub", "-s", "../churn.sig", "--json").succeed().json
    #expect(verified["ok"] as? Bool == true && verified["provenance"] as? Bool == true)
    // Outside any repository, with the files alone.
    try sandbox.shell("cp model.bin ../copy.bin")
    try sandbox.dv("verify", "copy.bin", "--key", "key.pub", "-s", "churn.sig", in: sandbox.folder).succeed()
    try sandbox.shell("printf x >> ../copy.bin")
    try sandbox.dv("verify", "copy.bin", "--key", "key.pub", "-s", "churn.sig", in: sandbox.folder).exit(1)
    try sandbox.shell("openssl ecparam -name secp384r1 -genkey -noout -out ../other.pem && openssl ec -in ../other.pem -pubout -out ../other.pub 2> /dev/null")
    try sandbox.dv("verify", "churn@v0.1.0", "--key", "../other.pub", "-s", "../churn.sig").exit(1)
    // A directory: a file more is a file that nobody signed.
    try sandbox.dv("sign", "tree@v0.1.0", "--key", "../key.pem", "-o", "../tree.sig").succeed()
    try sandbox.dv("verify", "m", "--key", "../key.pub", "-s", "../tree.sig").succeed()
    try sandbox.shell("echo c > m/c")
    #expect(try sandbox.dv("verify", "m", "--key", "../key.pub", "-s", "../tree.sig").exit(1).errorText.contains("'c' is there and was not signed"))
    try sandbox.dv("verify", "tree@v0.1.0", "--key", "../key.pub", "-s", "../tree.sig").succeed()
  }
}
