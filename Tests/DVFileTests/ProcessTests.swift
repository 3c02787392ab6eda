import DVFile
import DVTesting
import Synchronization
import SystemPackage
import Testing

@Test func locksExclude() throws {
  try withTemporaryDirectory { directory in
    let path = directory.appending("lock")
    do {
      let first = try FileLock.wait(for: path, .shared)
      #expect(try FileLock.attempt(path, .shared) != nil)
      #expect(try FileLock.attempt(path, .exclusive) == nil)
      _ = first
    }
    #expect(try FileLock.attempt(path, .exclusive) != nil)
  }
}

/// Where a file system has no locks, processes of this machine respect each other, and whoever must know more is told.
@Test func locksStandInForThoseThatAFileSystemLacks() throws {
  try withTemporaryDirectory { directory in
    let path = directory.appending("lock")
    try FaultPlan.$refusesLocksHere.withValue(true) {
      do {
        let first = try FileLock.wait(for: path, .shared)
        let isRespected = first.isRespectedEverywhere
        #expect(!isRespected)
        #expect(try FileLock.attempt(path, .shared) != nil)
        #expect(try FileLock.attempt(path, .exclusive) == nil)
        #expect(try FileLock.attempt(directory.appending("other"), .exclusive) != nil)
      }
      #expect(try FileLock.attempt(path, .exclusive) != nil)
    }
    let usual = try FileLock.wait(for: path, .exclusive)
    let isRespected = usual.isRespectedEverywhere
    #expect(isRespected)
  }
}

/// Who waits for a lock says so after a second, and gives up when told to.
@Test func waitingForALockEnds() throws {
  try withTemporaryDirectory { directory in
    let path = directory.appending("lock")
    let held = try FileLock.wait(for: path, .exclusive)
    let told = Atomic<Int>(0)
    let patience = LockPatience(limit: .milliseconds(1200)) { _ in told.add(1, ordering: .relaxed) }
    let error = #expect(throws: FileError.self) {
      try LockPatience.$current.withValue(patience) { _ = try FileLock.wait(for: path, .shared) }
    }
    #expect(error?.code == .busy && error?.message.contains("for 1 seconds") == true)
    #expect(told.load(ordering: .relaxed) == 1)
    _ = held
  }
}

@Test func machineHasCores() {
  #expect(Machine.coreCount >= 1)
  #expect(Machine.umask <= 0o777)
  #expect(Terminal.width(.standardInput) ?? 1 > 0)
}

@Test func blockingWorkLeavesTheTasksFree() async throws {
  // Far more than there are threads for tasks.
  let running = Atomic<Int>(0)
  try await (0..<500).forEachConcurrently(width: 100) { _ in
    await BlockingThreads.run { _ = running.add(1, ordering: .relaxed) }
  }
  #expect(running.load(ordering: .relaxed) == 500)
  #expect(try await (0..<100).mapConcurrently(width: 7) { $0 * 2 } == (0..<100).map { $0 * 2 })
}

@Test func concurrencyKeepsToItsWidthAndReportsTheFirstError() async throws {
  struct Failure: Error {}
  let now = Atomic<Int>(0)
  let most = Atomic<Int>(0)
  try await (0..<50).forEachConcurrently(width: 3) { _ in
    most.max(now.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
    await Task.yield()
    now.subtract(1, ordering: .relaxed)
  }
  #expect(most.load(ordering: .relaxed) <= 3)
  await #expect(throws: Failure.self) {
    try await (0..<50).forEachConcurrently(width: 3) { if $0 == 20 { throw Failure() } }
  }
}

@Test func temporaryDirectoriesVanish() throws {
  let path: FilePath
  do {
    let directory = try TemporaryDirectory.forTest()
    path = directory.path
    try path.appending("a/b").createDirectories()
    #expect(try path.fileStat()?.mode == 0o700)
  }
  #expect(try path.fileStat() == nil)
}
