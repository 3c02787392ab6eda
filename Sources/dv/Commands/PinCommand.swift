import ArgumentParser
import DVGit
import DVRepository

struct PinCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "pin", abstract: "Keep the data of a commit, whatever becomes of its branch.",
    discussion: """
      Without a name, the pins are listed. A pin is a reference of git, refs/dv/pins/NAME: 'dv gc' and 'dv remote retire' of \
      whoever has it keep all data that the commit's pointers name. Share pins with 'git push origin "refs/dv/pins/*"'.
      """)

  @OptionGroup var options: GlobalOptions

  @Argument(help: "The pin's name.")
  var name: String?

  @Argument(help: "The commit; HEAD if not given.")
  var revision: String?

  @Flag(name: .long, help: "Remove the pin.")
  var remove = false

  func validate() throws {
    if remove, name == nil || revision != nil { throw ValidationError("--remove takes the name of a pin, and nothing else.") }
  }

  func run() async throws {
    let pins = Pins(of: try Here.repository())
    var shown: [Pins.Pin] = []
    var text = ""
    if let name, remove {
      try pins.remove(name)
      text = "Removed the pin '\(SafeText.name(name))'.\n"
    } else if let name {
      let pin = try pins.add(name, at: revision ?? "HEAD")
      shown = [pin]
      text = "Pinned \(pin.commit.shortHex) as '\(SafeText.name(name))'.\n"
    } else {
      shown = try pins.list()
      text = shown.map { "\($0.commit.shortHex)  \(SafeText.name($0.name))\n" }.joined()
    }
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("schema", "dv.pin/1")
        json.array("pins") { json in
          for pin in shown {
            json.object { json in
              json.member("name", pin.name)
              json.member("commit", pin.commit.hex)
            }
          }
        }
        json.member("removed", remove ? name : nil)
      }
      try StandardOutput.write(json.text + "\n")
    } else if !options.quiet {
      try StandardOutput.write(text)
    }
  }
}
