import ArgumentParser

/// Groups what is done with experiments.
struct ExperimentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exp", abstract: "Run the pipeline with other parameters, and compare what comes of it.",
    discussion: """
      An experiment is a commit at refs/dv/exp/NAME, made in a working tree of its own: your files and branches stay as they are. \
      'dv exp apply' brings one into your working tree, 'dv exp branch' makes a branch of it, 'dv exp push' shares it.
      """,
    subcommands: [
      ExperimentRunCommand.self, ExperimentListCommand.self, ExperimentShowCommand.self, ExperimentCompareCommand.self,
      ExperimentApplyCommand.self, ExperimentBranchCommand.self, ExperimentRemoveCommand.self, ExperimentPushCommand.self,
      ExperimentPullCommand.self,
    ], defaultSubcommand: ExperimentListCommand.self)
}
