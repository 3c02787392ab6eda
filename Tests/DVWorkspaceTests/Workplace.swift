import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
@testable import DVWorkspace
import SystemPackage
import Testing

/// A folder with a store, in which targets are added and checked out as the operations do.
final class Workplace: Sendable {
  let folder: FilePath
  let store: ObjectStore
  let backend = MemoryBackend()

  init() async throws {
    folder = FilePath("/tmp").appending("dv-work-\(UInt64.random(in: .min ... .max))")
    try folder.appending("scratch").createDirectories()
    store = try await ObjectStore(
      backend: backend, name: "the store", scratch: folder.appending("scratch"), presence: .mayBeMade)
  }

  deinit {
    try? folder.removeTree()
  }

  func scan(_ name: String, rules: IgnoreRules = IgnoreRules()) -> TreeScan {
    TreeScan(location: folder.appending(name), target: TreePath(name)!, rules: rules)
  }

  var read: NodeReader {
    { [store] id in try await store.read(ObjectKey(kind: .treeNode, id: id)) }
  }

  /// Adds a target.
  func add(_ name: String, cache: StatCache? = nil, previous: Pointer? = nil) async throws -> IngestResult {
    let scan = scan(name)
    let found = try #require(try await scan.run(cache: cache))
    let writer = ObjectWriter(store: store)
    let result = try await TreeIngest(of: scan, writer: writer).run(found, previous: previous, cache: cache)
    _ = try await writer.finish()
    return result
  }

  /// Hashes a target without storing it.
  func look(_ name: String, cache: StatCache?) async throws -> (result: IngestResult, leftovers: [TreePath])? {
    let scan = scan(name)
    guard let found = try await scan.run(cache: cache) else { return nil }
    return (try await TreeIngest(of: scan, writer: nil).run(found, cache: cache), found.leftovers)
  }

  func plan(
    _ pointer: Pointer, to name: String, only: TreePath = .root, cache: StatCache? = nil, force: Bool = false
  ) async throws -> CheckoutPlan {
    let there = try await look(name, cache: cache)
    return try await CheckoutPlanner(
      target: TreePath(name)!, isForced: force, read: read, isStored: { [store] in try await store.containsFile($0) }
    ).plan(pointer, only: only, disk: there?.result, cache: cache, leftovers: there?.leftovers ?? [])
  }

  /// Checks a version out.
  @discardableResult
  func checkOut(
    _ pointer: Pointer, to name: String, only: TreePath = .root, cache: StatCache? = nil, force: Bool = false
  ) async throws -> CheckoutReport {
    let plan = try await plan(pointer, to: name, only: only, cache: cache, force: force)
    return try await Checkout(of: scan(name), from: store, isForced: force).run(plan)
  }

  func status(_ name: String, _ pointer: Pointer, cache: StatCache?) async throws -> [String] {
    let there = try await look(name, cache: cache)?.result
    return try await TargetStatus.of(
      TreePath(name)!, pointer: pointer, disk: there, isStored: { _ in true }, read: read
    ).entries.map { "\($0.state.rawValue) \($0.path)" }
  }

  func write(_ path: String, _ content: String) throws { try write(TreePath(path)!, Array(content.utf8)) }

  func write(_ path: TreePath, _ content: [UInt8], executable: Bool = false) throws {
    let file = folder.appending(path)
    try file.containingDirectory.createDirectories()
    try file.removeFile()
    try file.createContent(content.span, mode: executable ? 0o755 : 0o644, durable: false)
  }

  func content(_ path: String) throws -> String {
    String(decoding: try folder.appending(TreePath(path)!).readAll(limit: 1 << 20), as: UTF8.self)
  }

  /// Everything below a directory: path, kind, mode and content, one line each.
  func snapshot(_ name: String) throws -> [String] {
    var lines: [String] = []
    func visit(_ directory: FilePath, _ path: TreePath) throws {
      let listing = try directory.listDirectory()
      for index in listing.indices {
        let name = listing.name(at: index)
        let file = directory.appending(name: name)
        let inner = path.appending(name)
        guard let stat = try file.fileStat() else { continue }
        switch stat.kind {
        case .directory:
          lines.append("\(inner.bytes) directory")
          try visit(file, inner)
        case .symlink: lines.append("\(inner.bytes) link \(try file.readLink())")
        default:
          let bytes = try file.readAll(limit: 1 << 30)
          lines.append("\(inner.bytes) \(stat.isExecutable) \(ObjectID(hashing: bytes.span))")
        }
      }
    }
    try visit(folder.appending(name), .root)
    return lines.sorted()
  }

  /// Makes some random change below a directory.
  func change(_ name: String, _ count: Int, using random: inout SeededGenerator) throws {
    for _ in 0..<count {
      var path = TreePath(name)!
      for _ in 0..<Int.random(in: 1...3, using: &random) { path = path.appending(Self.name(using: &random)) }
      let file = folder.appending(path)
      // Whatever stands in the way goes.
      var parent = TreePath(name)!
      for part in path.names.dropFirst().dropLast() {
        parent = parent.appending(part)
        if let stat = try folder.appending(parent).fileStat(), stat.kind != .directory {
          try folder.appending(parent).removeFile()
        }
      }
      let isThere = try file.fileStat()
      if isThere != nil { try file.removeTree() }
      switch Int.random(in: 0..<10, using: &random) {
      case 0: try file.createDirectories()
      case 1:
        try file.containingDirectory.createDirectories()
        try file.createSymlink(to: Array("x\(Int.random(in: 0..<9, using: &random))".utf8))
      case 2 where isThere != nil: break
      default:
        let size = Int.random(in: 0..<20, using: &random) == 0 ? 2_000_000 : Int.random(in: 0..<3000, using: &random)
        try write(path, [UInt8](randomCount: size, using: &random), executable: Bool.random(using: &random))
      }
    }
  }

  private static func name(using random: inout SeededGenerator) -> [UInt8] {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: [0xff, UInt8.random(in: 0x80...0xff, using: &random)]
    case 1: Array("new\nline\(Int.random(in: 0..<3, using: &random))".utf8)
    case 2: [UInt8](repeating: UInt8(ascii: "n"), count: 255)
    default: Array("n\(Int.random(in: 0..<6, using: &random))".utf8)
    }
  }
}

/// Opens a writer.
enum ObjectWriterForTests {
  static func writer(_ store: ObjectStore) -> ObjectWriter { ObjectWriter(store: store) }
}

extension StatCache {
  /// The same cache when time has passed, so that all that was hashed is believed.
  var withTrust: StatCache {
    var copy = self
    for index in copy.state.entries.indices where copy.state.entries[index].flags.contains(.hashed) {
      copy.state.entries[index].flags.insert(.trusted)
    }
    return copy
  }

  /// The same cache when no identity in it may be believed.
  var withoutTrust: StatCache {
    var copy = self
    for index in copy.state.entries.indices { copy.state.entries[index].flags.remove(.trusted) }
    for index in copy.state.directories.indices { copy.state.directories[index].hashed = 0 }
    return copy
  }
}
