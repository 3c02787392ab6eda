import DVFile
import DVObject
import DVPipeline
import Synchronization
import SystemPackage

/// Asks the Python interpreter that a command uses what it is and which packages it has.
struct InterpreterProbe {
  /// The environment of the command, in which `PATH` is looked up.
  let environment: [[UInt8]]
  let directory: FilePath

  /// What an interpreter said of itself.
  struct Answer: Sendable {
    let json: JSONValue

    /// The installed version of a package; `python` is the interpreter itself.
    func version(of package: String) -> String? {
      if package == "python" { return json["version"]?.string }
      let wanted = Self.normalized(package)
      for entry in json["packages"]?.array ?? [] {
        if let pair = entry.array, pair.count >= 2, Self.normalized(pair[0].string ?? "") == wanted { return pair[1].string }
      }
      return nil
    }

    /// `Scikit_Learn` and `scikit-learn` are one package.
    private static func normalized(_ name: String) -> String { name.lowercased().map { "_.".contains($0) ? "-" : $0 }.reduce("") { $0 + String($1) } }
  }

  private static let script = """
    import sys, json, platform
    from importlib import metadata
    found = set()
    for d in metadata.distributions():
        name = d.metadata["Name"]
        if not name:
            continue
        entry = [name, d.version or ""]
        origin = d.read_text("direct_url.json")
        if origin:
            origin = json.loads(origin)
            commit = origin.get("vcs_info", {}).get("commit_id") or origin.get("archive_info", {}).get("hash")
            if commit:
                entry.append(commit)
        found.add(tuple(entry))
    print(json.dumps({"version": platform.python_version(), "implementation": platform.python_implementation(),
        "compiler": platform.python_compiler(), "packages": sorted(map(list, found), key=lambda e: (e[0].lower(), e))}))
    """

  /// Returns the interpreter that the commands name: the first word that is `python` in some form, by any path.
  static func interpreter(of commands: [String]) -> String? {
    for command in commands {
      for word in ShellWord.words(of: command) {
        let name = word.split(separator: "/").last.map(String.init) ?? word
        let rest = name.dropFirst("python".count)
        if name.hasPrefix("python") || name.hasPrefix("pypy"), rest.allSatisfy({ $0.isNumber || $0 == "." || $0 == "y" }) {
          return word
        }
      }
    }
    return nil
  }

  /// Asks the interpreter; `nil` if it cannot be run or says nothing that can be read.
  func ask(_ interpreter: String) async -> Answer? {
    let words = [interpreter, "-c", Self.script].map { Array($0.utf8) }
    let child = ChildProcess(arguments: words, environment: environment, directory: directory)
    let printed = Mutex<[UInt8]>([])
    let outcome = try? await child.run { stream, bytes in
      guard stream == .output else { return }
      printed.withLock { all in
        // More than this no list of packages has.
        for index in 0..<bytes.count where all.count < 16 << 20 { all.append(bytes[index]) }
      }
    }
    guard outcome?.ending == .exited(0),
      let json = try? JSONValue(parsing: printed.withLock { $0 }, named: "the interpreter's answer")
    else { return nil }
    return Answer(json: json)
  }
}
