import DVFile
import DVLineage
import DVObject
import DVSQLite
import DVStore

extension Audit {
  /// Every object that pointers and records name must be here or on the default remote.
  mutating func objects() async throws {
    let local = LazyStore(try repository.storePlace())
    var wanted: [(ObjectID, isTree: Bool, subject: String)] = []
    var seen: Set<ObjectID> = []
    for version in try database.all(
      "SELECT path, oid, kind, size, files FROM versions",
      body: { (path: $0.text(0), oid: try ObjectID(bytes: $0.blob(1).span), isTree: $0.text(2) == "tree", size: $0.integer(3), files: $0.integer(4)) })
    where isAsked(.data(path: version.path, oid: version.oid)) && seen.insert(version.oid).inserted {
      let subject = "\(version.path) @ \(version.oid.text)"
      wanted.append((version.oid, version.isTree, subject))
      if let found = try await Self.extent(of: version.oid, isTree: version.isTree, in: local),
        found.size != version.size || (version.isTree && found.files != version.files)
      {
        find(.tampering, "pointer-differs", subject, "Its pointer says \(version.size) bytes in \(version.files) files; there are \(found.size) in \(found.files).")
      }
    }
    for record in try database.all("SELECT id, bytes FROM records WHERE type = 'run'", body: { (try ObjectID(bytes: $0.blob(0).span), $0.blob(1)) })
    where isAsked(.record(record.0)) {
      guard let json = try? Record(decoding: record.1).json else { continue }
      for (key, isTree) in [("code", true), ("environment", false), ("log", false), ("details", false)] {
        guard let hex = json[key]?.array?.first?.string, let oid = try? ObjectID(hex: hex), seen.insert(oid).inserted else { continue }
        wanted.append((oid, isTree, "\(key) of run \(record.0.hex)"))
      }
    }
    // That these are gone is recorded.
    let erased = try repository.erasures().oids
    wanted.removeAll { !$0.isTree && erased.contains($0.0) }
    report.objects = wanted.count
    var remote = self.remote?.store
    var isRemoteAsked = remote != nil
    for (oid, isTree, subject) in wanted {
      try Task.checkCancellation()
      let key = ObjectKey(kind: .treeNode, id: oid)
      if isTree ? try await local.holdsNode(oid) : try await local.holdsFile(oid) { continue }
      if !isRemoteAsked {
        isRemoteAsked = true
        if let named = try? repository.remote(nil) { remote = try? await repository.opening(of: named).open(create: false) }
      }
      if let remote, isTree ? try await remote.contains(key) : try await remote.containsFile(oid) { continue }
      find(.gap, "missing-object", subject, "Its bytes are neither here nor on \(self.remote.map { "remote '\($0.remote.name)'" } ?? "the default remote").")
    }
  }

  /// The size and the number of files of what is here, as its structure says; `nil` if it is not here, or damaged: that is found, and
  /// told, where all bytes are read.
  private static func extent(of oid: ObjectID, isTree: Bool, in local: LazyStore) async throws -> (size: Int64, files: Int64)? {
    do {
      guard let store = try await local.openIfMade() else { return nil }
      if isTree {
        let totals = try TreeNode(decoding: try await store.read(ObjectKey(kind: .treeNode, id: oid))).totals
        return (Int64(clamping: totals.bytes), Int64(clamping: totals.files))
      }
      if let place = try await store.locations(of: ObjectKey(kind: .chunk, id: oid)).first { return (Int64(place.length), 1) }
      let list = ObjectKey(kind: .chunkList, id: oid)
      guard try await store.contains(list) else { return nil }
      let bytes = try await store.read(list)
      return (Int64(clamping: try ChunkListNode(decoding: bytes.span).bytes), 1)
    } catch let error where !(error is CancellationError) {
      return nil
    }
  }

  /// Reads everything in the local store, and on the remote that was named.
  mutating func bytes(_ progress: ProgressSink) async throws {
    var places: [(VerifiedPlace, name: String)] = [(.local, "the local store")]
    if let remote = remote?.remote { places.append((.remote(remote.name), "remote '\(remote.name)'")) }
    for (place, name) in places {
      let check = try await CheckData(in: place, depth: .full).run(in: repository, progress: progress)
      for damage in check.damage {
        let finding = damage.finding
        let subject = finding.key.map { "\($0.kind) \($0.id.hex)" } ?? finding.place
        let paths = damage.affects.prefix(3).map { "'\(TerminalSafe.text(String(decoding: $0.path, as: UTF8.self)))'" }
        let affected = paths.isEmpty ? "" : " \(paths.joined(separator: ", "))\(damage.affects.count > 3 ? " and others" : "") need it."
        if finding.isMissing {
          // What a partial clone lacks is elsewhere; a remote is to have all it says it has.
          if place != .local { find(.gap, "missing-object", subject, "It is missing on \(name).\(affected)") }
        } else {
          let at = finding.key == nil || finding.place.isEmpty ? "" : " at \(finding.place)"
          find(.tampering, "damaged-object", subject, "In \(name)\(at): \(finding.message).\(affected)")
        }
      }
    }
  }
}
