import ArgumentParser
import DVRepository

struct RemoteRemoveCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Forget a remote; what is stored there stays.")

  @OptionGroup var options: GlobalOptions

  @Argument(help: "The remote's name.")
  var name: String

  func run() async throws {
    let repository = try Here.repository()
    let report = try RemoveRemote(name).run(in: repository)
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.remote.remove/1")
        json.member("name", report.remote.name)
        json.member("url", report.remote.text)
        json.member("wasDefault", report.wasDefault)
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      let rest = report.wasDefault ? " It was the default: 'dv remote set-default NAME' chooses another." : ""
      try StandardOutput.write(
        "Forgot remote '\(SafeText.name(name))'. What is stored in \(SafeText.name(report.remote.text)) stays.\(rest)\n")
    }
  }
}

struct RemoteSetDefaultCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "set-default", abstract: "Choose the remote that is used when none is named.")

  @OptionGroup var options: GlobalOptions

  @Flag(help: "Where to write it down; where the remote is by default.")
  var place: RemotePlaceFlag?

  @Argument(help: "The remote's name.")
  var name: String

  func run() async throws {
    let repository = try Here.repository()
    try SetDefaultRemote(name, in: place?.place).run(in: repository)
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.remote.set-default/1")
        json.member("name", name)
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      try StandardOutput.write("Remote '\(SafeText.name(name))' is the default now.\n")
    }
  }
}
