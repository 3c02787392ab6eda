import ArgumentParser
import DVRepository

struct RemoteTrustCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "trust", abstract: "Let requests signed with your credentials go to a remote's server.",
    discussion: """
      The committed configuration comes from whoever may push to the project. A server that it names, other than AWS, gets \
      signed requests from this clone only once you said so. If the configuration names another one later, it asks again.
      """)

  @OptionGroup var options: GlobalOptions

  @Argument(help: "The remote's name.")
  var name: String

  func run() async throws {
    let endpoint = try TrustRemote(name).run(in: try Here.repository())
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.remote.trust/1")
        json.member("name", name)
        json.member("endpoint", endpoint)
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      try StandardOutput.write(
        endpoint.map { "This clone trusts '\(SafeText.name($0))' as the server of remote '\(SafeText.name(name))'.\n" }
          ?? "Remote '\(SafeText.name(name))' needs no trust: the committed configuration names no server for it.\n")
    }
  }
}
