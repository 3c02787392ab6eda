public import DVObject

/// The files of a model with their digests, as OpenSSF Model Signing 1.0 states them.
///
/// One subject, whose digest is the SHA-256 of all files' raw digests in the order of the list, and the list itself. A model that is one
/// file is the resource `.`.
public struct ModelStatement: Sendable {
  public struct Resource: Hashable, Sendable {
    /// Relative to the model, with `/`.
    public let name: String
    public let digest: ObjectID

    public init(name: String, digest: ObjectID) {
      self.name = name
      self.digest = digest
    }
  }

  public static let predicateType = "https://model_signing/signature/v1.0"

  public let name: String
  public let resources: [Resource]

  /// - Parameter resources: in any order; they are stated by name.
  public init(name: String, resources: [Resource]) {
    self.name = name
    self.resources = resources.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  private static func digest(of resources: [Resource]) -> ObjectID {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32 * resources.count)
    for resource in resources { resource.digest.append(to: &bytes) }
    return ObjectID(hashing: bytes.span)
  }

  /// The statement.
  ///
  /// - Parameter lineage: further members of the predicate, which other readers pass over.
  public func json(lineage: JSONObject) -> JSONValue {
    var serialization = JSONObject()
    serialization["method"] = "files"
    serialization["hash_type"] = "sha256"
    serialization["allow_symlinks"] = false
    serialization["ignore_paths"] = [".git", ".gitattributes", ".github", ".gitignore"]
    var predicate = JSONObject()
    predicate["serialization"] = .object(serialization)
    predicate["resources"] = .array(
      resources.map { resource in
        var json = JSONObject()
        json["name"] = .string(resource.name)
        json["algorithm"] = "sha256"
        json["digest"] = .string(resource.digest.hex)
        return .object(json)
      })
    if !lineage.isEmpty { predicate["dv"] = .object(lineage) }
    return Statement.json(
      subject: name, digests: [("sha256", Self.digest(of: resources).hex)], predicateType: Self.predicateType, predicate: predicate)
  }

  /// Reads a statement.
  ///
  /// - Throws: ``SigningError/Code/malformed`` if it is of another kind, or its subject is not the digest of its list.
  public init(_ statement: JSONValue) throws(SigningError) {
    guard statement["predicateType"]?.string == Self.predicateType, let predicate = statement["predicate"],
      predicate["serialization"]?["method"]?.string == "files", let list = predicate["resources"]?.array,
      let subjects = statement["subject"]?.array, subjects.count == 1, let name = subjects[0]["name"]?.string
    else { throw SigningError(.malformed, "What was signed is no list of a model's files (\(Self.predicateType), method 'files').") }
    var resources: [Resource] = []
    var names: Set<String> = []
    for entry in list {
      guard entry["algorithm"]?.string == "sha256", let name = entry["name"]?.string, names.insert(name).inserted,
        let digest = entry["digest"]?.string.flatMap({ try? ObjectID(hex: $0) })
      else { throw SigningError(.malformed, "The signed list has an entry that makes no sense, or one twice.") }
      resources.append(Resource(name: name, digest: digest))
    }
    guard subjects[0]["digest"]?["sha256"]?.string == Self.digest(of: resources).hex else {
      throw SigningError(.malformed, "The signed digest is not that of the signed list of files.")
    }
    self.name = name
    self.resources = resources
  }

  /// What differs between what was signed and what is there, by name.
  ///
  /// - Parameter found: the files that are there.
  public func differences(from found: [Resource]) -> [String] {
    let signed = Dictionary(resources.map { ($0.name, $0.digest) }, uniquingKeysWith: { first, _ in first })
    let there = Dictionary(found.map { ($0.name, $0.digest) }, uniquingKeysWith: { first, _ in first })
    return Set(signed.keys).union(there.keys).sorted().compactMap { name in
      // A model of one file is '.' in a statement.
      let shown = name == "." ? "the file" : "'\(name)'"
      return switch (signed[name], there[name]) {
      case (let one?, let other?): one == other ? nil : "\(shown) has other bytes than were signed"
      case (_?, nil): "\(shown) was signed and is missing"
      case (nil, _?): "\(shown) is there and was not signed"
      case (nil, nil): nil
      }
    }
  }
}

/// An in-toto statement of version 1.
enum Statement {
  static func json(subject: String, digests: [(String, String)], predicateType: String, predicate: JSONObject) -> JSONValue {
    var digest = JSONObject()
    for (algorithm, value) in digests { digest[algorithm] = .string(value) }
    var one = JSONObject()
    one["name"] = .string(subject)
    one["digest"] = .object(digest)
    var statement = JSONObject()
    statement["_type"] = "https://in-toto.io/Statement/v1"
    statement["subject"] = [.object(one)]
    statement["predicateType"] = .string(predicateType)
    statement["predicate"] = .object(predicate)
    return .object(statement)
  }
}
