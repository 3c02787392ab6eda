import DVFile
import DVTesting
import SystemPackage
import Testing

@Test func modesOfLinksAreLeftAlone() throws {
  try withTemporaryDirectory { directory in
    let file = directory.appending("file")
    try file.replaceContent(with: [1].span, mode: 0o600)
    let link = directory.appending("link")
    try link.createSymlink(to: Array("file".utf8))
    expectFileError(.unsupported) { try link.setMode(0o777) }
    expectFileError(.unsupported) { try link.setExecutable(true) }
    #expect(try file.fileStat()?.mode == 0o600)
  }
}

@Test func directoriesAreMadeOnceAndOnlyWhereTheyCan() throws {
  try withTemporaryDirectory { directory in
    let deep = directory.appending("a/b/c")
    try deep.createDirectories(durable: true)
    try deep.createDirectories()
    try directory.appending("file").replaceContent(with: [UInt8]().span)
    expectFileError(.notDirectory) { try directory.appending("file").createDirectories() }
    expectFileError(.notDirectory) { try directory.appending("file/x").createDirectories() }
    try directory.appending("dangling").createSymlink(to: Array("nowhere".utf8))
    expectFileError { try directory.appending("dangling/x").createDirectories() }
  }
}
