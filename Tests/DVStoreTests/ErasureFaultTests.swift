import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import SystemPackage
import Testing

/// Erasing one of two files that share chunks, with any call of the file layer failing.
struct ErasureFaultTests {
  private static let (kept, erased): ([UInt8], [UInt8]) = {
    var random = SeededGenerator(seed: 11)
    let bytes = (0..<200_000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    return (Array(bytes[..<120_000]), bytes)
  }()

  private static func root(_ content: [UInt8]) -> TransferRoot {
    TransferRoot(kind: .file, oid: ObjectID(hashing: content.span), size: UInt64(content.count), label: "f")
  }

  private static func prepare(_ directory: FilePath) async throws {
    let store = try await openStore(in: directory)
    for content in [erased, kept, Array("a short one".utf8)] {
      let file = directory.appending("content")
      try file.replaceContent(with: content.span)
      let writer = ObjectWriter(store: store)
      _ = try await ContentIngest(writer: writer).ingestLarge(try FileReader(file))
      _ = try await writer.finish()
    }
  }

  private static func erase(_ directory: FilePath, _ mode: StoreErasure.Mode, noting objects: ErasedObjects) async throws -> StoreErasureReport {
    let oids: Set = [root(erased).oid]
    return try await StoreErasure(in: openStore(in: directory), of: oids, objects, mode).run()
  }

  private static func objects(_ directory: FilePath) async throws -> ErasedObjects {
    var objects = ErasedObjects(of: [root(erased).oid])
    try await objects.add([root(erased).oid], listedIn: openStore(in: directory))
    return objects
  }

  @Test func whatIsNotedIsReadBack() async throws {
    try await withTemporaryDirectory { directory in
      try await Self.prepare(directory)
      let objects = try await Self.objects(directory)
      #expect(objects.keys.count > 4)
      #expect(ErasedObjects(decoding: objects.encoded)?.keys == objects.keys)
      #expect(ErasedObjects(decoding: Array(objects.encoded.dropLast())) == nil)
      #expect(ErasedObjects(decoding: []) == nil)
    }
  }

  @Test(arguments: [false, true])
  func stoppedErasuresAreCompleted(isRemote: Bool) async throws {
    let mode: StoreErasure.Mode = isRemote ? .remote : .local(keeping: [Self.root(Self.kept)])
    func prepare(_ directory: FilePath) async throws {
      try await Self.prepare(directory)
      guard isRemote else { return }
      let commit = try await RootCommit(of: [], on: openStore(in: directory))
      _ = try await commit.finish([RootRecord.Root(Self.root(Self.kept)), RootRecord.Root(Self.root(Self.erased))]) { true }
    }
    let total = try await withTemporaryDirectory { directory in
      try await prepare(directory)
      let objects = try await Self.objects(directory)
      let plan = FaultPlan()
      let report = try await plan.run { try await Self.erase(directory, mode, noting: objects) }
      #expect(report.objects > 0 && !report.shared.isEmpty)
      return plan.count
    }
    // Every call of a small store, some of a large one.
    for position in stride(from: 1, through: total, by: max(1, total / 20)) {
      try await withTemporaryDirectory { directory in
        try await prepare(directory)
        let objects = try await Self.objects(directory)
        _ = try? await FaultPlan(at: position, .fail(.ioError)).run { try await Self.erase(directory, mode, noting: objects) }
        _ = try await Self.erase(directory, mode, noting: objects)
        let store = try await openStore(in: directory)
        #expect(try await store.holds([Self.kept]), "call \(position)")
        store.regardAsErased([Self.root(Self.erased).oid])
        let report = try await StoreCheck(of: store, depth: .full).run(.local(whole: [Self.root(Self.kept), Self.root(Self.erased)], partial: []))
        #expect(report.isSound, "call \(position): \(report.findings)")
        #expect(report.erased.count == 1 && report.erasedAndHere.isEmpty, "call \(position)")
        for key in try await store.backend.keys("packs/") {
          let bytes = try #require(try await store.backend.get(key))
          #expect(bytes.span.firstRange(of: Self.erased[190_000..<190_064]) == nil, "call \(position)")
        }
      }
    }
  }
}

extension Span<UInt8> {
  /// Where some bytes are; `nil` if nowhere.
  fileprivate func firstRange(of needle: ArraySlice<UInt8>) -> Int? {
    guard let first = needle.first, count >= needle.count else { return nil }
    for start in 0...(count - needle.count) where self[start] == first {
      if needle.indices.allSatisfy({ self[start + $0 - needle.startIndex] == needle[$0] }) { return start }
    }
    return nil
  }
}
