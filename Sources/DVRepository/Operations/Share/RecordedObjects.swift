import DVLineage
import DVObject
import DVPipeline
import DVStore
import DVWorkspace
import SystemPackage

/// What records name besides outputs: code, environment, log, details. It travels with the data that the runs made.
struct RecordedObjects {
  private(set) var roots: [TransferRoot] = []

  /// Finds the objects of the runs that made `items` and of those whose records git carries here, as far as the local store
  /// has them.
  ///
  /// - Parameter records: runs and reproductions whose records are to travel too.
  init(of items: [SharedItem], and records: [Record], in repository: Repository, _ local: ObjectStore) async throws {
    guard let root = repository.workDirectory else { return }
    let own = RecordDirectory(repository.dataDirectory.appending("records"))
    let committed = RecordDirectory(root.appending(".dv").appending("records"))
    var seen = Set(records.map(\.id))
    for id in try items.compactMap(\.data.pointer.run) + committed.names() where seen.insert(id).inserted {
      guard let record = (try? own.read(id)) ?? (try? committed.read(id)) else { continue }
      try await add(record, local)
    }
    for record in records { try await add(record, local) }
  }

  private mutating func add(_ record: Record, _ local: ObjectStore) async throws {
    if let run = try? RunRecord(record) { return try await add(run, record, local) }
    for (name, kind) in [("code", TransferRoot.Kind.tree), ("environment", .file), ("log", .file), ("details", .file)] {
      guard let pair = record.json[name]?.array, pair.count == 2, let oid = try? ObjectID(hex: pair[0].string ?? ""),
        let size = pair[1].integer, size >= 0
      else { continue }
      try await add(
        TransferRoot(kind: kind, oid: oid, size: UInt64(size), label: "the \(name) of \(record.type) \(record.id.shortHex)"), local)
    }
  }

  private mutating func add(_ run: RunRecord, _ record: Record, _ local: ObjectStore) async throws {
    let id = record.id
    for object in run.objects(id) { try await add(object, local) }
    if let (details, size) = RunRecord.details(of: record) {
      try await add(TransferRoot(kind: .file, oid: details, size: size, label: "the details of run \(id.shortHex)"), local)
    }
    for output in run.outputs where run.uncached.contains(output.path) && output.content.mode != .directory {
      try await add(
        TransferRoot(kind: .file, oid: output.content.oid, size: output.content.size, label: output.path.text), local)
    }
  }

  private mutating func add(_ object: TransferRoot, _ local: ObjectStore) async throws {
    let isHere: Bool
    if object.kind == .tree {
      isHere = try await local.contains(ObjectKey(kind: .treeNode, id: object.oid))
    } else if object.size == 0 {
      isHere = true
    } else {
      isHere = try await local.containsFile(object.oid)
    }
    if isHere { roots.append(object) }
  }

  /// The details of records that git carries here and that the local store lacks.
  static func lackingDetails(in repository: Repository, _ local: ObjectStore) async throws -> [TransferRoot] {
    guard let root = repository.workDirectory else { return [] }
    let committed = RecordDirectory(root.appending(".dv").appending("records"))
    var lacking: [TransferRoot] = []
    for id in try committed.names() {
      guard let record = try? committed.read(id), let (details, size) = RunRecord.details(of: record),
        try await !local.containsFile(details)
      else { continue }
      lacking.append(TransferRoot(kind: .file, oid: details, size: size, label: "the details of run \(id.shortHex)"))
    }
    return lacking
  }
}
