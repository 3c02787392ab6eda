public import SystemPackage

extension FilePath {
  /// Creates a path from its bytes as the kernel knows them; they end at the first NUL, if there is one.
  public init(rawBytes: some Sequence<UInt8>) {
    var characters = rawBytes.map { CChar(bitPattern: $0) }
    characters.append(0)
    self = unsafe characters.withUnsafeBufferPointer { unsafe FilePath(platformString: $0.baseAddress!) }
  }

  /// The path as the kernel knows it, without a NUL at the end.
  public var rawBytes: [UInt8] {
    unsafe withPlatformString { text in
      var bytes: [UInt8] = []
      var position = unsafe text
      while unsafe position.pointee != 0 {
        bytes.append(unsafe UInt8(bitPattern: position.pointee))
        unsafe position += 1
      }
      return bytes
    }
  }

  /// Returns this path with one more component, given as its raw bytes.
  public func appending(name: [UInt8]) -> FilePath {
    var bytes = rawBytes
    if let last = bytes.last, last != UInt8(ascii: "/") { bytes.append(UInt8(ascii: "/")) }
    return FilePath(rawBytes: bytes + name)
  }

  /// The directory that holds the last component; `.` for a path of one component.
  public var containingDirectory: FilePath {
    let parent = removingLastComponent()
    return parent.isEmpty ? "." : parent
  }

  /// Runs `body` with the path as a C string.
  func withPath<R>(_ body: (UnsafePointer<CChar>) throws(Errno) -> R) throws(Errno) -> R {
    // `withPlatformString` is not declared with a typed throw, so the outcome comes out as a value.
    try unsafe withPlatformString { text -> Result<R, Errno> in
      do throws(Errno) { return .success(try unsafe body(text)) } catch { return .failure(error) }
    }.get()
  }
}

/// Runs `body` with `name` as a C string.
///
/// - Throws: `Errno.invalidArgument` if `name` is not one component: empty, `.`, `..`, or with a `/` or NUL in it;
///   `Errno.fileNameTooLong` where no file system could
///   take it.
func withName<R>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) throws(Errno) -> R) throws(Errno) -> R {
  guard name.count < 4096 else { throw .fileNameTooLong }
  var characters: [CChar] = []
  characters.reserveCapacity(name.count + 1)
  for byte in name {
    guard byte != 0, byte != UInt8(ascii: "/") else { throw .invalidArgument }
    characters.append(CChar(bitPattern: byte))
  }
  guard !name.isEmpty, name != [UInt8(ascii: ".")], name != [UInt8(ascii: "."), UInt8(ascii: ".")] else {
    throw .invalidArgument
  }
  characters.append(0)
  return try unsafe characters.withUnsafeBufferPointer { buffer throws(Errno) in
    try unsafe body(buffer.baseAddress!)  // never nil: there is at least the NUL
  }
}
