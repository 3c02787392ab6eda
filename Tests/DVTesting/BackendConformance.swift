public import DVBackend
import DVFile
import DVObject
import SystemPackage
public import Testing

/// Checks that a backend keeps every promise of ``Backend``. `make` gives a new, empty one each time.
///
/// - Parameters:
///   - manyKeys: how many keys one listing is tried with: more than the 1,000 that S3 puts on a page.
///   - replacesAtOnce: whether a replaceable value is there while another takes its place. Whatever the server, what is read
///     is whole.
public func expectBackendConformance(
  manyKeys: Int = 10_000, replacesAtOnce: Bool = true, _ make: () async throws -> some Backend
) async throws {
  try await expectValuesComeBack(make())
  try await expectAbsenceIsAValue(make())
  try await expectRanges(make())
  try await expectIdempotence(make())
  try await expectReplacement(make())
  try await expectFiles(make())
  try await expectListing(make())
  try await expectDeletion(make())
  try await expectConcurrency(make(), replacesAtOnce)
  try await expectManyKeys(make(), manyKeys)
  let backend = try await make()
  #expect(try await backend.clock() > 1_600_000_000)
  #expect(!backend.description.isEmpty)
}

private func expectValuesComeBack(_ backend: some Backend) async throws {
  var random = SeededGenerator(seed: 1)
  for size in [0, 1, 4095, 4096, 4097, 1 << 20, (1 << 20) + 1] {
    let key = try BackendKey("packs/aa/value-\(size)")
    let bytes = [UInt8](randomCount: size, using: &random)
    try await backend.put(bytes, at: key)
    #expect(try await backend.get(key) == bytes)
    #expect(try await backend.size(of: key) == UInt64(size))
  }
  try await backend.put([7], at: BackendKey("at-the-root"))
  #expect(try await backend.get(BackendKey("at-the-root")) == [7])
}

private func expectAbsenceIsAValue(_ backend: some Backend) async throws {
  try await backend.put([1], at: BackendKey("index/there"))
  for text in ["absent", "index/absent", "index/absent/below", "packs/00/absent"] {
    let key = try BackendKey(text)
    #expect(try await backend.get(key) == nil)
    #expect(try await backend.get(key, range: 0..<1) == nil)
    #expect(try await backend.size(of: key) == nil)
    try await withTemporaryDirectory { directory in
      let file = directory.appending("fetched")
      let digest = try await backend.fetch(key, into: file)
      #expect(digest == nil)
      #expect(try file.fileStat() == nil)
    }
    try await backend.delete(key)
  }
}

private func expectRanges(_ backend: some Backend) async throws {
  for text in ["packs/aa/ranges", "files/aa/ranges"] {
    let key = try BackendKey(text)
    let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    try await backend.put(bytes, at: key)
    for range in [0..<10_000, 0..<0, 0..<1, 9_999..<10_000, 10_000..<10_000, 4_095..<4_097, 123..<7_777] {
      let wanted = UInt64(range.lowerBound)..<UInt64(range.upperBound)
      #expect(try await backend.get(key, range: wanted) == Array(bytes[range]), "range \(range)")
    }
    for range: Range<UInt64> in [0..<10_001, 9_999..<10_001, 10_001..<10_002, 20_000..<20_001] {
      await expectBackendError(.corrupt) { _ = try await backend.get(key, range: range) }
    }
    await expectBackendError(.invalid) { _ = try await backend.get(key, range: 0..<(1 << 40)) }
  }
}

private func expectIdempotence(_ backend: some Backend) async throws {
  let key = try BackendKey("roots/0-aa")
  for _ in 0..<3 { try await backend.put([1, 2, 3], at: key) }
  #expect(try await backend.get(key) == [1, 2, 3])
  #expect(try await backend.list("roots/").count == 1)
  // What was cut short behind the backend's back is made whole by storing it again.
  let damaged = try BackendKey("roots/0-bb")
  try await backend.put([1], at: damaged)
  try await backend.put([1, 2, 3], at: damaged)
  #expect(try await backend.get(damaged) == [1, 2, 3])
}

private func expectReplacement(_ backend: some Backend) async throws {
  let key = try BackendKey("trees/aa/locator")
  for value: [UInt8] in [[1, 2], [3, 4], [5], []] {
    try await backend.put(value, at: key)
    #expect(try await backend.get(key) == value)
    #expect(try await backend.get(key, range: 0..<UInt64(value.count)) == value)
  }
}

private func expectFiles(_ backend: some Backend) async throws {
  var random = SeededGenerator(seed: 2)
  let bytes = [UInt8](randomCount: 1_100_001, using: &random)
  let digest = ObjectID(hashing: bytes.span)
  try await withTemporaryDirectory { directory in
    let file = directory.appending("source")
    try file.replaceContent(with: bytes.span)
    for consuming in [false, true] {
      let key = try BackendKey("packs/ab/file-\(consuming)")
      try await backend.put(file: file, size: 1_100_001, digest: digest, at: key, consuming: consuming)
      #expect((try file.fileStat() == nil) == consuming)
      #expect(try await backend.get(key).map(contentID) == digest)
      let fetched = directory.appending("fetched-\(consuming)")
      #expect(try await backend.fetch(key, into: fetched) == digest)
      #expect(try contentID(fetched.readAll(limit: .max)) == digest)
      // A file that is there already is not overwritten.
      await #expect(throws: BackendError.self) { _ = try await backend.fetch(key, into: fetched) }
      #expect(try contentID(fetched.readAll(limit: .max)) == digest)
    }
    // Again, with the key there already: the file is consumed all the same.
    try file.replaceContent(with: bytes.span)
    try await backend.put(
      file: file, size: 1_100_001, digest: digest, at: BackendKey("packs/ab/file-true"), consuming: true)
    #expect(try file.fileStat() == nil)

    // Other bytes than announced, of the same and of another size: refused, and nothing is stored.
    try file.replaceContent(with: bytes.span)
    let key = try BackendKey("packs/ab/refused")
    let other = ObjectID(hashing: [0].span)
    await expectBackendError(.corrupt) {
      try await backend.put(file: file, size: 1_100_001, digest: other, at: key, consuming: false)
    }
    await expectBackendError(.corrupt) {
      try await backend.put(file: file, size: 1_100_000, digest: digest, at: key, consuming: true)
    }
    #expect(try contentID(file.readAll(limit: .max)) == digest)
    #expect(try await backend.get(key) == nil)
    #expect(try await backend.list("packs/ab/ref").isEmpty)
    await #expect(throws: BackendError.self) {
      try await backend.put(
        file: directory.appending("absent"), size: 1, digest: digest, at: key, consuming: false)
    }
  }
}

private func expectListing(_ backend: some Backend) async throws {
  #expect(try await backend.list("").isEmpty)
  #expect(try await backend.list("index/").isEmpty)
  let texts = ["index/0-b", "index/0-a", "index/1-a", "packs/aa/x", "packs/aa-b/x", "indexes", "z"]
  for text in texts { try await backend.put(Array(text.utf8), at: BackendKey(text)) }
  #expect(try await backend.list("").map(\.key.text) == texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
  #expect(try await backend.list("index/").map(\.key.text) == ["index/0-a", "index/0-b", "index/1-a"])
  #expect(try await backend.list("index/0").map(\.key.text) == ["index/0-a", "index/0-b"])
  #expect(try await backend.list("packs/").map(\.key.text) == ["packs/aa-b/x", "packs/aa/x"])
  #expect(try await backend.list("packs/aa/").map(\.key.text) == ["packs/aa/x"])
  #expect(try await backend.list("none/").isEmpty)
  #expect(try await backend.list("index/0-a").first?.size == 9)
}

private func expectDeletion(_ backend: some Backend) async throws {
  let key = try BackendKey("packs/aa/gone")
  try await backend.put([1, 2, 3], at: key)
  #expect(try await backend.get(key, range: 1..<2) == [2])
  try await backend.delete(key)
  try await backend.delete(key)
  #expect(try await backend.get(key) == nil)
  #expect(try await backend.get(key, range: 1..<2) == nil)
  #expect(try await backend.list("packs/").isEmpty)
  try await backend.put([4, 5], at: key)
  #expect(try await backend.get(key, range: 1..<2) == [5])

  let many = try (0..<12).map { try BackendKey("packs/ab/many-\($0)") }
  for key in many.dropLast() { try await backend.put([1], at: key) }
  try await backend.delete(many)
  #expect(try await backend.list("packs/").map(\.key) == [key])
  try await backend.delete([])
}

private func expectConcurrency(_ backend: some Backend, _ replacesAtOnce: Bool) async throws {
  // Many tasks store the same keys at once; every reader sees nothing or all.
  let value = [UInt8](repeating: 9, count: 5_000)
  try await (0..<200).forEachConcurrently(width: 40) { number in
    let key = try BackendKey("packs/\(number % 4)/shared-\(number % 10)")
    if let seen = try await backend.get(key) { #expect(seen == value) }
    try await backend.put(value, at: key)
    // A server that does not replace at once has nothing there while another task stores the same.
    let part = try await backend.get(key, range: 4_000..<5_000)
    #expect(part == Array(value[4_000...]) || (part == nil && !replacesAtOnce), "\(part?.count ?? -1) bytes")
    let replaceable = try BackendKey("files/aa/\(number % 3)")
    try await backend.put([UInt8](repeating: UInt8(number), count: 3_000), at: replaceable)
    guard let seen = try await backend.get(replaceable) else {
      #expect(!replacesAtOnce)
      return
    }
    #expect(seen.count == 3_000 && seen.first == seen.last)
  }
}

private func expectManyKeys(_ backend: some Backend, _ count: Int) async throws {
  try await (0..<count).forEachConcurrently(width: 16) { number in
    try await backend.put([UInt8(number & 255)], at: BackendKey("packs/\(number % 100)/\(number)"))
  }
  let entries = try await backend.list("packs/")
  #expect(entries.count == count)
  #expect(entries == entries.sorted { $0.key < $1.key })
  #expect(entries.allSatisfy { $0.size == 1 })
}

/// A digest compares faster than large arrays do in a debug build.
private func contentID(_ bytes: [UInt8]) -> ObjectID { ObjectID(hashing: bytes.span) }

/// Checks that `body` fails with a ``BackendError`` of this code.
public func expectBackendError(
  _ code: BackendError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
  do {
    try await body()
    Issue.record("expected an error of code \(code)", sourceLocation: sourceLocation)
  } catch let error as BackendError {
    #expect(error.code == code, "\(error.message)", sourceLocation: sourceLocation)
  } catch {
    Issue.record("expected a BackendError, got \(error)", sourceLocation: sourceLocation)
  }
}
