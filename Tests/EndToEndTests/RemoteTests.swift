import DVFile
import SystemPackage
import Testing

/// `dv remote`: what it writes down, refuses and sees.
@Suite struct RemoteTests {
  @Test func remotesAreAddedListedAndRemoved() throws {
    let sandbox = try Sandbox()
    #expect(try sandbox.dv("remote").succeed().text.contains("There is no remote"))
    #expect(try sandbox.dv("remote", "add", "origin", "../away/remote").exit(5).errorText.contains("--create"))
    try sandbox.dv("remote", "add", "origin", "../remote", "--create").succeed()
    #expect(try sandbox.git("diff", "--cached", "--name-only").text == ".dv/config\n")
    #expect(try sandbox.dv("remote", "add", "origin", "../remote").succeed().text.contains("is there already"))
    try sandbox.dv("remote", "add", "origin", "../other", "--create").exit(2)
    try sandbox.dv("remote", "add", "origin", "../other", "--create", "--force").succeed()
    try sandbox.dv("remote", "add", "mine", Sandbox.Argument(sandbox.folder.appending("mine")), "--create", "--clone").succeed()
    #expect(try sandbox.git("diff", "--name-only").text.isEmpty)
    let listed = try #require(try sandbox.dv("remote", "list", "--json").succeed().json["remotes"] as? [[String: Any]])
    #expect(listed.map { $0["name"] as? String } == ["mine", "origin"])
    #expect(listed.map { $0["default"] as? Bool } == [false, true])
    #expect(listed.map { $0["place"] as? String } == ["clone", "project"])
    #expect(listed[1]["url"] as? String == "../other")
    try sandbox.dv("remote", "set-default", "mine").succeed()
    #expect(try sandbox.dv("remote", "list").succeed().text.contains("(default, clone only)"))
    try sandbox.dv("remote", "remove", "mine").succeed()
    try sandbox.dv("remote", "remove", "mine").exit(2)
    #expect(try sandbox.dv("remote", "list").succeed().text == "origin  ../other  (default)\n")
  }

  @Test(arguments: ["", "-x", "a b", "a.b", "a/b", "ü"])
  func namesThatGitConfigurationCannotHoldAreRefused(name: String) throws {
    let sandbox = try Sandbox()
    try sandbox.dv("remote", "add", "--create", "--", Sandbox.Argument(name), "../remote").exit(2)
  }

  /// A directory of something else is not taken by accident.
  @Test func otherDirectoriesAreRefused() throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: sandbox.folder.appending("photos/cat.jpg"))
    #expect(try sandbox.dv("remote", "add", "origin", "../photos").exit(2).errorText.contains("cat.jpg"))
    try sandbox.dv("remote", "add", "origin", "../photos", "--force").succeed()
    #expect(try sandbox.dv("remote", "add", "web", "ftp://example.com/x").exit(2).errorText.contains("ftp://"))
    try sandbox.write("x", to: sandbox.folder.appending("file"))
    try sandbox.dv("remote", "add", "file", "../file").exit(2)
  }

  @Test func checkTellsWhatIsThere() throws {
    let sandbox = try Sandbox()
    try sandbox.addRemote()
    #expect(try sandbox.dv("remote", "check").succeed().text.contains("Nothing has been pushed to it yet."))
    try sandbox.write("content", to: "data")
    try sandbox.dv("add", "data").succeed()
    try sandbox.dv("push").succeed()
    let checked = try sandbox.dv("remote", "check", "--json").succeed().json
    #expect(checked["ok"] as? Bool == true && checked["reachable"] as? Bool == true && checked["writable"] as? Bool == true)
    #expect(checked["packs"] as? Int == 1 && checked["roots"] as? Int == 1 && checked["objects"] as? Int == 1)
    try sandbox.remote.removeTree()
    let gone = try sandbox.dv("remote", "check", "--json").exit(5)
    #expect(try gone.json["reachable"] as? Bool == false)
    try sandbox.dv("pull", "--rev", "HEAD").succeed()
    try sandbox.dv("push").exit(5)
    try sandbox.dv("remote", "check", "nothing").exit(2)
  }
}
