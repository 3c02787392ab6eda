import DVFile
import DVGit
import DVLineage
import DVObject
import DVStore
import DVWorkspace
public import SystemPackage

/// Packs what proves where a model version came from into one archive: the operation behind `dv audit export`.
public struct ExportAudit: Sendable {
  /// What went into it.
  public struct Report: Sendable {
    public let tag: String
    /// The tag object, 40 hex digits: what the archive is checked against where it has no signature.
    public let object: String
    public internal(set) var records = 0
    public internal(set) var objects = 0
    public internal(set) var bytes = 0
    /// What is not in it, because it is not here or too large.
    public internal(set) var leftOut: [String] = []
  }

  /// More than this is not an archive to send: whole datasets are named, not contained.
  static let contentLimit = 256 << 20

  private let target: [UInt8]
  private let output: FilePath
  private let directory: FilePath

  /// - Parameters:
  ///   - target: `MODEL@VERSION` or `MODEL@ALIAS`.
  ///   - output: where to write it.
  public init(_ target: [UInt8], to output: FilePath, from directory: FilePath) {
    self.target = target
    self.output = output
    self.directory = directory
  }

  /// Carries it out.
  ///
  /// - Throws: ``RepositoryError/Code/usage`` if the target is no version of a model.
  public func run(in repository: Repository) async throws -> Report {
    let index = try LineageIndex(of: repository)
    try await index.update(from: repository)
    let trace = LineageTrace(index, of: repository)
    let keys = try await LineageTarget(trace: trace, repository: repository, directory: directory).keys(target, hashingFiles: false)
    guard let first = keys.first, case .tag(let name) = first, let named = try trace.tag(name),
      let tag = try named.alias == nil ? named : trace.version(at: named), let commit = tag.commit, let path = tag.path,
      try repository.git.rawObject(tag.object).kind == .tag
    else {
      throw RepositoryError(
        .usage, "'\(TerminalSafe.text(String(decoding: target, as: UTF8.self)))' is no version of a model that dv registered.",
        remedy: "'dv model list' shows them.")
    }
    var files: [String: [UInt8]] = [:]
    var report = Report(tag: tag.name, object: tag.object.hex)
    func add(_ object: GitRawObject, _ id: GitObjectID) { files["git/\(id.hex).\(object.kind.rawValue)"] = object.bytes }
    func addGit(_ id: GitObjectID) throws -> GitRawObject {
      let object = try repository.git.rawObject(id)
      add(object, id)
      return object
    }
    _ = try addGit(tag.object)
    // What people signed about the version.
    let registered = try repository.modelRegistry().models.values.lazy.flatMap(\.events).first { $0.tag.name == tag.name }
    if let registered, let record = registered.version {
      for attestation in try repository.attestations(of: record, registered) { _ = try addGit(attestation.object) }
    }
    // The moves by which it has its aliases, with what a policy found.
    for name in try trace.assignments(of: tag) {
      guard let move = try trace.tag(name), let alias = move.alias, try trace.holders(move.model, alias).contains(where: { $0.name == name }),
        LineageIndex.record(in: move.message) != nil
      else { continue }
      _ = try addGit(move.object)
    }
    // From the commit down to the pointer, so that it is proved to be in the commit.
    let commitObject = try addGit(commit)
    if let tree = try commitObject.header("tree").map({ try GitObjectID(hex: $0) }) {
      var next = try addGit(tree)
      for component in (path + Pointer.suffix).split(separator: "/") {
        guard let entry = next.entries?.first(where: { $0.name.elementsEqual(component.utf8) }) else { break }
        next = try addGit(entry.id)
      }
    }
    // All that it came from.
    var walk = GraphWalk(trace: trace)
    try await walk.follow([.tag(tag.name)], direction: .up, depth: nil)
    let reader = try repository.dataReader(allowingRemote: false)
    var total = 0
    func addObject(_ oid: ObjectID, _ size: UInt64, _ what: String) async throws {
      guard files["objects/\(oid.hex)"] == nil else { return }
      guard size <= UInt64(Self.contentLimit - total) else {
        report.leftOut.append("\(what): too large")
        return
      }
      var bytes: [UInt8] = []
      do {
        try await reader.readFile(oid, size: size, restart: { bytes.removeAll() }) { piece in
          for index in 0..<piece.count { bytes.append(piece[index]) }
        }
        files["objects/\(oid.hex)"] = bytes
        total += bytes.count
      } catch let error as StoreError where error.code == .missing || error.code == .absent {
        report.leftOut.append("\(what): not here")
      }
    }
    func addTree(_ root: ObjectID, _ what: String) async throws {
      guard files["objects/\(root.hex)"] == nil else { return }
      let bytes: [UInt8]
      do { bytes = try await reader.node(root) } catch let error as StoreError where error.code == .missing || error.code == .absent {
        report.leftOut.append("\(what): not here")
        return
      }
      files["objects/\(root.hex)"] = bytes
      total += bytes.count
      for item in try TreeNode(decoding: bytes).items {
        if item.mode == nil || item.mode == .directory {
          try await addTree(item.oid, what)
        } else {
          try await addObject(item.oid, item.size, what)
        }
      }
    }
    // And what became of making it again.
    let attempts = try walk.graph.nodes.filter { $0.kind == .run }.flatMap { node in
      try node.facts.first { $0.name == "record" }.flatMap { LineageIndex.oid($0.value) }.map { id in
        try trace.effects(of: .record(id), isTarget: false).filter { $0.role == "reproduced by" }.map { try trace.node($0.other) }
      } ?? []
    }
    for node in walk.graph.nodes + attempts {
      guard let hex = node.facts.first(where: { $0.name == "record" })?.value, let id = LineageIndex.oid(hex),
        let record = try index.record(id)
      else { continue }
      files["records/\(id.hex).json"] = record.bytes
      report.records += 1
      if let (details, size) = RunRecord.details(of: record) { try await addObject(details, size, "details of \(id.shortHex)") }
      if let environment = record.json["environment"]?.array, environment.count == 2,
        let oid = environment[0].string.flatMap(LineageIndex.oid), let size = environment[1].integer, size >= 0
      {
        try await addObject(oid, UInt64(size), "environment of \(id.shortHex)")
      }
      // The code as it ran: its nodes and its files.
      if let code = record.json["code"]?.array?.first?.string.flatMap(LineageIndex.oid) {
        try await addTree(code, "code of \(id.shortHex)")
      }
    }
    report.objects = files.keys.filter { $0.hasPrefix("objects/") }.count
    var archive = TarArchive()
    var manifest = JSONObject()
    manifest["type"] = "audit-archive"
    manifest["version"] = 1
    manifest["tag"] = .string(tag.name)
    manifest["object"] = .string(tag.object.hex)
    manifest["commit"] = .string(commit.hex)
    manifest["files"] = .array(
      files.sorted { $0.key < $1.key }.map { [.string($0.key), .string(ObjectID(hashing: $0.value.span).hex)] })
    manifest["leftOut"] = .array(report.leftOut.map { .string($0) })
    archive.append("dv-audit.json", JSONValue.object(manifest).canonical())
    for (name, bytes) in files.sorted(by: { $0.key < $1.key }) { archive.append(name, bytes) }
    archive.finish()
    report.bytes = archive.bytes.count
    try directory.pushing(output).replaceContent(with: archive.bytes.span)
    return report
  }
}
