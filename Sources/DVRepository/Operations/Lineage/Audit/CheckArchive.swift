import DVFile
import DVGit
import DVLineage
import DVObject
import DVPipeline
public import SystemPackage

/// Verifies an archive of `dv audit export`, without any repository: the operation behind `dv audit --archive`.
///
/// Nothing is unpacked. Each member is proved by its name, and the links between them from the tag to the records of runs.
public struct CheckArchive: Sendable {
  private let archive: FilePath
  private let key: FilePath?

  /// - Parameters:
  ///   - archive: the file.
  ///   - key: an SSH public key, whose signature the tag must have, checked by `ssh-keygen`; or one in PEM, which must have signed or approved
  ///     of the version.
  public init(_ archive: FilePath, key: FilePath?) {
    self.archive = archive
    self.key = key
  }

  /// Carries it out. What is wrong is in the report and no error.
  ///
  /// - Throws: ``FileError`` if the archive or the key cannot be read.
  public func run() async throws -> AuditReport {
    var report = AuditReport()
    report.target = archive.string
    func find(_ severity: AuditReport.Severity, _ kind: String, _ subject: String, _ message: String) {
      report.findings.append(.init(severity: severity, kind: kind, subject: subject, message: message))
    }
    let bytes = try archive.readAll(limit: 2 * ExportAudit.contentLimit)
    guard var files = TarArchive.files(in: bytes), let text = files.removeValue(forKey: "dv-audit.json"),
      let manifest = try? JSONValue(canonical: text, limit: 64 << 20, named: "the archive").object, manifest["type"]?.string == "audit-archive",
      manifest["version"]?.integer == 1
    else {
      find(.tampering, "no-archive", archive.string, "It is no archive of 'dv audit export', or was cut short.")
      return report
    }
    // Every member is what its name and the list say.
    var listed: Set<String> = []
    for pair in manifest["files"]?.array ?? [] {
      guard let name = pair.array?.first?.string, let hex = pair.array?.last?.string, listed.insert(name).inserted else {
        find(.tampering, "list", "dv-audit.json", "Its list of members makes no sense.")
        continue
      }
      guard let content = files[name] else {
        find(.tampering, "missing-member", name, "The archive lists it and does not hold it.")
        continue
      }
      if ObjectID(hashing: content.span).hex != hex { find(.tampering, "altered-member", name, "It has other bytes than the list says.") }
    }
    var records: [ObjectID: Record] = [:]
    var objects: [GitObjectID: GitRawObject] = [:]
    for (name, content) in files.sorted(by: { $0.key < $1.key }) {
      if !listed.contains(name) { find(.tampering, "unlisted-member", name, "The archive holds it and does not list it.") }
      let parts = name.split(separator: "/").map(String.init)
      switch parts.first {
      case "records":
        guard parts.count == 2, let id = try? ObjectID(hex: parts[1].dropLast(5)), let record = try? Record(decoding: content, named: id) else {
          find(.tampering, "altered-record", name, "It is not the record of that name.")
          continue
        }
        records[id] = record
      case "objects":
        if parts.count != 2 || ObjectID(hashing: content.span).hex != parts[1] {
          find(.tampering, "altered-object", name, "It has other bytes than its name says.")
        }
      case "git":
        let words = (parts.last ?? "").split(separator: ".").map(String.init)
        guard words.count == 2, let kind = GitRawObject.Kind(rawValue: words[1]), let id = try? GitObjectID(hex: words[0]) else {
          find(.tampering, "altered-object", name, "It has no name of a git object.")
          continue
        }
        let object = GitRawObject(kind: kind, bytes: content)
        if try object.id() != id { find(.tampering, "altered-object", name, "It has other bytes than its name says.") } else { objects[id] = object }
      default: find(.tampering, "unlisted-member", name, "No such member belongs in an archive.")
      }
    }
    report.records = records.count
    report.objects = files.count - records.count
    for text in manifest["leftOut"]?.array ?? [] { find(.gap, "left-out", "archive", text.string ?? "") }
    // From the tag to the pointer, and from there to what made it.
    guard let tagID = manifest["object"]?.string.flatMap({ try? GitObjectID(hex: $0) }), let tag = objects[tagID], tag.kind == .tag,
      let commitID = tag.header("object").flatMap({ try? GitObjectID(hex: $0) }), let commit = objects[commitID], commit.kind == .commit,
      let model = LineageIndex.record(in: tag.message), let path = model["path"]?.string,
      let oid = model["oid"]?.string.flatMap(LineageIndex.oid)
    else {
      find(.tampering, "no-tag", "tag", "The tag, its commit or the record in it is not in the archive.")
      return report
    }
    report.head = commitID.hex
    report.commits = 1
    report.tags = 1
    report.versions = 1
    if commitID.hex != manifest["commit"]?.string { find(.tampering, "tag-differs", tagID.hex, "The tag names another commit.") }
    if tag.header("tag") != manifest["tag"]?.string { find(.tampering, "tag-differs", tagID.hex, "The tag has another name.") }
    var place = commit.header("tree").flatMap { try? GitObjectID(hex: $0) }
    for component in (path + Pointer.suffix).split(separator: "/") {
      place = place.flatMap { objects[$0]?.entries?.first { $0.name.elementsEqual(component.utf8) }?.id }
    }
    if let blob = place.flatMap({ objects[$0] }), let pointer = try? Pointer(parsing: blob.bytes.span, named: path) {
      if pointer.oid != oid { find(.tampering, "tag-differs", path, "The commit's pointer names \(pointer.oid.shortHex), the tag \(oid.shortHex).") }
    } else {
      find(.tampering, "tag-differs", path, "The commit in the archive does not lead to the pointer that the tag registers.")
    }
    var lineage = ArchiveLineage(records, files: files, isPartial: manifest["leftOut"]?.array?.isEmpty == false)
    try await lineage.follow(oid, madeBy: model["run"]?.string.flatMap(LineageIndex.oid))
    report.findings += lineage.findings
    checkMoves(in: objects, of: model, commitID, &report)
    guard let key else { return report }
    let keyText = String(decoding: try key.readAll(limit: 64 << 10), as: UTF8.self)
    if keyText.contains("-----BEGIN ") {
      try checkAttestations(by: VerifyingKey(pem: keyText), of: tag, tagID, objects, &report)
    } else {
      try checkSignature(of: tag, tagID, by: keyText, &report)
    }
    return report
  }

  /// Moves of aliases in the archive must be of the version.
  private func checkMoves(
    in objects: [GitObjectID: GitRawObject], of model: JSONObject, _ commit: GitObjectID, _ report: inout AuditReport
  ) {
    for (id, object) in objects.sorted(by: { $0.key.hex < $1.key.hex }) where object.kind == .tag {
      guard let record = LineageIndex.record(in: object.message), record["type"]?.string == AliasRecord.type else { continue }
      report.tags += 1
      guard let name = object.header("tag"), let parsed = RegistryTag(name), case .assign(let alias) = parsed.action,
        record["alias"]?.string == alias, record["model"]?.string == parsed.model.text, record["model"] == model["model"],
        record["release"] == model["release"], object.header("object") == commit.hex
      else {
        report.findings.append(
          .init(severity: .tampering, kind: "tag-differs", subject: id.hex, message: "It is no move of an alias to the version, as it is said to be."))
        continue
      }
    }
  }

  /// The version's tag must have the signature of an SSH key.
  private func checkSignature(of tag: GitRawObject, _ id: GitObjectID, by key: String, _ report: inout AuditReport) throws {
    guard let signature = TagSignature(tag) else {
      report.findings.append(.init(severity: .gap, kind: "signature", subject: id.hex, message: "The tag has no SSH signature, so the key proves nothing."))
      return
    }
    if try signature.isMade(by: key.split(separator: "\n").first ?? "") {
      report.anchor = .init(kind: .signedTag, name: tag.header("tag") ?? "")
    } else {
      report.findings.append(.init(severity: .tampering, kind: "signature", subject: id.hex, message: "The tag was not signed with this key."))
    }
  }

  /// A signature or approval of the version by a key in PEM must be in the archive, and none that takes it back.
  private func checkAttestations(
    by key: VerifyingKey, of tag: GitRawObject, _ id: GitObjectID, _ objects: [GitObjectID: GitRawObject], _ report: inout AuditReport
  ) throws {
    guard let record = try TagMessage.record(in: tag.message) else { return }
    let version = try ModelRecord(record)
    var found: [(attestation: Attestation, tag: String)] = []
    for object in objects.values where object.kind == .tag {
      guard let bundle = try? Attestation.bundle(in: object.message), bundle.hint == key.hint, let statement = try? bundle.statement(verifiedBy: key),
        let attestation = try? Attestation(statement), attestation.speaks(of: version, tag: id.hex)
      else { continue }
      found.append((attestation, object.header("tag") ?? ""))
    }
    let standing = found.filter { one in
      one.attestation.kind == .signature
        || (one.attestation.kind == .approval
          && !found.contains { $0.attestation.kind == .withdrawal && $0.attestation.time >= one.attestation.time })
    }
    if let best = standing.max(by: { ($0.attestation.kind == .signature ? 1 : 0, $0.tag) < ($1.attestation.kind == .signature ? 1 : 0, $1.tag) }) {
      report.anchor = .init(kind: .signedTag, name: best.tag)
    } else {
      let why = found.isEmpty ? "The archive holds no signature or approval of the version by this key." : "The key's owner took the approval of the version back."
      report.findings.append(.init(severity: .gap, kind: "signature", subject: id.hex, message: why))
    }
  }
}
