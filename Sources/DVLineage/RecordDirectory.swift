import DVFile
public import DVObject
public import SystemPackage

/// Records as files, `<aa>/<hash>.json`: in a working tree's `.dv/records` for git, and in a clone's git directory.
public struct RecordDirectory: Sendable {
  public let path: FilePath

  /// - Parameter path: need not exist until something is written.
  public init(_ path: FilePath) { self.path = path }

  /// The file of a record.
  public func file(of id: ObjectID) -> FilePath { path.appending(Record.fileName(of: id)) }

  /// Reads a record; `nil` if it is not here.
  ///
  /// - Throws: ``RecordError`` if its file was altered.
  public func read(_ id: ObjectID) throws(RecordError) -> Record? {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try file(of: id).readAll(limit: Record.maximumByteCount + 1)
    } catch {
      if error.code == .notFound || error.code == .notDirectory { return nil }
      throw RecordError(error)
    }
    return try Record(decoding: bytes, named: id)
  }

  /// Writes a record durably. One that is here already is left alone.
  public func write(_ record: Record) throws(RecordError) {
    do throws(FileError) {
      let file = file(of: record.id)
      if try file.fileStat() != nil { return }
      try file.containingDirectory.createDirectories(durable: true)
      try file.replaceContent(with: record.bytes.span)
    } catch {
      throw RecordError(error)
    }
  }

  /// Removes a record's file, if it is here.
  public func remove(_ id: ObjectID) throws(RecordError) {
    do throws(FileError) { try file(of: id).removeFile() } catch {
      guard error.code == .notFound else { throw RecordError(error) }
    }
  }

  /// Keeps what did not fit a record beside it, so that this clone reads it without a store.
  public func write(_ details: RecordDetails, of id: ObjectID) throws(RecordError) {
    do throws(FileError) {
      let file = detailFile(of: id)
      try file.containingDirectory.createDirectories(durable: true)
      try file.replaceContent(with: details.bytes.span)
    } catch {
      throw RecordError(error)
    }
  }

  /// Reads what was kept beside a record; `nil` if nothing was.
  public func readDetails(of id: ObjectID) throws(RecordError) -> [UInt8]? {
    do throws(FileError) {
      return try detailFile(of: id).readAll(limit: RunRecord.maximumDetailByteCount)
    } catch {
      if error.code == .notFound || error.code == .notDirectory { return nil }
      throw RecordError(error)
    }
  }

  private func detailFile(of id: ObjectID) -> FilePath { path.appending("\(id.hex.prefix(2))/\(id.hex).details") }

  /// Reads the record of a run with all its details, as far as they are here.
  ///
  /// - Returns: `nil` if the record is not here, or of another kind.
  public func run(_ id: ObjectID) throws(RecordError) -> RunRecord? {
    guard let record = try read(id), record.type == RunRecord.type else { return nil }
    return try RunRecord(record, details: RunRecord.details(of: record) == nil ? nil : readDetails(of: id))
  }

  /// Returns the names of all records, in order, whether they can be read or not.
  ///
  /// - Throws: ``RecordError`` if a directory cannot be listed: that is never taken for an empty one.
  public func names() throws(RecordError) -> [ObjectID] {
    var names: [ObjectID] = []
    do throws(FileError) {
      guard try path.fileStat() != nil else { return [] }
      let top = try path.listDirectory()
      for index in top.indices where top.name(at: index).count == 2 {
        let listing = try path.appending(name: top.name(at: index)).listDirectory()
        for entry in listing.indices {
          let name = String(decoding: listing.name(at: entry), as: UTF8.self)
          guard name.hasSuffix(".json"), let id = try? ObjectID(hex: name.dropLast(5)) else { continue }
          names.append(id)
        }
      }
    } catch {
      throw RecordError(error)
    }
    return names.sorted()
  }
}
