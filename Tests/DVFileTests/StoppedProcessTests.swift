import DVFile
import DVTesting
import SystemPackage
import Testing

/// Wherever the process is stopped, even in the middle of a write, the file has its old or its new content.
@Test(arguments: [FaultPlan.Fault.stop, .tear])
func stoppedReplacementsLeaveOldOrNew(fault: FaultPlan.Fault) async throws {
  let directory = try TemporaryDirectory.forTest()
  let path = directory.path.string
  let isTear = fault == .tear
  let new = [UInt8](repeating: 2, count: 5_000)
  for position in 1...7 {
    try directory.path.appending("file").replaceContent(with: [1, 1].span)
    await #expect(processExitsWith: .exitCode(86)) { [path = path as String, isTear = isTear as Bool, position = position as Int] in
      let content = [UInt8](repeating: 2, count: 5_000)
      try FaultPlan(at: position, isTear ? .tear : .stop).run {
        try FilePath(path).appending("file").replaceContent(with: content.span)
      }
    }
    let seen = try directory.path.appending("file").readAll(limit: 9_999)
    #expect(seen == [1, 1] || seen == new)
  }
}

@Test func stoppedBlockFilesNeverGetAName() async throws {
  let directory = try TemporaryDirectory.forTest()
  let path = directory.path.string
  for position in 1...5 {
    await #expect(processExitsWith: .exitCode(86)) { [path = path as String, position = position as Int] in
      let content = [UInt8](repeating: 2, count: 9 << 20)
      try FaultPlan(at: position, .tear).run {
        let file = try BlockFile(temporaryIn: FilePath(path))
        try file.append(content.span)
        try file.finish()
        try file.path.rename(to: FilePath(path).appending("final"))
      }
    }
    #expect(try directory.path.appending("final").fileStat() == nil)
  }
}
