import ArgumentParser

/// Groups what is done to the list of remotes.
struct RemoteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remote", abstract: "Manage the places that data is shared through.",
    discussion: "A remote is a directory, such as a mounted share. It needs no server, and many may push to it at once.",
    subcommands: [
      RemoteAddCommand.self,
      RemoteCheckCommand.self,
      RemoteListCommand.self,
      RemoteRemoveCommand.self,
      RemoteSetDefaultCommand.self,
    ], defaultSubcommand: RemoteListCommand.self)
}
