import DVFile
import DVTesting
import SystemPackage
import Testing

/// Whatever call fails, the file has its old or its new content and nothing is left beside it.
@Test(arguments: [true, false])
func replacingIsAllOrNothing(durable: Bool) throws {
  try withTemporaryDirectory { directory in
    let file = directory.appending("file")
    let new = [UInt8](repeating: 2, count: 5_000)
    var position = 1
    while true {
      try file.replaceContent(with: [1, 1].span)
      let plan = FaultPlan(at: position, .fail(.noSpace))
      do {
        try plan.run { try file.replaceContent(with: new.span, mode: 0o640, durable: durable) }
        #expect(try file.readAll(limit: 9_999) == new)
      } catch let error as FileError {
        #expect(error.code == .noSpace)
        let seen = try file.readAll(limit: 9_999)
        #expect(seen == [1, 1] || seen == new)
      }
      #expect(try directory.listDirectory().count == 1)
      if !plan.happened { break }
      position += 1
    }
    #expect(position > (durable ? 7 : 4))
    #expect(try file.fileStat()?.mode == 0o640)
  }
}

@Test func renamingNeverReplacesUnlessTold() throws {
  try withTemporaryDirectory { directory in
    let (one, two) = (directory.appending("one"), directory.appending("two"))
    try one.replaceContent(with: [1].span)
    try two.replaceContent(with: [2].span)
    expectFileError(.exists) { try one.renameNoReplace(to: two) }
    // Where the kernel has no such rename, a link stands in.
    let plan = FaultPlan(at: 1, .fail(.noFunction))
    expectFileError(.exists) { try plan.run { try one.renameNoReplace(to: two) } }
    #expect(try two.readAll(limit: 1) == [2])
    let three = directory.appending("three")
    try FaultPlan(at: 1, .fail(.noFunction)).run { try one.renameNoReplace(to: three) }
    #expect(try one.fileStat() == nil)
    #expect(try three.readAll(limit: 1) == [1])
    try three.rename(to: two)
    #expect(try two.readAll(limit: 1) == [1])
    expectFileError(.exists) { try two.createContent([3].span) }
  }
}

@Test func copiesAndClonesHaveTheSameBytes() throws {
  try withTemporaryDirectory { directory in
    let file = directory.appending("file")
    var random = SeededGenerator(seed: 3)
    let bytes = [UInt8](randomCount: 2_500_000, using: &random)
    try file.replaceContent(with: bytes.span)
    var observed = 0
    #expect(try file.copy(to: directory.appending("copy"), observe: { observed += $0.count }) == 2_500_000)
    #expect(observed == 2_500_000)
    #expect(try directory.appending("copy").readAll(limit: .max) == bytes)
    let clone = directory.appending("clone")
    if try file.reflink(to: clone) {
      #expect(try clone.readAll(limit: .max) == bytes)
    } else {
      #expect(try clone.fileStat() == nil)
    }
    try file.link(as: directory.appending("linked"))
    #expect(try file.fileStat()?.links == 2)
  }
}

@Test func limitsAndExecutableBits() throws {
  try withTemporaryDirectory { directory in
    let file = directory.appending("file")
    try file.replaceContent(with: [1, 2, 3].span, mode: 0o640)
    expectFileError(.input) { _ = try file.readAll(limit: 2) }
    try file.setExecutable(true)
    #expect(try file.fileStat()?.mode == 0o750)
    try file.setExecutable(false)
    #expect(try file.fileStat()?.mode == 0o640)
  }
}

/// Checks that `body` fails with a ``FileError``, of this code if one is given.
func expectFileError(
  _ code: FileError.Code? = nil, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("expected an error of code \(code.map { "\($0)" } ?? "any")", sourceLocation: sourceLocation)
  } catch let error as FileError {
    #expect(error.code == code ?? error.code, "\(error.message)", sourceLocation: sourceLocation)
  } catch {
    Issue.record("expected a FileError, got \(error)", sourceLocation: sourceLocation)
  }
}
