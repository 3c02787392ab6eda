import ArgumentParser
import DVObject
import DVRepository

struct CatCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "cat", abstract: "Print a tracked file of any version.",
    discussion: """
      REV:PATH is a path at a revision of git, PATH alone what the pointers in the working tree say. Nothing is \
      printed before the SHA-256 of the whole content was checked; a large file waits for that in a temporary file \
      beside the local store. What the local store does not have is read from the default remote.
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var source: SourceOptions

  @Argument(help: ArgumentHelp("The file.", valueName: "[rev:]path"))
  var location: PathArgument

  func validate() throws {
    if options.json { throw ValidationError("'dv cat' prints the content itself, so there is no --json.") }
  }

  func run() async throws {
    let (repository, location) = try await source.location(location)
    try await ReadData(location).run(in: repository) { content in
      var start = 0
      while start < content.count {
        let end = min(content.count, start + 1 << 20)
        var piece: [UInt8] = []
        piece.append(span: content.extracting(start..<end))
        try StandardOutput.write(bytes: piece)
        start = end
      }
    }
  }
}
