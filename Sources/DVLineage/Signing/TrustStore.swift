import DVObject
public import DVPipeline

/// The keys that a user trusts, whose they are, and what they may be used for: a file outside of every repository.
///
///     version: 1
///     keys:
///       - person: Ada Lovelace <ada@example.com>
///         roles: [release, reviewer]
///         file: ada.pub          # or pem: the key itself
///
/// A policy names roles and fingerprints; which keys those are is said here alone, so that whoever may commit cannot add a key.
public struct TrustStore: Sendable {
  /// The most bytes of the file.
  public static let maximumByteCount = 1 << 20

  public struct Key: Sendable {
    public let key: VerifyingKey
    public let person: String
    public let roles: Set<String>

    /// The SHA-256 of the key in PEM, as hex digits.
    public var fingerprint: String { key.hint }

    /// Whether a policy means this key.
    public func matches(_ patterns: [ModelPolicy.KeyPattern]) -> Bool {
      patterns.contains { pattern in
        switch pattern {
        case .fingerprint(let hex): hex == fingerprint
        case .role(let role): roles.contains(role)
        }
      }
    }
  }

  public let keys: [Key]

  /// A store that trusts nobody.
  public init() { keys = [] }

  /// Reads the file.
  ///
  /// - Parameters:
  ///   - file: its name, for messages.
  ///   - content: reads a file of a key that it names, relative to it.
  /// - Throws: ``PipelineError`` with file and line for anything that is not known, a key that is none, or one that stands there twice.
  public init(parsing bytes: [UInt8], named file: String, content: (String) throws -> String) throws(PipelineError) {
    let section = SchemaReader(file: file)
    guard bytes.count <= Self.maximumByteCount, let root = try YAMLReader.read(bytes, named: file) else {
      throw PipelineError(.schema, "'\(file)' is empty or too large.", remedy: "Write 'version: 1' and a list 'keys'.")
    }
    let members = try section.members(of: root, "the trust store", allowing: ["version", "keys"])
    guard let version = members.first(where: { $0.key == "version" })?.value, case .scalar(.integer(1)) = version.content else {
      throw section.failure("the trust store must say 'version: 1'", root.line)
    }
    var keys: [Key] = []
    var known: Set<String> = []
    for member in members where member.key == "keys" {
      for node in try section.elements(of: member.value, "'keys'") {
        let key = try Self.key(node, section, content)
        guard known.insert(key.fingerprint).inserted else {
          throw section.failure("the key sha256:\(key.fingerprint) stands there twice", node.line)
        }
        keys.append(key)
      }
    }
    self.keys = keys
  }

  private static func key(
    _ node: YAMLNode, _ section: SchemaReader, _ content: (String) throws -> String
  ) throws(PipelineError) -> Key {
    var (person, pem): (String?, String?)
    var roles: Set<String> = []
    for member in try section.members(of: node, "a key", allowing: ["person", "roles", "file", "pem"]) {
      switch member.key {
      case "person": person = try section.text(member.value, "'person'")
      case "roles":
        for element in try section.elements(of: member.value, "'roles'") {
          let role = try section.text(element, "a role")
          guard isRole(role) else { throw section.failure("'\(role)' can be no role: letters, digits, '-' and '_'", element.line) }
          roles.insert(role)
        }
      default:
        guard pem == nil else { throw section.failure("a key has both 'file' and 'pem'", member.keyLine) }
        let text = try section.text(member.value, "'\(member.key)'")
        if member.key == "pem" { pem = text } else {
          do { pem = try content(text) } catch { throw section.failure("the key '\(text)' cannot be read: \(error)", member.value.line) }
        }
      }
    }
    guard let person, !person.isEmpty, let pem else {
      throw section.failure("a key needs 'person', and 'file' or 'pem'", node.line)
    }
    do throws(SigningError) { return Key(key: try VerifyingKey(pem: pem), person: person, roles: roles) } catch {
      throw section.failure("the key of '\(person)' cannot be used: \(error.message.trimmedStop)", node.line)
    }
  }

  /// Whether `text` can name a role.
  static func isRole(_ text: String) -> Bool { ModelName.isWord(text) && text.utf8.count <= 60 && !text.contains("/") }
}

/// Who a person is, as far as texts tell: by the address in angle brackets, else by all of it.
public struct PersonName: Hashable, Sendable {
  private let key: String

  public init(_ text: String) {
    var address = Substring(text)
    if let open = text.lastIndex(of: "<"), let close = text[open...].firstIndex(of: ">") {
      address = text[text.index(after: open)..<close]
    }
    key = String(address.lowercased().filter { !$0.isWhitespace })
  }
}

extension String {
  /// The text without a full stop at its end, to stand within a sentence.
  fileprivate var trimmedStop: String { hasSuffix(".") ? String(dropLast()) : self }
}
