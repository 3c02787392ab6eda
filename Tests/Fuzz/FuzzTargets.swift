import DVLineage
import DVObject

#if canImport(Glibc)
  import Glibc
#endif

/// The parsers of everything that a stranger may write: pointers, trees, chunk lists, packs, indexes, hints, records, formats, and
/// the answers of S3. `scripts/torture fuzz` builds this with libFuzzer and runs each with `FUZZ_TARGET`.
///
/// What is accepted must be usable to its end, and where a format has one encoding, must be that encoding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  target(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}

private let target: @Sendable ([UInt8]) -> Void = {
  switch getenv("FUZZ_TARGET").map({ String(cString: $0) }) {
  case "pointer": pointer
  case "tree": tree
  case "chunklist": chunkList
  case "pack": pack
  case "index": index
  case "hints": hints
  case "record": record
  case "format": format
  case "xml": xml
  case let name: fatalError("there is no target '\(name ?? "")'")
  }
}()

private func require(_ condition: Bool, _ message: String) {
  if !condition { fatalError(message) }
}

private func pointer(_ bytes: [UInt8]) {
  guard let pointer = try? Pointer(parsing: bytes.span, named: "x.dv") else { return }
  require(pointer.encoded() == bytes, "a pointer has two encodings")
}

private func tree(_ bytes: [UInt8]) {
  for isRoot in [false, true] {
    guard let node = try? TreeNode(decoding: bytes, isRoot: isRoot) else { continue }
    var size: UInt64 = 0
    var last: [UInt8]?
    for item in node.items {
      let name = Array(item.name)
      require((1...255).contains(name.count) && !name.contains(0) && !name.contains(UInt8(ascii: "/")), "a name that is none")
      require(name != Array("..".utf8) && name != Array(".".utf8), "a name that leads out")
      if let last { require(last.lexicographicallyPrecedes(name), "names out of order") }
      last = name
      size += item.size
    }
    require(node.totals.bytes == size, "totals that are not those of the entries")
  }
}

private func chunkList(_ bytes: [UInt8]) {
  guard let node = try? ChunkListNode(decoding: bytes.span) else { return }
  require(node.encoded() == bytes, "a chunk list has two encodings")
}

private func pack(_ bytes: [UInt8]) {
  let span = bytes.span
  _ = try? PackHeader(decoding: span)
  if let entry = try? PackEntryHeader(decoding: span, crc32: { _ in 0 }) {
    require(entry.length <= entry.key.kind.byteLimit && entry.length >= 0 && entry.storedLength >= 0, "a length above the limit")
  }
  if bytes.count >= PackTable.trailerByteCount {
    let trailer = span.extracting((bytes.count - PackTable.trailerByteCount)..<bytes.count)
    if let range = try? PackTable.range(trailer: trailer, packSize: UInt64(bytes.count)) {
      require(range.upperBound <= UInt64(bytes.count), "a table beyond the pack")
      if let table = try? PackTable(decoding: span.extracting(Int(range.lowerBound)..<bytes.count), at: range.lowerBound) { check(table) }
    }
  }
  if let table = try? PackTable(decoding: span, at: 1 << 20) { check(table) }
}

private func check(_ table: PackTable) {
  for entry in table.entries {
    require(entry.length <= entry.key.kind.byteLimit && entry.storedLength >= 0 && entry.offset >= 0, "an entry above the limit")
  }
}

private func index(_ bytes: [UInt8]) {
  let head = try? IndexSegmentHead(decoding: bytes.span)
  if let head { _ = head.blocks(for: ObjectKey(kind: .chunk, id: ObjectID(hashing: bytes.span))) }
  let start = head?.byteCount ?? 0
  guard bytes.count - start >= IndexBlock.byteCount else { return }
  guard let block = try? IndexBlock(decoding: Array(bytes[start..<(start + IndexBlock.byteCount)]), crc32: { _ in 0 }) else { return }
  let containers = head?.containers ?? []
  for number in 0..<block.count {
    guard let entry = try? block.entry(at: number, in: containers) else { continue }
    require(containers.indices.contains(entry.container), "an entry of no container")
    let end = entry.offset.addingReportingOverflow(UInt64(entry.storedLength))
    require(!end.overflow && end.partialValue <= containers[entry.container].size, "an entry beyond its container")
    _ = block.contains(entry.key)
    _ = try? block.entries(of: entry.key, in: containers)
  }
}

private func hints(_ bytes: [UInt8]) {
  _ = try? Locator(decoding: bytes.span)
  _ = try? PlaceList(decoding: bytes.span)
}

private func record(_ bytes: [UInt8]) {
  if let record = try? Record(decoding: bytes) { require(record.bytes == bytes, "a record has two encodings") }
  if let value = try? JSONValue(parsing: bytes, named: "x.json") {
    let canonical = value.canonical()
    require((try? JSONValue(parsing: canonical, named: "x.json"))?.canonical() == canonical, "canonical JSON is not stable")
  }
  if let record = try? RootRecord(decoding: bytes) { require(record.encoded() == bytes, "a root record has two encodings") }
}

private func format(_ bytes: [UInt8]) {
  if let format = StoreFormat(decoding: bytes) { require(format.encoded() == bytes, "a format has two encodings") }
  _ = StoreFormat.isOfAnotherVersion(bytes)
}

private func xml(_ bytes: [UInt8]) {
  let limit = 1 << 16
  _ = try? ListBucketResult(xml: bytes, limit: limit)
  _ = try? DeleteResult(xml: bytes, limit: limit)
  _ = try? InitiateMultipartUploadResult(xml: bytes, limit: limit)
  _ = try? CompleteMultipartUploadResult(xml: bytes, limit: limit)
  _ = try? ListMultipartUploadsResult(xml: bytes, limit: limit)
  _ = try? S3ErrorBody(xml: bytes, limit: limit)
}

// MARK: - Seeds

/// Writes something valid of each kind below `FUZZ_SEEDS`, and ends.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
  guard let folder = getenv("FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
  for (name, seeds) in makeSeeds() {
    _ = mkdir("\(folder)/\(name)", 0o755)
    for (number, seed) in seeds.enumerated() {
      guard let file = fopen("\(folder)/\(name)/seed\(number)", "w") else { exit(1) }
      _ = seed.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
      fclose(file)
    }
  }
  exit(0)
}

private func makeSeeds() -> [String: [[UInt8]]] {
  let id = ObjectID(hashing: [1, 2, 3].span)
  var seeds: [String: [[UInt8]]] = [:]
  seeds["pointer"] = [
    Pointer(file: id, size: 3).encoded(), Pointer(file: id, size: 0, executable: true, run: id).encoded(),
    Pointer(tree: id, totals: TreeTotals(files: 7, bytes: 99)).encoded(),
  ]
  for count in [0, 1, 3, 70] {
    var builder = TreeBuilder()
    var nodes: [[UInt8]] = []
    for number in 0..<count {
      guard let name = try? TreeName(Array("f\(1000 + number)".utf8)) else { continue }
      let mode: EntryMode = number % 3 == 0 ? .directory : number % 3 == 1 ? .file : .symlink
      try? builder.append(TreeEntry(name: name, mode: mode, oid: id, size: UInt64(number))) { nodes.append($1) }
    }
    _ = try? builder.finish { nodes.append($1) }
    seeds["tree", default: []] += nodes
    var list = ChunkListBuilder()
    var lists: [[UInt8]] = []
    for number in 0..<count { list.append(ChunkReference(id: id, length: 1 + number * 100)) { lists.append($1) } }
    if let root = list.finish(emit: { lists.append($1) }) { lists.append(root) }
    seeds["chunklist", default: []] += lists
  }
  let key = ObjectKey(kind: .chunk, id: id)
  let header = PackEntryHeader(key: key, codec: .zstd, storedLength: 40, length: 99)
  var entry: [UInt8] = []
  header.append(to: &entry, crc32: { _ in 0 })
  let table = PackTable(entries: [PackTableEntry(header: header, offset: PackHeader.byteCount + PackEntryHeader.byteCount)])
  let body = PackHeader().encoded() + entry + [UInt8](repeating: 7, count: 40)
  seeds["pack"] = [PackHeader().encoded(), entry, body + table.encoded(at: UInt64(body.count)), table.encoded(at: 1 << 20)]
  let container = IndexContainer(kind: .pack, id: id, size: 5000)
  let head = IndexSegmentHead(containers: [container], superseded: [IndexSupersession(kind: .segment, id: id)], firstKeys: [key.prefix], entryCount: 1)
  var block: [UInt8] = []
  IndexBlock.append([IndexEntry(key: key, codec: .zstd, container: 0, offset: 120, storedLength: 40, length: 99)], to: &block, crc32: { _ in 0 })
  seeds["index"] = [head.encoded() + block, block]
  let place = ObjectPlace(kind: .chunk, codec: .raw, container: 0, offset: 120, storedLength: 40, length: 40, listed: nil)
  let alone = ObjectPlace(kind: .chunk, codec: .raw, container: nil, offset: 120, storedLength: 40, length: 40, listed: nil)
  seeds["hints"] = [
    Locator(id: id, container: container, place: alone).encoded(), PlaceList(of: .chunkList, containers: [container], places: [place, nil]).encoded(),
  ]
  let root = RootRecord.Root(kind: .tree, oid: id, size: 9)
  seeds["record"] = [
    Array(#"{"a":[1,2.5,"x\u0000é",null,true],"schema":"dv.run/1","z":{"k":-7}}"#.utf8), Array(#"[[[[]]],1e300,"NaN"]"#.utf8),
    RootRecord(kind: .root, time: 1_790_000_000, roots: [root], supersedes: ["01k-9c41"]).encoded(),
  ]
  seeds["format"] = [StoreFormat.current.encoded(), Array("dv-format 2\n".utf8)]
  let begin = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
  seeds["xml"] = [
    begin + "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><IsTruncated>false</IsTruncated><KeyCount>1</KeyCount><Contents><Key>a&amp;b</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;0&quot;</ETag><Size>5</Size></Contents><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>",
    begin + "<DeleteResult><Deleted><Key>k</Key></Deleted><Error><Key>e</Key><Code>AccessDenied</Code><Message>m</Message></Error></DeleteResult>",
    begin + "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>",
    begin + "<CompleteMultipartUploadResult><Location>l</Location><ETag>\"e-1\"</ETag></CompleteMultipartUploadResult>",
    begin + "<Error><Code>SlowDown</Code><Message><![CDATA[x]]></Message><Region>r</Region><!-- c --></Error>",
    "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><Error><Code>&b;</Code></Error>",
  ].map { Array($0.utf8) }
  return seeds
}
