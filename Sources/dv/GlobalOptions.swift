import ArgumentParser
import DVFile
import SystemPackage

/// The options that every command has, before or after its name.
struct GlobalOptions: ParsableArguments {
  @Flag(name: .long, help: "Print one JSON object instead of text.")
  var json = false

  @Option(name: .customShort("C"), help: ArgumentHelp("Run as if started in this directory.", valueName: "dir"))
  var directory: String?

  @Flag(name: [.customShort("q"), .long], help: "Print nothing but the answer and errors.")
  var quiet = false

  @Flag(name: [.customShort("v"), .long], help: "Say more about what is done.")
  var verbose = false

  func validate() throws {
    if quiet, verbose { throw ValidationError("--quiet and --verbose exclude each other.") }
  }
}

extension GlobalOptions {
  /// Makes the directory of `-C`, if given, the current one.
  func enterDirectory() throws {
    guard let directory else { return }
    do {
      try CurrentDirectory.change(to: FilePath(directory))
    } catch {
      throw ValidationError("Cannot run in '\(SafeText.name(directory))': \(error).")
    }
  }
}
