public import SystemPackage

extension FilePath {
  /// Replaces this file's content, so that a reader or a crash finds the old bytes or the new.
  ///
  /// The bytes go to a temporary file in the same directory and take this name with `rename(2)`. A durable replacement
  /// syncs the file before and the directory after, without which a crash could lose the bytes or the new name.
  ///
  /// - Parameters:
  ///   - mode: The permission bits of the new file, exactly; `nil` for those that the umask leaves of `0o666`.
  ///   - durable: Whether to wait for the disk. A file that can be made again, such as one of the workspace, need not.
  /// - Throws: ``FileError``; the old file is untouched unless only the last step, syncing the directory, failed.
  public func replaceContent(with bytes: Span<UInt8>, mode: UInt32? = nil, durable: Bool = true) throws(FileError) {
    let directory = containingDirectory
    let temporary = directory.appending(RandomName.temporary())
    let writer = try FileWriter(creating: temporary)
    do {
      try writer.write(bytes)
      if let mode { try writer.setMode(mode) }
      if durable { try writer.synchronize() }
      try writer.close()
      try temporary.rename(to: self)
    } catch {
      try? temporary.removeFile()
      throw error
    }
    if durable { try directory.synchronizeDirectory() }
  }

  /// Creates this file with these bytes; of two that try, one wins.
  ///
  /// - Throws: ``FileError`` with code `exists` if the name is taken; what has it is untouched then.
  public func createContent(_ bytes: Span<UInt8>, mode: UInt32? = nil, durable: Bool = true) throws(FileError) {
    let directory = containingDirectory
    let temporary = directory.appending(RandomName.temporary())
    let writer = try FileWriter(creating: temporary)
    do {
      try writer.write(bytes)
      if let mode { try writer.setMode(mode) }
      if durable { try writer.synchronize() }
      try writer.close()
      try temporary.renameNoReplace(to: self)
    } catch {
      try? temporary.removeFile()
      throw error
    }
    if durable { try directory.synchronizeDirectory() }
  }

  /// Creates `copy`, which must not exist, as a clone of this file that shares its bytes on the disk.
  ///
  /// - Returns: `false`, with nothing created, where the file system cannot clone.
  public func reflink(to copy: FilePath, mode: UInt32 = 0o666) throws(FileError) -> Bool {
    let reader = try FileReader(self)
    let writer = try FileWriter(creating: copy, mode: mode)
    do {
      guard try writer.clone(from: reader) else {
        try copy.removeFile()
        return false
      }
      try writer.close()
      return true
    } catch {
      try? copy.removeFile()
      throw error
    }
  }

  /// Creates `copy`, which must not exist, with this file's bytes, showing each piece to `observe` on the way.
  ///
  /// - Parameters:
  ///   - mode: Permission bits of the copy, less the umask.
  ///   - durable: Whether to wait until its bytes are on the disk. Its name is the caller's to sync.
  /// - Returns: how many bytes were copied.
  /// - Throws: ``FileError``; a copy begun is removed.
  @discardableResult
  public func copy(
    to copy: FilePath, mode: UInt32 = 0o666, durable: Bool = false, observe: (Span<UInt8>) -> Void = { _ in }
  ) throws(FileError) -> UInt64 {
    let reader = try FileReader(self)
    reader.expectSequentialReading()
    let writer = try FileWriter(creating: copy, mode: mode)
    do {
      let total = try writer.write(allOf: reader, observe: observe)
      if durable { try writer.synchronize() }
      try writer.close()
      return total
    } catch {
      try? copy.removeFile()
      throw error
    }
  }
}

extension FileWriter {
  /// Appends what is left of `reader`, showing each piece of up to 1 MiB to `observe`.
  ///
  /// - Returns: how many bytes that were.
  @discardableResult
  public func write(
    allOf reader: borrowing FileReader, observe: (Span<UInt8>) -> Void = { _ in }
  ) throws(FileError) -> UInt64 {
    let buffer = AlignedBuffer(capacity: 1 << 20)
    var total: UInt64 = 0
    while true {
      try reader.read(into: buffer)
      if buffer.count == 0 { return total }
      try buffer.withSpan { bytes throws(FileError) in
        observe(bytes)
        try write(bytes)
      }
      total += UInt64(buffer.count)
    }
  }
}
