import DVFile
import DVTesting
import Synchronization
import SystemPackage
import Testing

/// The file, and what the observer saw, are the bytes appended, however they were dealt out.
@Test(arguments: [0, 1, 4096, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, (21 << 20) + 12_345])
func blockFilesHoldWhatWasAppended(size: Int) throws {
  try withTemporaryDirectory { directory in
    var random = SeededGenerator(seed: UInt64(size))
    let bytes = [UInt8](randomCount: size, using: &random)
    let seen = Observed()
    let file = try BlockFile(temporaryIn: directory) { seen.update($0, isLast: $1) }
    var position = 0
    while position < size {
      let count = min(size - position, Int.random(in: 1...3_000_000, using: &random))
      try file.append(bytes.span.extracting(position..<position + count))
      position += count
    }
    #expect(file.length == UInt64(size))
    try file.finish(mode: 0o444)
    #expect(try file.path.readAll(limit: .max) == bytes)
    #expect(try file.path.fileStat()?.mode == 0o444)
    #expect(seen.finish() == bytes)
    file.discard()
    #expect(try file.path.fileStat() != nil)
  }
}

@Test func unfinishedBlockFilesVanish() throws {
  try withTemporaryDirectory { directory in
    for size in [10, 9 << 20] {
      let file = try BlockFile(temporaryIn: directory)
      try file.append([UInt8](repeating: 1, count: size).span)
      #expect(try directory.listDirectory().count == 1)
      if size == 10 { file.discard() }
    }
    #expect(try directory.listDirectory().isEmpty)
  }
}

/// A file that the caller created is written the same way, and keeps its name when it is given up.
@Test(arguments: [0, 4096, (9 << 20) + 77])
func blockFilesGoOnWithFilesOfTheCaller(size: Int) throws {
  try withTemporaryDirectory { directory in
    var random = SeededGenerator(seed: UInt64(size))
    let bytes = [UInt8](randomCount: size, using: &random)
    let path = directory.appending("weights")
    let file = BlockFile(try FileWriter(creating: path, mode: 0o640))
    try file.append(bytes.span)
    let stat = try file.close()
    #expect(stat.size == UInt64(size))
    let now = try path.fileStat()
    #expect(now?.inode == stat.inode && now?.size == stat.size && now?.modified == stat.modified && now?.changed == stat.changed)
    #expect(try path.readAll(limit: .max) == bytes)
    let other = directory.appending("given up")
    let second = BlockFile(try FileWriter(creating: other))
    try second.append(bytes.span)
    second.discard()
    #expect(try other.fileStat() != nil)
  }
}

@Test(arguments: [100, 9 << 20])
func everyFailingCallOfABlockFileIsReported(size: Int) throws {
  try withTemporaryDirectory { directory in
    let bytes = [UInt8](repeating: 7, count: size)
    var position = 1
    while true {
      let plan = FaultPlan(at: position, .fail(.noSpace))
      do {
        try plan.run {
          let file = try BlockFile(temporaryIn: directory)
          try file.append(bytes.span)
          try file.finish()
          #expect(try file.path.readAll(limit: .max) == bytes)
          try file.path.removeFile()
        }
        #expect(!plan.happened)
      } catch let error as FileError {
        #expect(error.code == .noSpace, "\(error.message)")
      }
      try directory.removeTree()
      try directory.createDirectories()
      if !plan.happened { break }
      position += 1
    }
    #expect(position >= 6)
  }
}

/// Where direct writes are refused, at opening or at the first block, the usual way is taken.
@Test(arguments: 1...3)
func refusedDirectWritesFallBack(position: Int) throws {
  try withTemporaryDirectory { directory in
    let bytes = [UInt8](repeating: 7, count: 9 << 20)
    try FaultPlan(at: position, .fail(.invalidArgument)).run {
      let file = try BlockFile(temporaryIn: directory)
      try file.append(bytes.span)
      try file.finish()
      #expect(try file.path.readAll(limit: .max) == bytes)
    }
  }
}

/// Looks at each block only when the next one comes, as observers may.
private final class Observed: Sendable {
  private struct State: Sendable {
    var bytes: [UInt8] = []
    var kept: AlignedBuffer?
  }

  private let state = Mutex(State())

  func update(_ block: AlignedBuffer, isLast: Bool) -> [AlignedBuffer] {
    state.withLock { state in
      var done: [AlignedBuffer] = []
      for seen in [state.kept, isLast ? block : nil] {
        guard let seen else { continue }
        seen.withSpan { state.bytes += [UInt8](copying: $0) }
        done.append(seen)
      }
      state.kept = isLast ? nil : block
      return done
    }
  }

  func finish() -> [UInt8] {
    state.withLock { state in
      state.kept?.withSpan { state.bytes += [UInt8](copying: $0) }
      return state.bytes
    }
  }
}

extension [UInt8] {
  init(copying span: Span<UInt8>) {
    self = span.withUnsafeBufferPointer { Array($0) }
  }
}
