public import SystemPackage

extension FilePath {
  /// Reads a file of `/proc` or `/sys`, which says that it has no bytes and is read to its end.
  ///
  /// - Throws: ``FileError``; `input` if it has more than `limit` bytes.
  public func readKernelFile(limit: Int) throws(FileError) -> [UInt8] {
    let reader = try FileReader(self, followingLink: true)
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = try reader.read(into: &buffer)
      if count == 0 { return all }
      all += buffer[..<count]
      guard all.count <= limit else {
        throw FileError(code: .input, path: self, message: "'\(printable)' has more than \(limit) bytes.")
      }
    }
  }
}
