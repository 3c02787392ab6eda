public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A large new file, written in blocks of 4 MiB by a thread of its own.
///
/// The bytes go from our blocks straight to the disk (`O_DIRECT`), which costs almost no processor time and leaves the
/// page cache to those who read. Where the file system refuses that, they take the usual way. The thread also shows each
/// block to an observer, in order, so that a digest of the whole file holds up nobody.
///
///     append ──► block being filled ──► queue (at most 4 blocks in use) ──► observe, write at its offset
///
/// One task or thread at a time appends. A temporary file that is not finished is removed when it goes away; one that the
/// caller created keeps its name, whatever becomes of it.
public final class BlockFile: Sendable {
  /// Bytes in a block.
  public static let blockSize = 4 << 20
  private static let blocksInFlight = 4

  /// Is shown every run of bytes, in order, before it is written; the last one may be told from the others.
  ///
  /// It may keep a block to read it later, and returns those that it needs no more: with the block that comes behind it at the latest.
  public typealias Observer = @Sendable (_ block: AlignedBuffer, _ isLast: Bool) -> [AlignedBuffer]

  /// Where the file is; a temporary one has a random name in the directory given.
  public let path: FilePath
  private let isTemporary: Bool
  private let shared: Monitor<Shared>

  private struct Shared: Sendable {
    /// Open until the writer thread ended and finish or discard closed it.
    var descriptor: CInt
    var length: UInt64 = 0
    var current: AlignedBuffer?
    var free: [AlignedBuffer] = []
    var blocksMade = 0
    var queue: [AlignedBuffer] = []
    var written: UInt64 = 0
    var isDirect: Bool
    var failure: FileError?
    /// Nothing more is coming: the thread ends when the queue is empty.
    var isEnding = false
    var threadEnded = false
    var threadStarted = false
    var outcome = Outcome.open
  }

  private enum Outcome { case open, finished, discarded }

  private let observe: Observer
  private static let pool = BlockPool(size: blockSize, limit: 20)

  /// Creates an empty file, readable by its owner alone, under a random name in `directory`.
  ///
  /// - Parameter observe: Called on another thread.
  public init(temporaryIn directory: FilePath, observe: @escaping Observer = { block, _ in [block] }) throws(FileError) {
    let path = directory.appending(RandomName.temporary())
    var isDirect = true
    let descriptor: CInt
    do throws(Errno) {
      descriptor = try unsafe path.withPath { text throws(Errno) in
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        do throws(Errno) {
          return try unsafe SystemCall.open(SystemCall.here, text, flags | directWriting, 0o600)
        } catch {
          guard error == .invalidArgument else { throw error }
          isDirect = false
          // Some kernels create the file before they refuse the flag.
          try? unsafe SystemCall.remove(SystemCall.here, text)
          return try unsafe SystemCall.open(SystemCall.here, text, flags, 0o600)
        }
      }
    } catch {
      throw .create(path, error)
    }
    self.path = path
    self.observe = observe
    isTemporary = true
    shared = Monitor(Shared(descriptor: descriptor, isDirect: isDirect))
  }

  /// Goes on with an empty file that the caller has created. End it with ``close()``.
  public init(_ file: consuming FileWriter) {
    path = file.path
    let descriptor = file.takeDescriptor()
    var isDirect = true
    do throws(Errno) { try SystemCall.setDirectWriting(descriptor) } catch { isDirect = false }
    observe = { block, _ in [block] }
    isTemporary = false
    shared = Monitor(Shared(descriptor: descriptor, isDirect: isDirect))
  }

  deinit { discard() }

  /// Bytes appended so far.
  public var length: UInt64 { shared.withLock(waking: .nobody) { $0.length } }

  /// Appends `bytes`, blocking only while four blocks wait to be written or are kept by the observer.
  ///
  /// - Throws: what went wrong with this block or one before; every later call throws it again.
  public func append(_ bytes: Span<UInt8>) throws(FileError) {
    var rest = bytes
    while rest.count > 0 {
      let block = try blockWithRoom()
      let taken = block.append(rest)
      rest = rest.extracting(droppingFirst: taken)
      let isFull = block.room == 0
      // The writer's thread waits for full blocks only.
      shared.withLock(waking: isFull ? .all : .nobody) { state in
        state.length += UInt64(taken)
        if isFull { Self.submit(&state) }
      }
      if isFull { startThreadIfNeeded() }
    }
  }

  /// Writes what is left, gives the file its exact length and waits until its bytes are on the disk.
  ///
  /// The file may be renamed afterwards; the directory is the caller's to sync.
  ///
  /// - Parameter mode: The permission bits of the file from now on.
  public func finish(mode: UInt32 = 0o600) throws(FileError) {
    try end { descriptor throws(FileError) in
      do throws(Errno) { try SystemCall.setMode(descriptor, mode_t(mode)) } catch { throw FileError.setMode(path, error) }
      do throws(Errno) { try SystemCall.synchronize(descriptor) } catch { throw FileError.synchronize(path, error) }
    }
  }

  /// Writes what is left and closes the file, without waiting for the disk: for what can be made again.
  ///
  /// - Returns: what the file system says of the file when all is written.
  public func close() throws(FileError) -> FileStat {
    try end { descriptor throws(FileError) in
      do throws(Errno) { return try SystemCall.stat(descriptor) } catch { throw FileError.stat(path, error) }
    }
  }

  private func end<Result>(_ last: (CInt) throws(FileError) -> Result) throws(FileError) -> Result {
    let tail = shared.withLock { state -> AlignedBuffer? in
      state.isEnding = true
      defer { state.current = nil }
      return state.current
    }
    let (failure, descriptor, written) = waitForThread()
    let idle = shared.withLock { state in
      defer { state.free = [] }
      return state.free
    }
    var unused = idle
    defer { Self.pool.give(unused) }
    if let failure { throw failure }
    do throws(FileError) {
      if let tail, tail.count > 0 { unused += try writeTail(tail, to: descriptor, at: written) }
      let result = try last(descriptor)
      shared.withLock { $0.descriptor = -1 }
      do throws(Errno) { try SystemCall.close(descriptor) } catch { throw FileError.close(path, error) }
      shared.withLock { $0.outcome = .finished }
      return result
    } catch {
      shared.withLock { $0.failure = error }
      throw error
    }
  }

  /// Stops writing, and removes the file if it is temporary. One that is finished is left alone.
  public func discard() {
    let isOpen = shared.withLock { state in
      guard state.outcome == .open else { return false }
      state.outcome = .discarded
      state.isEnding = true
      state.queue = []
      state.current = nil
      return true
    }
    guard isOpen else { return }
    let (_, descriptor, _) = waitForThread()
    if descriptor >= 0 { SystemCall.closeQuietly(descriptor) }
    // Nobody is left to tell; the random name says that it may be removed.
    if isTemporary { try? path.removeFile() }
  }

  // MARK: - The caller's side

  private func blockWithRoom() throws(FileError) -> AlignedBuffer {
    try shared.wait(waking: .nobody) { state -> Result<AlignedBuffer, FileError>? in
      if let failure = state.failure { return .failure(failure) }
      precondition(state.outcome == .open && !state.isEnding, "a file that is finished or discarded takes no more bytes")
      if let current = state.current { return .success(current) }
      let block: AlignedBuffer
      if let free = state.free.popLast() {
        block = free
      } else if state.blocksMade < Self.blocksInFlight {
        state.blocksMade += 1
        block = Self.pool.take()
      } else {
        return nil
      }
      block.resize(to: 0)
      state.current = block
      return .success(block)
    }.get()
  }

  private static func submit(_ state: inout Shared) {
    if let block = state.current { state.queue.append(block) }
    state.current = nil
  }

  /// A file of less than one block needs no thread.
  private func startThreadIfNeeded() {
    let needed = shared.withLock { state in
      guard !state.threadStarted, !state.queue.isEmpty else { return false }
      state.threadStarted = true
      return true
    }
    guard needed else { return }
    let plan = FaultPlan.current
    // The thread keeps only what it needs: were it to keep the file, a forgotten one would never be removed.
    let started = BlockingThreads.start { [shared, observe, path] in
      FaultPlan.inheriting(plan) { Self.writeBlocks(shared, observe, path) }
    }
    guard !started else { return }
    shared.withLock { state in
      state.threadEnded = true
      state.failure = FileError(
        code: .tooManyOpen, path: path,
        message: "Cannot write '\(path.printable)': the system refuses another thread. Raise the limit ('ulimit -u').")
    }
  }

  private func waitForThread() -> (failure: FileError?, descriptor: CInt, written: UInt64) {
    shared.wait { state in
      guard !state.threadStarted || state.threadEnded else { return nil }
      return (state.failure, state.descriptor, state.written)
    }
  }

  /// The end of the file is not a multiple of what a direct write takes, so it takes the usual way.
  ///
  /// - Returns: the blocks that nobody uses any more.
  private func writeTail(_ tail: AlignedBuffer, to descriptor: CInt, at offset: UInt64) throws(FileError) -> [AlignedBuffer] {
    let done = observe(tail, true)
    do throws(Errno) {
      if shared.withLock({ $0.isDirect }) { try SystemCall.clearDirectWriting(descriptor) }
      try Self.write(tail, to: descriptor, at: offset)
    } catch {
      throw .write(path, error)
    }
    return done
  }

  // MARK: - The thread's side

  private static func writeBlocks(
    _ shared: Monitor<Shared>, _ observe: Observer, _ path: FilePath
  ) {
    struct Work {
      let block: AlignedBuffer
      let offset: UInt64
      let descriptor: CInt
      let isDirect: Bool
    }
    while true {
      let work = shared.wait { state -> Work?? in
        if state.failure == nil, let block = state.queue.first {
          state.queue.removeFirst()
          return Work(block: block, offset: state.written, descriptor: state.descriptor, isDirect: state.isDirect)
        }
        guard state.isEnding || state.failure != nil else { return nil }
        state.threadEnded = true
        return .some(nil)
      }
      guard let work else { return }
      // None of them is used again before it is written: those before this one are, and this one is when they are set free.
      let done = observe(work.block, false)
      var failure: Errno?
      var stayedDirect = work.isDirect
      do throws(Errno) {
        do throws(Errno) {
          try write(work.block, to: work.descriptor, at: work.offset)
        } catch {
          // Some file systems take the flag at opening and refuse the write.
          guard error == .invalidArgument, work.isDirect else { throw error }
          try SystemCall.clearDirectWriting(work.descriptor)
          stayedDirect = false
          try write(work.block, to: work.descriptor, at: work.offset)
        }
      } catch {
        failure = error
      }
      shared.withLock { state in
        state.isDirect = stayedDirect
        if let failure {
          state.failure = .write(path, failure)
        } else {
          state.written += UInt64(work.block.count)
          state.free += done
        }
      }
    }
  }

  private static func write(_ block: AlignedBuffer, to descriptor: CInt, at offset: UInt64) throws(Errno) {
    var done = 0
    while done < block.count {
      done += try unsafe SystemCall.pwrite(
        descriptor, block.start + done, block.count - done, at: offset + UInt64(done))
    }
  }
}
