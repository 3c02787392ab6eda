import DVBackend
import DVFile
import DVObject
import DVTesting
import SystemPackage
import Testing

@Test func missingDirectoryIsToldApart() async throws {
  try await withTemporaryDirectory { directory in
    let missing = directory.appending("none")
    await expectBackendError(.notFound) { _ = try DirectoryBackend(root: missing) }
    try directory.appending("file").replaceContent(with: [1].span)
    await expectBackendError(.invalid) { _ = try DirectoryBackend(root: directory.appending("file")) }
    #expect(try missing.fileStat() == nil)
  }
}

@Test func unreadableListingIsAnErrorAndNeverShort() async throws {
  try await withTemporaryDirectory { directory in
    let backend = try DirectoryBackend(root: directory, durable: false)
    try await backend.put([1], at: BackendKey("packs/aa/x"))
    // A file where a directory must be.
    try directory.appending("index").replaceContent(with: [1].span)
    await expectBackendError(.corrupt) { _ = try await backend.list("index/") }
    // A link in place of a directory.
    try directory.appending("packs/bb").createSymlink(to: Array("/etc".utf8))
    await expectBackendError(.corrupt) { _ = try await backend.list("packs/") }
    await expectBackendError(.corrupt) { _ = try await backend.list("") }
    await expectBackendError(.corrupt) { _ = try await backend.list("packs/bb/") }
  }
}

@Test func listingPassesOverWhatIsNotOurs() async throws {
  try await withTemporaryDirectory { directory in
    let backend = try DirectoryBackend(root: directory, durable: false)
    try await backend.put([1], at: BackendKey("packs/aa/x"))
    try directory.appending("packs/aa/.nfs0001").replaceContent(with: [1].span)
    try directory.appending("README").replaceContent(with: [1].span)
    try directory.appending("tmp/left-behind").replaceContent(with: [1].span)
    #expect(try await backend.list("").map(\.key.text) == ["packs/aa/x"])
    #expect(try await backend.removeAbandonedFiles(olderThan: 3600) == 0)
    #expect(try await backend.removeAbandonedFiles(olderThan: -10) == 1)
  }
}

@Test func plantedLinksAreNeverFollowed() async throws {
  try await withTemporaryDirectory { directory in
    let outside = directory.appending("outside")
    try outside.createDirectories()
    try outside.appending("secret").replaceContent(with: [42].span)
    let root = directory.appending("root")
    let backend = try DirectoryBackend(root: root, create: true, durable: false)
    try root.appending("packs").createSymlink(to: outside.rawBytes)
    try root.appending("tmp").createSymlink(to: outside.rawBytes)
    try root.appending("link").createSymlink(to: outside.appending("secret").rawBytes)
    let below = try BackendKey("packs/secret")
    await expectBackendError(.corrupt) { _ = try await backend.get(below) }
    await expectBackendError(.corrupt) { _ = try await backend.get(below, range: 0..<1) }
    await expectBackendError(.corrupt) { _ = try await backend.size(of: below) }
    await expectBackendError(.corrupt) { try await backend.delete(below) }
    await expectBackendError(.corrupt) { try await backend.put([1], at: below) }
    await expectBackendError(.corrupt) { try await backend.put([1], at: BackendKey("index/a")) }
    await expectBackendError(.corrupt) { _ = try await backend.get(BackendKey("link")) }
    #expect(try outside.listDirectory().count == 1)
    #expect(try outside.appending("secret").readAll(limit: 10) == [42])
  }
}

@Test func replacedAndDeletedFilesAreNoticedBehindAnOpenDescriptor() async throws {
  try await withTemporaryDirectory { directory in
    let backend = try DirectoryBackend(root: directory, durable: false)
    let other = try DirectoryBackend(root: directory, durable: false)
    let key = try BackendKey("packs/aa/x")
    try await backend.put([1, 2, 3], at: key)
    #expect(try await backend.get(key, range: 0..<1) == [1])
    try await other.put([9, 9, 9, 9], at: key)
    #expect(try await backend.get(key, range: 0..<1) == [9])
    try await other.delete(key)
    #expect(try await backend.get(key, range: 0..<1) == nil)
    for number in 0..<100 {
      let key = try BackendKey("packs/bb/\(number)")
      try await backend.put([UInt8(number)], at: key)
      #expect(try await backend.get(key, range: 0..<1) == [UInt8(number)])
    }
  }
}

@Test func modesFollowSharing() async throws {
  try await withTemporaryDirectory { directory in
    for (sharing, mode, replaceableMode, directoryMode) in [
      (DirectorySharing.group, 0o444, 0o664, 0o2775), (.all, 0o444, 0o666, 0o2777),
    ] as [(DirectorySharing, UInt32, UInt32, UInt32)] {
      let root = directory.appending("\(sharing)")
      let backend = try DirectoryBackend(root: root, create: true, sharing: sharing)
      try await backend.put([1], at: BackendKey("packs/aa/x"))
      try await backend.put([1], at: BackendKey("files/aa/x"))
      #expect(try root.appending("packs/aa/x").fileStat()?.mode == mode)
      #expect(try root.appending("files/aa/x").fileStat()?.mode == replaceableMode)
      for name in ["packs", "packs/aa", "tmp"] {
        #expect(try root.appending(name).fileStat()?.mode == directoryMode)
      }
    }
  }
}

/// Whatever call fails, a reader sees nothing or everything, and storing again succeeds.
@Test func everyFailingCallLeavesNothingOrAll() async throws {
  try await withTemporaryDirectory { directory in
    let value = [UInt8](repeating: 5, count: 10_000)
    var position = 1
    while true {
      let root = directory.appending("\(position)")
      let backend = try DirectoryBackend(root: root, create: true)
      let key = try BackendKey("packs/aa/x")
      let plan = FaultPlan(at: position, .fail(.ioError))
      do {
        try await plan.run { try await backend.put(value, at: key) }
        #expect(try await backend.get(key) == value)
      } catch let error as BackendError {
        #expect(error.code == .unreachable, "\(error.message)")
        let seen = try await backend.get(key)
        #expect(seen == nil || seen == value)
      }
      try await backend.put(value, at: key)
      #expect(try await backend.get(key) == value)
      if !plan.happened { break }
      position += 1
    }
    #expect(position > 10)
  }
}

@Test func messagesSayWhatWhereAndWhatToDo() async throws {
  try await withTemporaryDirectory { directory in
    let backend = try DirectoryBackend(root: directory)
    let plan = FaultPlan(at: 3, .fail(.noSpace))
    do {
      try await plan.run { try await backend.put([1], at: BackendKey("packs/aa/x")) }
      Issue.record("expected an error")
    } catch let error as BackendError {
      #expect(error.code == .noSpace)
      #expect(error.message.hasPrefix("Cannot store 'packs/aa/x' in '\(directory.printable)': no space left on the device."))
      #expect(error.message.contains("Free some space"))
    }
  }
}
