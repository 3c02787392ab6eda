import ArgumentParser
import DVFile
import DVObject
import DVRepository
import SystemPackage

struct HashCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "hash", abstract: "Print the oids of files and directories.",
    discussion: """
      Prints what sha256sum prints for files, and the oid of its tree for a directory, as 'dv add' would name it. Stores \
      nothing and needs no repository.
      """)

  @OptionGroup var options: GlobalOptions

  @Argument(help: "Files or directories.")
  var paths: [PathArgument]

  func run() async throws {
    let paths = paths
    let (items, failures) = await hashed(paths)
    if options.json {
      try StandardOutput.write(json(items))
    } else {
      let isShown = Terminal.isTerminal(.standardOutput)
      try StandardOutput.write(bytes: items.flatMap { Self.line(for: $0.0, hex: $0.1.oid.hex, isShown: isShown) })
    }
    // Like sha256sum: what can be read is printed, whatever else fails.
    for failure in failures.dropLast() { StandardError.write(ErrorText(failure).text) }
    if let last = failures.last { throw last }
  }

  private func hashed(_ paths: [PathArgument]) async -> ([(PathArgument, HashPaths.Item)], [any Error]) {
    var items: [(PathArgument, HashPaths.Item)] = []
    var failures: [any Error] = []
    for argument in paths {
      do {
        let item = try await ProgressDisplay(quiet: options.quiet).show { progress in
          progress.begin("Hashing")
          return try await HashPaths(argument.path).run(in: try? Here.repository(), progress: progress)
        }
        items.append((argument, item))
      } catch {
        failures.append(error)
      }
    }
    return (items, failures)
  }

  /// Returns a line as sha256sum writes it: a name with a backslash or a line break is escaped, and a backslash at the
  /// start of the line says so.
  ///
  /// - Parameter isShown: whether the line goes to a terminal, which must not obey a name.
  static func line(for path: PathArgument, hex: String, isShown: Bool = false) -> [UInt8] {
    if isShown { return Array("\(hex)  \(SafeText.name(path.bytes))\n".utf8) }
    var name: [UInt8] = []
    for byte in path.bytes {
      switch byte {
      case UInt8(ascii: "\\"): name += Array("\\\\".utf8)
      case UInt8(ascii: "\n"): name += Array("\\n".utf8)
      case UInt8(ascii: "\r"): name += Array("\\r".utf8)
      default: name.append(byte)
      }
    }
    let mark: [UInt8] = name.count == path.bytes.count ? [] : [UInt8(ascii: "\\")]
    return mark + Array(hex.utf8) + Array("  ".utf8) + name + [UInt8(ascii: "\n")]
  }

  private func json(_ items: [(PathArgument, HashPaths.Item)]) -> String {
    var json = JSONText()
    json.object { json in
      json.member("schema", "dv.hash/1")
      json.array("hashes") { json in
        for (argument, item) in items {
          json.object { json in
            json.path("path", argument.bytes)
            json.member("kind", item.kind.text)
            json.member("oid", item.oid.text)
            json.member("size", item.size)
            json.member("files", item.files ?? 1)
          }
        }
      }
    }
    return json.text + "\n"
  }
}
