import DVFile
import DVTesting
import SystemPackage
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Test func namesAreBytesInTheOrderOfBytes() throws {
  try withTemporaryDirectory { path in
    let names: [[UInt8]] = [
      [0xFF, 0xFE], [0x0A], Array("abcdefgh".utf8), Array("abcdefghi".utf8), Array("abcdefgh!".utf8), Array("...".utf8),
      Array("ä".utf8), [UInt8](repeating: 0xE9, count: 255), Array("-rf".utf8), Array("a".utf8), Array("ab".utf8),
    ]
    let directory = try DirectoryHandle(path)
    for name in names { try directory.createFile(name: name).close() }
    let listing = try directory.list()
    let listed = listing.indices.map { listing.name(at: $0) }
    #expect(listed == names.sorted { $0.lexicographicallyPrecedes($1) })
    for (index, name) in listed.enumerated() {
      #expect(listing.index(of: name) == index)
      #expect(try directory.stat(in: listing, at: index)?.kind == .regular)
      #expect(try directory.stat(name: name)?.size == 0)
      #expect(path.appending(name: name).rawBytes == path.rawBytes + [0x2F] + name)
    }
    #expect(listing.index(of: [0x7A]) == nil)
  }
}

@Test func largeDirectoriesAreListedWhole() throws {
  try withTemporaryDirectory { path in
    let directory = try DirectoryHandle(path)
    for number in 0..<5_000 { try directory.createFile(name: Array("some-longer-name-\(number)".utf8)).close() }
    let listing = try directory.list()
    #expect(listing.count == 5_000)
    let listed = listing.indices.map { listing.name(at: $0) }
    #expect(listed == listed.sorted { $0.lexicographicallyPrecedes($1) })
    // The same handle can be listed again.
    #expect(try directory.list().count == 5_000)
  }
}

@Test(arguments: ["", ".", "..", "a/b", "/", "a\0b", String(repeating: "x", count: 256)])
func namesThatAreNotOneComponentAreRefused(name: String) throws {
  try withTemporaryDirectory { path in
    let directory = try DirectoryHandle(path)
    expectFileError { _ = try directory.stat(name: Array(name.utf8)) }
    expectFileError { try directory.createFile(name: Array(name.utf8)).close() }
  }
}

@Test func linksAreNeverFollowed() throws {
  try withTemporaryDirectory { path in
    try path.appending("outside").createDirectories()
    try path.appending("outside/secret").replaceContent(with: [42].span)
    let inside = path.appending("inside")
    try inside.createDirectories()
    try inside.appending("dir").createSymlink(to: Array("../outside".utf8))
    try inside.appending("file").createSymlink(to: Array("../outside/secret".utf8))
    let directory = try DirectoryHandle(inside)
    expectFileError(.symlink) { _ = try directory.openDirectory(name: Array("dir".utf8)) }
    expectFileError(.symlink) { _ = try directory.openFile(name: Array("file".utf8)) }
    expectFileError(.symlink) { _ = try DirectoryHandle(inside.appending("dir")) }
    expectFileError(.symlink) { _ = try FileReader(inside.appending("file")) }
    expectFileError(.symlink) { _ = try directory.openFile(beneath: "dir/secret") }
    expectFileError(.symlink) { _ = try directory.openFile(beneath: "file") }
    // Without openat2 each step is taken alone.
    let plan = FaultPlan(at: 1, .fail(.noFunction))
    expectFileError { _ = try plan.run { try directory.openFile(beneath: "dir/secret").path } }
    expectFileError { _ = try directory.openFile(beneath: "../outside/secret") }
    expectFileError { _ = try directory.openFile(beneath: "/etc/passwd") }
    var buffer: [UInt8] = []
    let listing = try directory.list()
    for index in listing.indices {
      #expect(listing.kind(at: index) == .symlink)
      #expect(try directory.stat(in: listing, at: index)?.kind == .symlink)
      expectFileError(.symlink) { _ = try directory.readFile(in: listing, at: index, into: &buffer) }
    }
    #expect(try directory.readLink(name: Array("dir".utf8)) == Array("../outside".utf8))
    // Removing a tree removes the links, not what they lead to.
    try inside.removeTree()
    #expect(try path.appending("outside/secret").readAll(limit: 1) == [42])
  }
}

@Test func beneathWorksStepByStep() throws {
  try withTemporaryDirectory { path in
    try path.appending("a/b").createDirectories()
    try path.appending("a/b/c").replaceContent(with: [7].span)
    let directory = try DirectoryHandle(path)
    let first = try directory.openFile(beneath: "a/b/c")
    #expect(try first.read(at: 0, count: 9) == [7])
    let bytes = try FaultPlan(at: 1, .fail(.noFunction)).run {
      try directory.openFile(beneath: "a/b/c").read(at: 0, count: 9)
    }
    #expect(bytes == [7])
  }
}

@Test func pipesAreRefusedWithoutHanging() throws {
  try withTemporaryDirectory { path in
    #expect(mkfifo(path.appending("pipe").string, 0o600) == 0)
    expectFileError(.notRegular) { _ = try FileReader(path.appending("pipe")) }
    expectFileError(.isDirectory) { _ = try FileReader(path) }
    let directory = try DirectoryHandle(path)
    var buffer: [UInt8] = []
    let listing = try directory.list()
    #expect(listing.kind(at: 0) == .other)
    expectFileError(.notRegular) { _ = try directory.readFile(in: listing, at: 0, into: &buffer) }
  }
}

@Test func smallFilesReuseTheirBuffer() throws {
  try withTemporaryDirectory { path in
    let directory = try DirectoryHandle(path)
    for size in [0, 1, 100, 70_000] {
      try path.appending("\(size)").replaceContent(with: [UInt8](repeating: 3, count: size).span)
    }
    let listing = try directory.list()
    var buffer: [UInt8] = []
    for index in listing.indices {
      let stat = try directory.readFile(in: listing, at: index, into: &buffer)
      #expect(buffer == [UInt8](repeating: 3, count: Int(stat.size)))
    }
    expectFileError(.input) { _ = try directory.readFile(in: listing, at: 3, into: &buffer, limit: 10) }
  }
}

@Test func deepDirectoriesAreRemoved() throws {
  try withTemporaryDirectory { path in
    // Longer than the 4,096 bytes that one path may have.
    func descend(_ directory: borrowing DirectoryHandle, _ depth: Int) throws {
      let name = [UInt8](repeating: 0x61, count: 200)
      try directory.makeDirectory(name: name)
      let below = try directory.openDirectory(name: name)
      if depth > 0 { try descend(below, depth - 1) } else { try below.createFile(name: [0x62]).close() }
    }
    let root = path.appending("deep")
    try root.createDirectories()
    try descend(DirectoryHandle(root), 30)
    try root.removeTree()
    #expect(try root.fileStat() == nil)
  }
}
