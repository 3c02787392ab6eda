import DVFile
import DVGit
public import DVLineage
import DVObject
import DVStore
public import SystemPackage

/// Checks signatures: the operation behind `dv verify`.
///
/// What is signed is compared with bytes that are read and hashed now, never with what somebody noted of them.
public struct VerifyModel: Sendable {
  /// What the signature should be of.
  public enum Subject: Sendable {
    /// Files on a disk, absolute.
    case files(FilePath)
    /// A version of the registry, as it is stored.
    ///
    /// - Parameter remote: the remote that is asked for what the local store lacks; `nil` for none.
    case version(ModelName, String, remote: String?)
  }

  public struct Report: Sendable {
    /// The model's name in the statement.
    public let name: String
    public let files: Int
    /// Bytes that were read and hashed.
    public internal(set) var bytes: UInt64 = 0
    public let key: String
    /// What is wrong, in sentences; empty if all holds.
    public internal(set) var problems: [String]
    /// Whether a provenance lay beside the signature and holds; `nil` if none was there, or files were checked.
    public internal(set) var provenance: Bool?
    /// Whether a provenance was looked for.
    public internal(set) var looksForProvenance = false
    /// What git says of the version's tag and of its commit; `nil` for files.
    public internal(set) var tag: SignatureVerdict?
    public internal(set) var commit: SignatureVerdict?
  }

  private let subject: Subject
  private let signature: FilePath
  private let key: VerifyingKey
  private let environment: [[UInt8]]

  /// - Parameter environment: all variables of the process, for git.
  public init(_ subject: Subject, signature: FilePath, key: VerifyingKey, environment: [[UInt8]] = []) {
    (self.subject, self.signature, self.key, self.environment) = (subject, signature, key, environment)
  }

  /// Carries it out.
  ///
  /// - Parameter repository: where versions are looked up; not needed for files.
  /// - Throws: ``SigningError`` if the signature is not of the key; ``RepositoryError/Code/missing`` if bytes of the version are not
  ///   where they may be read; ``StoreError`` with code `corrupt` if stored bytes are damaged. What differs is in the report.
  /// - Complexity: O(bytes of the model).
  public func run(in repository: @autoclosure () throws -> Repository, progress: ProgressSink) async throws -> Report {
    let statement = try read(signature)
    let signed = try ModelStatement(statement)
    switch subject {
    case .files(let path):
      let found = try ModelResources.onDisk(path, except: signature)
      return Report(name: signed.name, files: signed.resources.count, key: key.hint, problems: signed.differences(from: found))
    case .version(let model, let selector, let remote):
      return try await check(signed, model, selector, remote, in: try repository(), progress)
    }
  }

  private func check(
    _ signed: ModelStatement, _ model: ModelName, _ selector: String, _ remote: String?, in repository: Repository, _ progress: ProgressSink
  ) async throws -> Report {
    let event = try repository.version(selector, of: repository.model(model))
    let record = try event.dvRecord
    let reader = try remote.map { try repository.dataReader(askingRemote: $0) } ?? repository.dataReader(allowingRemote: false)
    var report = Report(name: signed.name, files: signed.resources.count, key: key.hint, problems: [])
    let found: [ModelResources.Stored]
    do { found = try await ModelResources.stored(record, reader) } catch let error as StoreError where error.code == .missing {
      throw missing("the listing", of: record, remote, error)
    }
    report.problems = signed.differences(from: found.map(\.resource))
    progress.begin("Reading", totalBytes: record.size, totalItems: UInt64(found.count))
    for file in found {
      try Task.checkCancellation()
      report.bytes += try await hash(file, of: record, remote, reader, &report.problems)
      progress.advance(bytes: file.size, items: 1)
    }
    let git = UserGit(repository, environment: environment)
    let tag = try await SignatureVerdict.ofTag(event.tag.object, message: event.tag.message, git)
    if case .refused(let words) = tag { report.problems.append("The tag '\(event.tag.name)' is signed, and git does not accept it: \(words)") }
    report.tag = tag
    let commit = try await SignatureVerdict.ofCommit(GitObjectID(hex: record.commit), in: repository, git)
    if case .refused(let words) = commit {
      report.problems.append("Commit \(record.commit.prefix(12)) is signed, and git does not accept it: \(words)")
    }
    report.commit = commit
    addProvenance(of: record, to: &report)
    return report
  }

  /// Reads a stored file.
  ///
  /// - Returns: how many bytes it has.
  private func hash(
    _ file: ModelResources.Stored, of record: ModelRecord, _ remote: String?, _ reader: DataReader, _ problems: inout [String]
  ) async throws -> UInt64 {
    var digest = Digest()
    var count: UInt64 = 0
    do {
      try await reader.readFile(file.resource.digest, size: file.size) {
        digest = Digest()
        count = 0
      } into: { bytes in
        digest.update(bytes)
        count += UInt64(bytes.count)
      }
    } catch let error as StoreError where error.code == .missing {
      let name = file.resource.name == "." ? "the content" : "'\(file.resource.name)'"
      throw missing(name, of: record, remote, error)
    }
    if digest.finish() != file.resource.digest {
      problems.append("'\(file.resource.name)' is stored with other bytes than its name says")
    }
    return count
  }

  private func missing(_ what: String, of record: ModelRecord, _ remote: String?, _ error: StoreError) -> RepositoryError {
    var place = "in the local store"
    var remedy = "'--remote NAME' reads it from a remote; 'dv pull' brings it here."
    if let remote {
      place = "here or on remote '\(remote)'"
      remedy = "'dv remote check' says what a remote holds."
    }
    let message = "Of \(record.model)@\(record.release) \(what) is not \(place), so its bytes cannot be read."
    return RepositoryError(.missing, message, remedy: remedy, cause: error)
  }

  private func addProvenance(of record: ModelRecord, to report: inout Report) {
    report.looksForProvenance = true
    let beside = SignModel.provenancePath(beside: signature)
    do throws(SigningError) {
      guard let statement = try statement(beside) else { return }
      try ProvenanceStatement.check(statement, of: record)
      report.provenance = true
    } catch {
      report.provenance = false
      report.problems.append("The provenance does not hold: \(error.message)")
    }
  }

  private func read(_ path: FilePath) throws -> JSONValue {
    try SignedBundle(parsing: try path.readAll(limit: SignedBundle.maximumByteCount)).statement(verifiedBy: key)
  }

  /// The statement in a bundle; `nil` if there is no such file.
  private func statement(_ path: FilePath) throws(SigningError) -> JSONValue? {
    let bytes: [UInt8]
    do throws(FileError) {
      guard try path.fileStat() != nil else { return nil }
      bytes = try path.readAll(limit: SignedBundle.maximumByteCount)
    } catch {
      throw SigningError(.malformed, error.message)
    }
    return try SignedBundle(parsing: bytes).statement(verifiedBy: key)
  }
}

extension ModelRegistry.Event {
  /// The record of a version.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` for a tag that dv did not make.
  var dvRecord: ModelRecord {
    get throws {
      if let version { return version }
      throw RepositoryError(.usage, "The tag '\(tag.name)' was not made by dv and does not say which data the model is.")
    }
  }
}
