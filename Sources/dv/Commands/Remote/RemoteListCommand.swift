import ArgumentParser
import DVRepository

struct RemoteListCommand: Command {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the remotes.")

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let repository = try Here.repository()
    let remotes = try repository.remotes()
    let standard = repository.defaultRemoteName()
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.remote.list/1")
        json.array("remotes") { json in
          for remote in remotes {
            json.object { json in
              json.member("name", remote.name)
              json.member("url", remote.text)
              json.member("path", remote.url.description)
              json.member("place", remote.place.rawValue)
              json.member("default", remote.name == standard)
            }
          }
        }
      }
      return try StandardOutput.write(json.text + "\n")
    }
    guard !remotes.isEmpty else {
      return try StandardOutput.write("There is no remote. 'dv remote add origin PATH' adds one.\n")
    }
    var table = Table(.left, .left, .left)
    for remote in remotes {
      var notes: [String] = []
      if remote.name == standard { notes.append("default") }
      if remote.place != .project { notes.append("\(remote.place.rawValue) only") }
      table.append(
        SafeText.name(remote.name), SafeText.name(remote.text), notes.isEmpty ? "" : "(\(notes.joined(separator: ", ")))")
    }
    try StandardOutput.write(table.lines.map { $0 + "\n" }.joined())
  }
}
