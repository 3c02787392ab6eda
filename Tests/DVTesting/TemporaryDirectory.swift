public import DVFile
public import SystemPackage

/// Runs `body` with a new empty directory, and removes it with all that is in it.
public func withTemporaryDirectory<R>(_ body: (FilePath) async throws -> R) async throws -> R {
  let directory = try TemporaryDirectory.forTest()
  return try await body(directory.path)
}

/// Runs `body` with a new empty directory, and removes it with all that is in it.
public func withTemporaryDirectory<R>(_ body: (FilePath) throws -> R) throws -> R {
  let directory = try TemporaryDirectory.forTest()
  return try body(directory.path)
}

extension TemporaryDirectory {
  /// Creates one where the system keeps what is temporary.
  public static func forTest() throws(FileError) -> TemporaryDirectory { try TemporaryDirectory(in: "/tmp") }
}
