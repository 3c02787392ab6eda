import DVGit

/// Reads and changes settings.
public struct EditConfiguration: Sendable {
  /// One value.
  public struct Entry: Hashable, Sendable {
    public let name: String
    /// `nil` for a name without `=`, which means true.
    public let value: String?
    /// Which file it is from.
    public let place: Configuration.Place?
  }

  private let place: Configuration.Place?

  /// - Parameter place: the only file to look at; without one all count, and what is set is set for this clone.
  public init(in place: Configuration.Place? = nil) { self.place = place }

  /// Returns the value that counts; `nil` if `name` is set nowhere.
  public func get(_ name: String, from configuration: Configuration) throws -> Entry? {
    if let place {
      return try list(configuration).last { $0.name == Self.canonical(name) && $0.place == place }
    }
    return try configuration.entry(name).map { Entry(name: $0.name, value: $0.value, place: .init($0.level)) }
  }

  /// Returns all values, in order of precedence, lowest first.
  public func list(_ configuration: Configuration) throws -> [Entry] {
    try configuration.entries().map { Entry(name: $0.name, value: $0.value, place: .init($0.level)) }
      .filter { place == nil || $0.place == place }
  }

  /// Sets `name` in one file, which is made if there is none.
  public func set(_ name: String, to value: String, in configuration: Configuration) throws {
    try configuration.set(name, to: value, in: place ?? .clone)
  }

  /// Removes `name` from one file.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if it is not set there.
  public func unset(_ name: String, in configuration: Configuration) throws {
    let place = place ?? .clone
    guard try !configuration.unset(name, in: place) else { return }
    let other = try configuration.entry(name).flatMap { Configuration.Place($0.level) }
    throw RepositoryError(
      .usage, "'\(name)' is not set in the \(place.rawValue) configuration.",
      remedy: other.map { "It is set in another: use --\($0.rawValue)." })
  }

  /// Returns a name as it is listed: section and key in lower case, a subsection as it is.
  private static func canonical(_ name: String) -> String {
    guard let first = name.firstIndex(of: "."), let last = name.lastIndex(of: ".") else { return name.lowercased() }
    return name[..<first].lowercased() + name[first..<last] + name[last...].lowercased()
  }
}
