import DVGit
import DVTesting
import SystemPackage
import Testing

@Suite struct GitConfigTests {
  @Test func gitsOwn() throws {
    let sandbox = try GitSandbox()
    let repository = try GitRepository(discoveringFrom: sandbox.work)
    #expect(try repository.signature() == nil)
    try sandbox.git("config", "user.name", "Grace")
    try sandbox.git("config", "user.email", "grace@example.com")
    #expect(try repository.signature()?.name == "Grace")
    #expect(try repository.signature()?.email == "grace@example.com")
    #expect(try repository.config().string("user.name") == "Grace")
    #expect(try repository.config().string("no.such") == nil)
    #expect(try repository.config().bool("core.bare") == false)
    #expect(try repository.config().entry("user.name")?.level == .repository)
  }

  /// Files that are not there are empty; the higher level wins; each entry knows its file.
  @Test func stack() throws {
    let sandbox = try GitSandbox()
    let (low, high, absent) = (
      sandbox.folder.appending("low"), sandbox.folder.appending("high"), sandbox.folder.appending("absent")
    )
    try sandbox.write(
      low,
      Array(
        """
        [core]
          remote = lab   # the default
          size = 64m
          flag
          odd = "a b"
        [remote "Lab.One"]
          url = /data
          fetch = one
          fetch = two
        """.utf8))
    try sandbox.write(
      high, Array("[core]\n\tremote = mine\n\tflag2 = off\n[remote \"Lab.One\"]\n\tfetch = three\n".utf8))
    let config = try GitConfig(files: [(high, .clone), (absent, .repository), (low, .system)])
    #expect(try config.string("core.remote") == "mine")
    #expect(try config.entry("core.remote")?.file == high)
    #expect(try config.entry("core.size")?.file == low)
    #expect(try config.integer("core.size") == 64 << 20)
    #expect(try config.bool("core.flag") == true)
    #expect(try config.bool("core.flag2") == false)
    #expect(try config.string("core.odd") == "a b")
    #expect(try config.string("remote.Lab.One.url") == "/data")
    #expect(try config.string("remote.lab.one.url") == nil)
    #expect(try config.entries("remote.Lab.One.fetch").map(\.value) == ["one", "two", "three"])
    #expect(try config.entries("remote.none.fetch").isEmpty)
    #expect(try config.entries(matching: "^remote\\..*\\.url$").map(\.name) == ["remote.Lab.One.url"])
    #expect(try config.entries(prefix: "core.").map(\.level) == [.system, .system, .system, .system, .clone, .clone])
    let error = #expect(throws: GitError.self) { try config.integer("core.remote") }
    #expect(error?.code == .invalid)
    #expect(error?.message.contains("'core.remote' is 'mine'") == true)
    #expect(error?.message.contains(high.string) == true)
    #expect(throws: GitError.self) { try config.bool("core.odd") }
  }

  @Test func syntaxErrorsNameFileAndLine() throws {
    let sandbox = try GitSandbox()
    let file = sandbox.folder.appending("broken")
    try sandbox.write(file, Array("[core]\n\ta = 1\n[bro ken\n".utf8))
    let error = #expect(throws: GitError.self) { try GitConfig(files: [(file, .repository)]) }
    #expect(error?.code == .invalid)
    #expect(error?.message.contains("broken") == true)
    #expect(error?.message.contains("3") == true, "\(error?.message ?? "")")
  }

  /// What is set can be read by git, and the rest of the file stays as it was.
  @Test func writing() throws {
    let sandbox = try GitSandbox()
    let file = sandbox.folder.appending("config")
    func git(_ name: String) throws -> String { try sandbox.git("config", "--file", file.string, "--get-all", name) }
    try GitConfig.set("core.remote", to: "lab \"x\" #;\\", in: file)
    #expect(try git("core.remote") == "lab \"x\" #;\\")
    try GitConfig.set("remote.lab.url", to: "s3://bucket", in: file)
    try GitConfig.add("remote.lab.fetch", value: "one", in: file)
    try GitConfig.add("remote.lab.fetch", value: "two", in: file)
    #expect(try git("remote.lab.fetch") == "one\ntwo")
    let several = #expect(throws: GitError.self) { try GitConfig.set("remote.lab.fetch", to: "x", in: file) }
    #expect(several != nil)
    #expect(try GitConfig.unset("remote.lab.fetch", in: file))
    #expect(try !GitConfig.unset("remote.lab.fetch", in: file))
    #expect(try GitConfig(files: [(file, .user)]).string("remote.lab.url") == "s3://bucket")
    for wrong in ["", "nodot", "core.", "core.a b", "core.1x"] {
      let error = #expect(throws: GitError.self) { try GitConfig.set(wrong, to: "x", in: file) }
      #expect(error?.code == .invalid, "\(wrong): \(error?.message ?? "")")
    }
    try sandbox.write(file, Array("# mine\n[core]\n\tremote = a ; why\n\tother = b\n".utf8))
    try GitConfig.set("core.other", to: "c", in: file)
    #expect(try GitConfig(files: [(file, .user)]).string("core.remote") == "a")
    #expect(try sandbox.git("config", "--file", file.string, "core.other") == "c")
  }

  @Test func aHeldLockIsNamed() throws {
    let sandbox = try GitSandbox()
    let file = sandbox.folder.appending("config")
    try sandbox.write(sandbox.folder.appending("config.lock"), [])
    let error = #expect(throws: GitError.self) { try GitConfig.set("core.a", to: "b", in: file) }
    #expect(error?.code == .busy)
    #expect(error?.message.contains("config.lock") == true)
  }
}
