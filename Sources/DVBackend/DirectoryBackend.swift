public import DVFile
public import DVObject
import Synchronization
public import SystemPackage

/// A backend in a directory, which may be on a network file system and shared by several users.
///
/// A key is the path of a file below the root. A value is written to `tmp/` under the root, synced, and renamed to its
/// place; then the directory is synced. Nothing follows a symbolic link below the root: who may write there cannot make
/// another's dv read or write elsewhere.
public final class DirectoryBackend: Backend {
  /// The directory that holds everything.
  public let root: FilePath
  let directory: DirectoryHandle
  let durable: Bool
  let sharing: DirectorySharing
  let openFiles = DescriptorCache(limit: 32)
  /// Directories whose own names are known to be on the disk. Bounded by the layout, which has a few hundred.
  let durableDirectories = Mutex<Set<String>>([])

  /// Opens the directory `root`.
  ///
  /// - Parameters:
  ///   - create: Whether to make it, and those above it, if it is missing.
  ///   - durable: Whether to wait for the disk. Without, a crash of the machine may lose what was stored.
  ///   - sharing: Who besides the owner may use what is stored.
  /// - Throws: ``BackendError`` with code `notFound` if it is missing and `create` is false.
  public init(
    root: FilePath, create: Bool = false, durable: Bool = true, sharing: DirectorySharing = .none
  ) throws(BackendError) {
    self.root = root
    self.durable = durable
    self.sharing = sharing
    do throws(FileError) {
      if create, try root.fileStatFollowingLinks() == nil {
        try root.createDirectories(durable: durable)
        try root.setMode(sharing.directoryMode)
      }
      directory = try DirectoryHandle(root, followingLink: true)
    } catch {
      throw Self.cannotOpen(root, error)
    }
  }

  public var description: String { "'\(root.printable)'" }

  public var answersAtOnce: Bool { true }

  private static func cannotOpen(_ root: FilePath, _ error: FileError) -> BackendError {
    switch error.code {
    case .notFound:
      BackendError(
        .notFound,
        message:
          "The directory '\(root.printable)' does not exist. Check the path, mount it if it is a network drive, or create it.",
        cause: error)
    case .notDirectory:
      BackendError(.invalid, message: "'\(root.printable)' is not a directory. Check the path.", cause: error)
    default:
      BackendError(
        BackendError.Code(error), message: "Cannot open the directory '\(root.printable)': \(error.reason)", cause: error)
    }
  }

  // MARK: - Reading

  public func get(_ key: BackendKey) async throws(BackendError) -> [UInt8]? {
    try await run("read", key) { () throws(FileError) -> Result<[UInt8], BackendError>? in
      guard let reader = try self.open(key) else { return nil }
      let size = try reader.stat().size
      guard size <= BackendError.wholeReadLimit else {
        return .failure(.tooLarge(key, size, in: self.description))
      }
      var bytes: [UInt8] = []
      try reader.readAll(into: &bytes)
      return .success(bytes)
    }?.get()
  }

  public func get(_ key: BackendKey, range: Range<UInt64>) async throws(BackendError) -> [UInt8]? {
    guard range.upperBound - range.lowerBound <= BackendError.wholeReadLimit else {
      throw .tooLarge(key, range.upperBound - range.lowerBound, in: description)
    }
    return try await run("read", key) { () throws(FileError) -> Result<[UInt8], BackendError>? in
      guard let file = try self.openForRanges(key) else { return nil }
      guard range.upperBound <= file.size else {
        return .failure(.tooShort(key, range, size: file.size, in: self.description))
      }
      let count = Int(range.upperBound - range.lowerBound)
      // Long ranges are of packs, which are read through; tables and single objects are short and looked at again.
      let bytes = try file.reader.read(at: range.lowerBound, count: count, once: count >= 1 << 20)
      guard bytes.count == count else {
        return .failure(.tooShort(key, range, size: range.lowerBound + UInt64(bytes.count), in: self.description))
      }
      return .success(bytes)
    }?.get()
  }

  public func fetch(_ key: BackendKey, into file: FilePath) async throws(BackendError) -> ObjectID? {
    try await run("fetch", key) { () throws(FileError) -> ObjectID? in
      guard let reader = try self.open(key) else { return nil }
      reader.expectSequentialReading()
      let writer = try FileWriter(creating: file)
      do throws(FileError) {
        var digest = Digest()
        try writer.write(allOf: reader) { digest.update($0) }
        try writer.synchronize()
        try writer.close()
        return digest.finish()
      } catch {
        try? file.removeFile()
        throw error
      }
    }
  }

  public func size(of key: BackendKey) async throws(BackendError) -> UInt64? {
    try await run("look at", key) { () throws(FileError) -> UInt64? in
      guard let reader = try self.open(key) else { return nil }
      return try reader.stat().size
    }
  }

  /// Opens the file of `key`, or returns `nil` if there is none.
  private func open(_ key: BackendKey) throws(FileError) -> FileReader? {
    do throws(FileError) {
      return try directory.openFile(beneath: FilePath(key.text))
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
  }

  private func openForRanges(_ key: BackendKey) throws(FileError) -> DescriptorCache.File? {
    if !key.isReplaceable, let file = try openFiles.file(for: key) { return file }
    guard let reader = try open(key) else { return nil }
    let file = try DescriptorCache.File(reader)
    if !key.isReplaceable { openFiles.keep(file, for: key) }
    return file
  }

  // MARK: - Removing

  public func delete(_ key: BackendKey) async throws(BackendError) {
    openFiles.forget(key)
    try await run("delete", key) { () throws(FileError) in
      var parts = key.parts
      let name = Array(parts.removeLast().utf8)
      do throws(FileError) {
        guard !parts.isEmpty else { return try self.directory.removeFile(name: name) }
        let parent = try self.directory.openDirectory(beneath: FilePath(parts.joined(separator: "/")))
        try parent.removeFile(name: name)
        if self.durable { try parent.synchronize() }
      } catch {
        if error.code == .notFound { return }
        throw error
      }
    }
  }

  // MARK: - Time

  public func clock() async throws(BackendError) -> Int64 {
    try await run("read the clock of", nil) { () throws(FileError) -> Int64 in
      let temporaries = try self.openTemporaries()
      let name = Array(RandomName.temporary().utf8)
      let writer = try temporaries.createFile(name: name)
      defer { try? temporaries.removeFile(name: name) }
      return try writer.stat().modified.seconds
    }
  }

  // MARK: - Errors

  /// Runs `body` where it may block and says what was being done if it fails.
  func run<R: Sendable>(
    _ verb: String, _ key: BackendKey?, _ body: @escaping @Sendable () throws(FileError) -> R
  ) async throws(BackendError) -> R {
    do throws(FileError) {
      return try await BlockingThreads.run(body)
    } catch {
      throw failure(verb, key, error)
    }
  }

  func failure(_ verb: String, _ key: BackendKey?, _ error: FileError) -> BackendError {
    let object = key.map { "'\($0)' in " } ?? ""
    return BackendError(
      BackendError.Code(error), key: key, message: "Cannot \(verb) \(object)\(description): \(error.reason)", cause: error)
  }
}

extension BackendError.Code {
  /// What a failure of the file system means for whoever uses a backend.
  public init(_ error: FileError) {
    self =
      switch error.code {
      case .denied, .readOnly: .denied
      case .noSpace: .noSpace
      case .input: .invalid
      // A link, a pipe or a directory where a value must be, or the other way round.
      case .symlink, .notRegular, .isDirectory, .notDirectory, .corrupt, .changed: .corrupt
      default: .unreachable
      }
  }
}
