import ArgumentParser
import DVFile
import DVGit
import DVRepository
import SystemPackage

struct ConfigCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Read and change settings.",
    usage: """
      dv config [PLACE] get NAME
      dv config [PLACE] set NAME VALUE
      dv config [PLACE] unset NAME
      dv config [PLACE] list
      """,
    discussion: """
      The words 'get' and 'set' may be left out. Settings come from four files in git's syntax, and the later one wins: \
      --system, --user, --project (committed, '.dv/config') and --clone. Without a place, all are read, and what is set \
      is set for this clone alone. Exits with 1 if a setting that was asked for is not there.
      """)

  @OptionGroup var options: GlobalOptions

  @Flag(help: "Which file to read or change.")
  var place: PlaceFlag?

  @Argument(help: "What to do, the name of a setting, and its value.")
  var words: [String]

  private enum Request {
    case get(String)
    case set(String, String)
    case unset(String)
    case list
  }

  func validate() throws { _ = try request() }

  private func request() throws -> Request {
    switch (words.first, words.count) {
    case ("get", 2): .get(words[1])
    case ("set", 3): .set(words[1], words[2])
    case ("unset", 2): .unset(words[1])
    case ("list", 1): .list
    case ("get", _), ("set", _), ("unset", _), ("list", _):
      throw ValidationError("'\(words[0])' takes other words. See 'dv help config'.")
    case (_, 1): .get(words[0])
    case (_, 2): .set(words[0], words[1])
    default: throw ValidationError("Expected NAME, or NAME and VALUE. See 'dv help config'.")
    }
  }

  func run() async throws {
    let configuration = try settings()
    let operation = EditConfiguration(in: place?.place)
    switch try request() {
    case .get(let name):
      let entry = try operation.get(name, from: configuration)
      if options.json {
        try StandardOutput.write(json(entry.map { [$0] } ?? []))
      } else if let entry {
        try StandardOutput.write(Self.shown(entry.value ?? "true") + "\n")
      }
      if entry == nil { throw ExitCode.no }
    case .list:
      let entries = try operation.list(configuration)
      let lines = entries.map { "\(Self.shown($0.name))=\(Self.shown($0.value ?? "true"))\n" }
      try StandardOutput.write(options.json ? json(entries) : lines.joined())
    case .set(let name, let value):
      try operation.set(name, to: value, in: configuration)
      if options.json { try StandardOutput.write(json(try operation.get(name, from: settings()).map { [$0] } ?? [])) }
    case .unset(let name):
      try operation.unset(name, in: configuration)
      if options.json { try StandardOutput.write(json([])) }
    }
  }

  /// Opens the settings; outside of a repository those of the user and the machine.
  private func settings() throws -> Configuration {
    do {
      return try Here.repository().configuration
    } catch let error as GitError where error.code == .notRepository {
      guard place == .user || place == .system else { throw error }
      return try Configuration(environment: ProcessEnvironment.variable)
    }
  }

  private func json(_ entries: [EditConfiguration.Entry]) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.config/1")
      json.array("settings") { json in
        for entry in entries {
          json.object { json in
            json.member("name", entry.name)
            json.member("value", entry.value ?? "true")
            json.member("place", entry.place?.rawValue)
          }
        }
      }
    }
    return json.text + "\n"
  }

  /// A program gets the bytes as they are; a terminal gets nothing that could command it: the project's file is anybody's.
  private static func shown(_ text: String) -> String {
    Terminal.isTerminal(.standardOutput) ? SafeText.message(text) : text
  }
}

/// The flag for one of the configuration's files.
enum PlaceFlag: String, EnumerableFlag {
  case system
  case user
  case project
  case clone

  var place: Configuration.Place {
    switch self {
    case .system: .system
    case .user: .user
    case .project: .project
    case .clone: .clone
    }
  }

  static func help(for flag: PlaceFlag) -> ArgumentHelp? {
    switch flag {
    case .system: "This machine's: /etc/dv/config."
    case .user: "The user's: ~/.config/dv/config."
    case .project: "The project's, which is committed: .dv/config."
    case .clone: "This clone's: dv/config in the git directory."
    }
  }
}
