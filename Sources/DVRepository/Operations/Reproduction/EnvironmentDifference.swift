import DVObject

/// Something that is otherwise here than it was when a run was recorded.
public struct EnvironmentDifference: Hashable, Sendable {
  /// How likely it is to change what is made.
  public enum Severity: String, CaseIterable, Comparable, Sendable {
    /// Versions of packages and interpreters, the kind of processor, graphics cards, known variables.
    case high
    /// The model of the processor, its number of cores, the system's version.
    case medium
    /// Kernel, memory, shell.
    case low

    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  public let severity: Severity
  public let name: String
  /// `nil` if it was not there.
  public let recorded: String?
  /// `nil` if it is not here.
  public let here: String?
}

extension EnvironmentDifference {
  /// Compares two reports of ``EnvironmentReport``.
  ///
  /// - Returns: the gravest first.
  static func between(_ recorded: JSONValue, _ here: JSONValue) -> [EnvironmentDifference] {
    var found: [EnvironmentDifference] = []
    func add(_ severity: Severity, _ name: String, _ old: JSONValue?, _ new: JSONValue?) {
      if old?.canonical() != new?.canonical() {
        found.append(EnvironmentDifference(severity: severity, name: name, recorded: text(old), here: text(new)))
      }
    }
    add(.high, "architecture", recorded["arch"], here["arch"])
    add(.high, "graphics", recorded["gpu"]?["models"], here["gpu"]?["models"])
    add(.high, "graphics driver", recorded["gpu"]?["driver"], here["gpu"]?["driver"])
    add(.high, "container", recorded["container"], here["container"])
    add(.high, "python", recorded["python"]?["version"], here["python"]?["version"])
    add(.high, "python implementation", recorded["python"]?["implementation"], here["python"]?["implementation"])
    let (before, after) = (packages(recorded), packages(here))
    for name in Set(before.keys).union(after.keys).sorted() where before[name] != after[name] {
      found.append(EnvironmentDifference(severity: .high, name: "package \(name)", recorded: before[name], here: after[name]))
    }
    for name in names(recorded["variables"], here["variables"]) {
      add(.high, "variable \(name)", recorded["variables"]?[name], here["variables"]?[name])
    }
    add(.medium, "processor", recorded["cpu"]?["model"], here["cpu"]?["model"])
    add(.medium, "processor cores", recorded["cpu"]?["cores"], here["cpu"]?["cores"])
    let flags = flagDifference(recorded["cpu"]?["flags"]?.string, here["cpu"]?["flags"]?.string)
    if let flags { found.append(flags) }
    add(.medium, "system", recorded["os"]?["pretty_name"], here["os"]?["pretty_name"])
    add(.medium, "python compiler", recorded["python"]?["compiler"], here["python"]?["compiler"])
    add(.low, "kernel", recorded["kernel"], here["kernel"])
    add(.low, "memory", recorded["memory"], here["memory"])
    add(.low, "shell", recorded["shell"], here["shell"])
    return found.enumerated().sorted { ($0.element.severity, $0.offset) < ($1.element.severity, $1.offset) }.map(\.element)
  }

  private static func names(_ one: JSONValue?, _ other: JSONValue?) -> [String] {
    Set((one?.object?.keys ?? []) + (other?.object?.keys ?? [])).sorted()
  }

  /// Name and version of each package; what else is known of it follows the version.
  private static func packages(_ environment: JSONValue) -> [String: String] {
    (environment["python"]?["packages"]?.array ?? []).reduce(into: [:]) { found, entry in
      let parts = entry.array?.compactMap(\.string) ?? []
      if parts.count >= 2 { found[parts[0]] = parts[1...].joined(separator: " ") }
    }
  }

  /// A processor has a hundred flags: only those that one of them lacks are told.
  private static func flagDifference(_ old: String?, _ new: String?) -> EnvironmentDifference? {
    guard let old, let new, old != new else { return nil }
    let (before, after) = (Set(old.split(separator: " ")), Set(new.split(separator: " ")))
    func list(_ flags: Set<Substring>) -> String? {
      flags.isEmpty ? nil : flags.sorted().prefix(12).joined(separator: " ") + (flags.count > 12 ? " …" : "")
    }
    guard before != after else { return nil }
    return EnvironmentDifference(
      severity: .medium, name: "processor features", recorded: list(before.subtracting(after)), here: list(after.subtracting(before)))
  }

  private static func text(_ value: JSONValue?) -> String? {
    value.map { $0.string ?? String(decoding: $0.canonical(), as: UTF8.self) }
  }
}
