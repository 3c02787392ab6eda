public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension DirectoryHandle {
  /// Opens the regular file at `relative`, a path below this directory, following no symbolic link on the way.
  ///
  /// - Complexity: two system calls with Linux 5.6, one more for each component before.
  public func openFile(beneath relative: FilePath) throws(FileError) -> FileReader {
    let path = path.appending(relative.components)
    let opened: CInt
    do throws(Errno) {
      opened = try openBeneath(relative, O_RDONLY | O_NONBLOCK | O_NOCTTY)
    } catch {
      throw .open(path, error)
    }
    return try FileReader(Descriptor(opened), path: path)
  }

  /// Opens the directory at `relative`, a path below this directory, following no symbolic link on the way.
  public func openDirectory(beneath relative: FilePath) throws(FileError) -> DirectoryHandle {
    let path = path.appending(relative.components)
    do throws(Errno) {
      let opened = try openBeneath(relative, O_RDONLY | O_DIRECTORY)
      return DirectoryHandle(Descriptor(opened), path: path)
    } catch {
      throw .open(path, error)
    }
  }

  private func openBeneath(_ relative: FilePath, _ flags: CInt) throws(Errno) -> CInt {
    guard !relative.isAbsolute, !relative.isEmpty else { throw .invalidArgument }
    do throws(Errno) {
      return try unsafe relative.withPath { text throws(Errno) in
        try unsafe SystemCall.openBeneath(number, text, flags | O_NOFOLLOW)
      }
    } catch {
      // Before Linux 5.6, and under some container rules, there is no such call.
      guard error == .noFunction || error == .notPermitted else { throw error }
      return try openStepByStep(relative, flags)
    }
  }

  /// Opens each component from the directory before it.
  func openStepByStep(_ relative: FilePath, _ flags: CInt) throws(Errno) -> CInt {
    let names = relative.components.map { FilePath(root: nil, [$0]).rawBytes }
    return try Self.open(names[...], flags, from: number)
  }

  private static func open(_ names: ArraySlice<[UInt8]>, _ flags: CInt, from directory: CInt) throws(Errno) -> CInt {
    guard let first = names.first else { throw .invalidArgument }
    let isLast = names.count == 1
    let opened = try unsafe withName(first) { text throws(Errno) in
      try unsafe SystemCall.open(directory, text, (isLast ? flags : O_RDONLY | O_DIRECTORY) | O_NOFOLLOW)
    }
    if isLast { return opened }
    let holder = Descriptor(opened)
    return try open(names.dropFirst(), flags, from: holder.number)
  }
}
