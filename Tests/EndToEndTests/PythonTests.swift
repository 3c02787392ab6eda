import DVFile
import SystemPackage
import Testing

/// The Python module, by its own tests, and what it rests on.
struct PythonTests {
  /// The top of the checkout.
  private static let checkout = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()

  private func sandbox() throws -> Sandbox {
    let sandbox = try Sandbox()
    try sandbox.write("n\n1\n2\n", to: "data/numbers.csv")
    try sandbox.write("one\n", to: "data/deep/one.txt")
    try sandbox.write("lr: 0.1\n", to: "params.yaml")
    try sandbox.dv("remote", "add", "origin", .init(sandbox.folder.appending("remote"))).succeed()
    try sandbox.dv("add", "data").succeed()
    try sandbox.commit("first")
    try sandbox.git("tag", "v1.0").succeed()
    try sandbox.write("n\n3\n", to: "data/numbers.csv")
    try sandbox.write("lr: 0.2\n", to: "params.yaml")
    try sandbox.dv("add", "data").succeed()
    try sandbox.dv("push", "--all").succeed()
    return sandbox
  }

  @Test func theModuleKeepsItsPromises() throws {
    let sandbox = try sandbox()
    sandbox.variables["PYTHONPATH"] = Self.checkout.appending("Sources").appending("python").string
    sandbox.variables["PYTHONDONTWRITEBYTECODE"] = "1"
    let tests = Self.checkout.appending("Tests").appending("Python").appending("test_dv.py")
    try sandbox.run(["python3", "-W", "error::ResourceWarning", Sandbox.Argument(tests)]).succeed()
  }

  @Test func dataOfAnotherRepositoryIsCopied() throws {
    let sandbox = try sandbox()
    let url = "file://\(sandbox.work)"
    let here = sandbox.folder.appending("elsewhere")
    try here.createDirectories()
    let outcome = try sandbox.dv("get", "--json", .init(url), "data/", "--rev", "v1.0", in: here).succeed()
    #expect(try outcome.json["files"] as? Int == 2)
    #expect(try here.appending("data").appending("numbers.csv").readAll(limit: 100) == Array("n\n1\n2\n".utf8))
    // What is there stays, unless it is said otherwise.
    try sandbox.dv("get", .init(url), "data", in: here).exit(7)
    try sandbox.dv("get", .init(sandbox.work), "data/numbers.csv", "-o", "data", "--force", in: here).succeed()
    #expect(try here.appending("data").readAll(limit: 100) == Array("n\n3\n".utf8))
    // A file of git's, a path that is not there, a repository that is not there.
    try sandbox.dv("get", .init(url), "params.yaml", in: here).succeed()
    #expect(try here.appending("params.yaml").readAll(limit: 100) == Array("lr: 0.1\n".utf8))
    try sandbox.dv("get", .init(url), "no-such", in: here).exit(2)
    try sandbox.dv("get", "file:///no/such/repository", "data", in: here).exit(5)
    try sandbox.dv("get", "--", "--upload-pack=touch pwned", "data", in: here).exit(5)
    #expect(try here.appending("pwned").fileStat() == nil)
    #expect(try sandbox.dv("ls", "--repo", .init(url), "v1.0:data/deep", in: here).succeed().text == "one.txt\n")
    #expect(try sandbox.dv("cat", "--repo", .init(url), "data/deep/one.txt", in: here).succeed().text == "one\n")
    // A remote that is gone is said to be, and nothing is left.
    try sandbox.folder.appending("remote").removeTree()
    try sandbox.dv("get", .init(url), "data", "-o", "lost", in: here).exit(5)
    #expect(try sandbox.shell("ls -A", in: here).text == "data\nparams.yaml\n")
  }

  /// Lines that are none are counted, bounded and kept.
  @Test func whatIsNoLineOfALogDoesNoHarm() throws {
    let sandbox = try Sandbox()
    let script = """
      head -c 200000 /dev/zero | tr '\\0' x >> "$DV_RUN_LOG"; echo >> "$DV_RUN_LOG"
      echo '{"type":"metric","name":"auc","value":0.5}' >> "$DV_RUN_LOG"
      echo '{"type":"metric","name":"auc","value":0.75,"step":2}' >> "$DV_RUN_LOG"
      echo 'no json' >> "$DV_RUN_LOG"; printf '{"type":"met' >> "$DV_RUN_LOG"
      """
    let outcome = try sandbox.dv("run", "--json", "--", .init(script)).succeed()
    #expect(outcome.errorText.contains("3 of what the command logged"))
    #expect(outcome.text.contains(#""logged":{"metrics":{"auc":0.75}}"#) || outcome.text.contains(#""auc": 0.75"#))
  }
}
