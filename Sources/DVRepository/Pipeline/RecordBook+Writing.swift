import DVFile
import DVLineage
import DVObject
import DVStore
import DVWorkspace
import SystemPackage

extension RecordBook {
  /// Records a run as the next link of this clone's chain.
  ///
  /// - Parameter writer: where to store what does not fit the record.
  func append(_ run: RunRecord, _ writer: ObjectWriter) async throws -> ObjectID {
    try await append(writer) { link in
      var run = run
      run.chain = link
      return try run.encoded()
    }
  }

  /// Records a reproduction as the next link of this clone's chain.
  func append(_ reproduction: ReproductionRecord, _ writer: ObjectWriter) async throws -> ObjectID {
    try await append(writer) { link in
      var reproduction = reproduction
      reproduction.chain = link
      return try reproduction.encoded()
    }
  }

  /// Records what `make` makes of the next link of this clone's chain.
  func append(
    _ writer: ObjectWriter, _ make: (RunRecord.ChainLink) throws -> (record: Record, details: RecordDetails?)
  ) async throws -> ObjectID {
    try own.path.createDirectories()
    let lock = HeldLock(try FileLock.wait(for: own.path.appending("lock"), .exclusive))
    defer { withExtendedLifetime(lock) {} }
    let last = try lastLink()
    let chain = RunRecord.ChainLink(
      clone: try cloneID(), sequence: (last?.sequence ?? 0) + 1, previous: last?.previous)
    let (record, details) = try make(chain)
    if let details {
      var memory = CodecMemory()
      _ = try await ContentIngest(writer: writer).ingest(details.bytes, memory: &memory)
    }
    // The record names what was stored: that is durable first.
    _ = try await writer.finish()
    if let details { try own.write(details, of: record.id) }
    try own.write(record)
    let link: JSONValue = [.integer(chain.sequence), .string(record.id.hex)]
    try own.path.appending("chain").replaceContent(with: link.canonical().span)
    return record.id
  }

  /// The sequence number and name of the last record of this clone; `nil` if there is none.
  func lastLink() throws -> (sequence: Int64, previous: ObjectID?)? {
    guard let bytes = try repository.dataDirectory.appending("records").contentIfThere(TreePath("chain") ?? .root, limit: 4096),
      let link = try? JSONValue(parsing: bytes, named: "the chain").array, link.count == 2, let sequence = link[0].integer
    else { return nil }
    return (sequence, try? ObjectID(hex: link[1].string ?? ""))
  }

  /// The name of this clone in records: random, so that it says nothing of machine or user.
  func cloneID() throws -> String {
    let file = repository.dataDirectory.appending("clone-id")
    if let bytes = try repository.dataDirectory.contentIfThere(TreePath("clone-id") ?? .root, limit: 4096) {
      return String(decoding: bytes, as: UTF8.self)
    }
    try repository.dataDirectory.createDirectories()
    let id = CloneName.random()
    try file.createContent(Array(id.utf8).span)
    return id
  }

  /// Puts a record into the working tree, for git.
  ///
  /// - Returns: its path there, to be staged.
  func publish(_ id: ObjectID) throws -> TreePath {
    guard let committed, let record = try record(id) else {
      throw RepositoryError(.missing, "The record \(id.shortHex) is not in this clone.")
    }
    try committed.write(record)
    return Self.path(of: id)
  }

  /// Takes a record out of the working tree, unless the commit that is checked out has it. The clone keeps it.
  ///
  /// - Returns: its path, to be unstaged; `nil` if it stays.
  func withdraw(_ id: ObjectID) throws -> TreePath? {
    guard let committed, try !isInHead(id), try own.read(id) != nil else { return nil }
    try committed.remove(id)
    return Self.path(of: id)
  }
}

/// The random name of a clone: 128 bits as hex digits.
private enum CloneName {
  static func random() -> String {
    (0..<2).map { _ in
      let digits = String(UInt64.random(in: .min ... .max), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
