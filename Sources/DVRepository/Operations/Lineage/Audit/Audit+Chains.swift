import DVFile
import DVLineage
import DVObject
import DVSQLite
import DVStore
import DVWorkspace
import SystemPackage

extension Audit {
  /// Records of one clone follow one another: a number that is missing, or a link to another record than the one before.
  mutating func chains() throws {
    let links = try chainLinks()
    for (_, records) in links {
      for (number, link) in records {
        guard let before = records[number - 1] else { continue }
        if link.previous != before.id.hex {
          find(.tampering, "chain", "record \(link.id.hex)", "It does not follow record \(number - 1) of its clone, \(before.id.shortHex).")
        }
      }
    }
    // Of this clone all must be here.
    let book = RecordBook(repository, store: LazyStore(try repository.storePlace()))
    let own = try book.own.names()
    let end = try book.lastLink()
    if end == nil, try book.own.path.appending("chain").fileStat() != nil {
      find(.tampering, "chain", "clone", "The file that says where this clone's chain of records ends cannot be read.")
    }
    guard end != nil || !own.isEmpty else { return }
    let records = links[try book.cloneID()] ?? [:]
    let last = max(end?.sequence ?? 0, records.keys.max() ?? 0)
    guard last > 0 else { return }
    let gone = last - Int64(records.keys.count { $0 >= 1 })
    if gone > 0 {
      var first: Int64 = 1
      while records[first] != nil { first += 1 }
      find(.tampering, "chain", "clone", "Of this clone's \(last) records \(gone) are gone, the first of them number \(first).")
    }
    if let end, end.sequence > 0, let record = records[end.sequence], record.id != end.previous {
      find(.tampering, "chain", "record \(record.id.hex)", "This clone says that its record \(end.sequence) is another one, \(end.previous?.shortHex ?? "none").")
    } else if end?.sequence ?? 0 < last {
      find(.tampering, "chain", "clone", "This clone says that it made \(end?.sequence ?? 0) records, and has number \(last).")
    }
  }

  /// Of each clone, its records by their numbers.
  ///
  /// Two of one number are found on the way.
  mutating func chainLinks() throws -> [String: [Int64: (id: ObjectID, previous: String?)]] {
    var links: [String: [Int64: (id: ObjectID, previous: String?)]] = [:]
    for bytes in try database.all("SELECT bytes FROM records", body: { $0.blob(0) }) {
      guard let record = try? Record(decoding: bytes), let chain = record.json["chain"]?.array, chain.count >= 2,
        let clone = chain[0].string, let number = chain[1].integer
      else { continue }
      if let other = links[clone]?[number], other.id != record.id {
        find(.tampering, "chain", "record \(record.id.hex)", "Record \(number) of the clone \(clone.prefix(12)) exists twice: also \(other.id.shortHex).")
      }
      links[clone, default: [:]][number] = (record.id, chain.count > 2 ? chain[2].string : nil)
    }
    return links
  }
}
