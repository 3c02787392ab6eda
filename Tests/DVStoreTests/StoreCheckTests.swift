import DVBackend
import DVFile
import DVObject
@testable import DVStore
import DVTesting
import Testing

/// Stores that nothing happened to are sound, at every depth.
@Test(arguments: DamageFixture.Side.allCases)
func soundStoresPassTheCheck(side: DamageFixture.Side) async throws {
  try await withTemporaryDirectory { directory in
    let fixture = try await DamageFixture(in: directory)
    let store = try await fixture.open(fixture.content(of: side))
    for depth in [CheckDepth.structure, .full, .sample(percent: 1, readBefore: [:])] {
      let report = try await fixture.check(store, side, depth)
      #expect(report.isSound, "\(report.findings)")
    }
    let full = try await fixture.check(store, side, .full)
    #expect(full.checked.packsRead == full.checked.packs)
    #expect(full.checked.bytesRead == full.checked.packBytes)
    #expect(full.checked.filesHashed == 1)
    #expect(full.checked.contents == 1)
    #expect(try await fixture.check(store, side, .structure).checked.packsRead == 0)
  }
}

/// Whichever byte of whichever file is changed, a full check finds it, and a repair from the other store makes everything
/// good.
@Test(arguments: DamageFixture.Side.allCases)
func everyByteCounts(side: DamageFixture.Side) async throws {
  try await withTemporaryDirectory { directory in
    let fixture = try await DamageFixture(in: directory)
    var random = SeededGenerator(seed: 11)
    var number = 0
    for (key, bytes) in fixture.content(of: side).sorted(by: { $0.key < $1.key }) {
      // Of the zeros that fill a block, some.
      for position in bytes.indices where bytes[position] != 0 || position % 37 == 0 {
        var content = fixture.content(of: side)
        var damaged = bytes
        damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        content[key] = damaged
        let store = try await fixture.open(content)
        let report = try await fixture.check(store, side)
        #expect(!report.isSound, "\(key) at \(position)")
        number += 1
        if number % 16 != 0 { continue }
        try await fixture.repair(store, side, report)
        #expect(try await fixture.isWhole(store, side), "\(key) at \(position)")
      }
    }
    #expect(number > 2000)
  }
}

/// Cut short anywhere, filled with zeros, longer than it was, or gone: found, and made good.
@Test(arguments: DamageFixture.Side.allCases)
func filesThatAreNotThemselvesAreFound(side: DamageFixture.Side) async throws {
  try await withTemporaryDirectory { directory in
    let fixture = try await DamageFixture(in: directory)
    for (key, bytes) in fixture.content(of: side).sorted(by: { $0.key < $1.key }) {
      var variants: [[UInt8]?] = [nil, [UInt8](repeating: 0, count: bytes.count), bytes + [0], bytes + bytes]
      for edge in [0, 1, 32, 63, 64, 65, 120, 121, bytes.count / 2, bytes.count - 128, bytes.count - 65, bytes.count - 64, bytes.count - 63, bytes.count - 1]
      where edge >= 0 && edge < bytes.count { variants.append(Array(bytes[..<edge])) }
      for at in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 3)) {
        var zeroed = bytes
        for index in at..<min(at + 512, bytes.count) { zeroed[index] = 0 }
        if zeroed != bytes { variants.append(zeroed) }
      }
      for (number, variant) in variants.enumerated() {
        var content = fixture.content(of: side)
        content[key] = variant
        let store = try await fixture.open(content)
        let report = try await fixture.check(store, side)
        // A root record that is gone leaves nothing that would miss it: the content was never promised.
        // A format that is gone is made again when a store is opened for writing. A locator that is gone, nobody misses.
        let silent = ["roots/", "format/", "trees/"]
        let isSilent = variant == nil && silent.contains { key.text.hasPrefix($0) }
        if isSilent { continue }
        #expect(!report.isSound, "\(key), variant \(number)")
        try await fixture.repair(store, side, report)
        #expect(try await fixture.isWhole(store, side), "\(key), variant \(number)")
      }
    }
  }
}

/// The bytes of one file under the name of another.
@Test func swappedFilesAreFound() async throws {
  try await withTemporaryDirectory { directory in
    let fixture = try await DamageFixture(in: directory)
    let other = try await DamageFixture(in: directory, seed: 8)
    let packs = fixture.local.keys.filter { $0.text.hasPrefix("packs/") }
    let strange = try #require(other.local.first { $0.key.text.hasPrefix("packs/") })
    for key in packs {
      var content = fixture.local
      content[key] = strange.value
      for depth in [CheckDepth.structure, .full] {
        let store = try await fixture.open(content)
        let report = try await fixture.check(store, .local, depth)
        #expect(!report.isSound)
        #expect(report.damagedSegments.isEmpty)
        try await fixture.repair(store, .local, report)
        #expect(try await fixture.isWhole(store, .local))
      }
    }
  }
}

/// A store whose index is gone or damaged gets it back from its own packs.
@Test(arguments: DamageFixture.Side.allCases)
func theIndexIsMadeAgainFromPacks(side: DamageFixture.Side) async throws {
  try await withTemporaryDirectory { directory in
    let fixture = try await DamageFixture(in: directory)
    let segments = fixture.content(of: side).keys.filter { $0.text.hasPrefix("index/") }
    for isGone in [true, false] {
      var content = fixture.content(of: side)
      for key in segments { content[key] = isGone ? nil : Array((content[key] ?? []).dropFirst()) }
      let store = try await fixture.open(content)
      let report = try await fixture.check(store, side)
      #expect(!report.isSound)
      let outcome = try await fixture.repair(store, side, report, alone: true)
      #expect(outcome.objects == 0)
      #expect(try await fixture.isWhole(store, side))
    }
  }
}

/// What is whole in a pack that lost its end is saved without any other copy.
@Test func tornPacksAreSalvaged() async throws {
  try await withTemporaryDirectory { directory in
    let fixture = try await DamageFixture(in: directory)
    let (key, bytes) = try #require(fixture.local.first { $0.key.text.hasPrefix("packs/") })
    // The table alone: everything is there.
    var content = fixture.local
    content[key] = Array(bytes.dropLast(100))
    let store = try await fixture.open(content)
    let report = try await fixture.check(store, .local)
    #expect(report.lost.isEmpty)
    try await fixture.repair(store, .local, report, alone: true)
    #expect(try await fixture.isWhole(store, .local))
    let quarantined = try await store.backend.keys("quarantine/")
    #expect(quarantined.count == 1)
    #expect(try await store.backend.get(try #require(quarantined.first)) == content[key])

    // A damaged header in the middle, and no table: all but that entry.
    var torn = Array(bytes.dropLast(100))
    let entry = try #require(torn.indices.dropFirst(64 + 56).first { torn[$0...].starts(with: PackEntryHeader.magic) })
    torn[entry + 20] ^= 1
    content[key] = torn
    let second = try await fixture.open(content)
    let findings = try await fixture.check(second, .local)
    #expect(findings.lost.count == 1)
    try await fixture.repair(second, .local, findings, alone: true)
    let again = try await fixture.check(try await fixture.open(try await second.backend.content()), .local)
    #expect(again.lost.count == 1)
    #expect(again.isOnlyMissing)
    #expect(again.impacts.values.flatMap { $0 }.count == 1)
  }
}

/// A damaged index does not keep anybody from reading: the packs' own tables serve.
@Test func readingGoesOnWithoutADamagedSegment() async throws {
  try await withTemporaryDirectory { directory in
    let fixture = try await DamageFixture(in: directory)
    let segments = fixture.local.keys.filter { $0.text.hasPrefix("index/") }
    for key in segments {
      for position in [0, 70, 5000, (fixture.local[key]?.count ?? 0) - 3] {
        var content = fixture.local
        content[key]?[position] ^= 0x10
        let store = try await fixture.open(content, for: .use)
        #expect(store.damagedSegments.count == 1)
        #expect(try await store.isWhole(fixture.root, fixture.directories))
        // Adding the same again stores nothing, and gc refuses.
        let writer = ObjectWriter(addingTo: store)
        for file in fixture.directories.values.flatMap(\.values) {
          var memory = CodecMemory()
          _ = try await ContentIngest(writer: writer).ingest(file, memory: &memory)
        }
        #expect(try await writer.finish().objects == 0)
        await #expect(throws: StoreError.self) {
          try await LocalCollection(store: store, mode: .now).run(keeping: [fixture.root])
        }
      }
    }
  }
}

/// A segment that is read block by block is set aside when a block turns out to be damaged.
@Test func aDamagedBlockIsSetAsideWhenItIsRead() async throws {
  try await withTemporaryDirectory { directory in
    let fixture = try await DamageFixture(in: directory)
    let backend = MemoryBackend()
    for (key, bytes) in fixture.local {
      var bytes = bytes
      if key.text.hasPrefix("index/") { bytes[4096 + 10] ^= 1 }
      try await backend.put(bytes, at: key)
    }
    let store = try await openStore(backend, scratch: directory, wholeLimit: 0)
    #expect(store.damagedSegments.isEmpty)
    #expect(try await store.isWhole(fixture.root, fixture.directories))
    #expect(store.damagedSegments.count == 1)
  }
}
