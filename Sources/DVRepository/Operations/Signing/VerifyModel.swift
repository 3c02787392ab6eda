import DVFile
public import DVLineage
import DVObject
public import SystemPackage

/// Checks signatures: the operation behind `dv verify`.
public struct VerifyModel: Sendable {
  /// What the signature should be of.
  public enum Subject: Sendable {
    /// Files on a disk, absolute.
    case files(FilePath)
    /// A version as the registry and its tree say.
    case version(ModelName, String)
  }

  public struct Report: Sendable {
    /// The model's name in the statement.
    public let name: String
    public let files: Int
    public let key: String
    /// What is wrong, in sentences; empty if all holds.
    public internal(set) var problems: [String]
    /// Whether a provenance lay beside the signature and holds; `nil` if none was there.
    public internal(set) var provenance: Bool?
  }

  private let subject: Subject
  private let signature: FilePath
  private let key: VerifyingKey

  public init(_ subject: Subject, signature: FilePath, key: VerifyingKey) {
    (self.subject, self.signature, self.key) = (subject, signature, key)
  }

  /// Carries it out.
  ///
  /// - Parameter repository: where versions are looked up; not needed for files.
  /// - Throws: ``SigningError`` if the signature is not of the key; what differs is in the report.
  public func run(in repository: @autoclosure () throws -> Repository) async throws -> Report {
    let statement = try read(signature)
    let signed = try ModelStatement(statement)
    switch subject {
    case .files(let path):
      let found = try ModelResources.onDisk(path, except: signature)
      return Report(name: signed.name, files: signed.resources.count, key: key.hint, problems: signed.differences(from: found), provenance: nil)
    case .version(let model, let selector):
      let repository = try repository()
      let (record, _) = try repository.recordedVersion(selector, of: model)
      let found = try await ModelResources.stored(record, repository.dataReader())
      var report = Report(
        name: signed.name, files: signed.resources.count, key: key.hint, problems: signed.differences(from: found), provenance: nil)
      let beside = SignModel.provenancePath(beside: signature)
      if try beside.fileStat() != nil {
        do throws(SigningError) {
          try ProvenanceStatement.check(try self.statement(beside), of: record)
          report.provenance = true
        } catch {
          report.provenance = false
          report.problems.append("The provenance does not hold: \(error.message)")
        }
      }
      return report
    }
  }

  private func read(_ path: FilePath) throws -> JSONValue {
    try SignedBundle(parsing: try path.readAll(limit: SignedBundle.maximumByteCount)).statement(verifiedBy: key)
  }

  private func statement(_ path: FilePath) throws(SigningError) -> JSONValue {
    let bytes: [UInt8]
    do { bytes = try path.readAll(limit: SignedBundle.maximumByteCount) } catch { throw SigningError(.malformed, error.message) }
    return try SignedBundle(parsing: bytes).statement(verifiedBy: key)
  }
}
