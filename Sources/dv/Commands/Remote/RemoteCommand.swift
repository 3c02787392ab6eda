import ArgumentParser

/// Groups what is done to the list of remotes.
struct RemoteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remote", abstract: "Manage the places that data is shared through.",
    discussion: """
      A remote is a directory, such as a mounted share, or a bucket of an S3-compatible store. It needs no server of its own, \
      and many may push to it at once. What a web server serves of one can be pulled from.
      """,
    subcommands: [
      RemoteAddCommand.self,
      RemoteCheckCommand.self,
      RemoteListCommand.self,
      RemoteRemoveCommand.self,
      RemoteRetireCommand.self,
      RemoteSetDefaultCommand.self,
      RemoteTrustCommand.self,
    ], defaultSubcommand: RemoteListCommand.self)
}
