import DVObject

extension Pointer {
  /// How much a pointer stands for: `2.1 GB in 100,000 files`, `512 B`.
  var sizeText: String {
    let size = "\(ByteCount(self.size))"
    return files.map { "\(size) in \(Count($0).of("file"))" } ?? size
  }
}

extension Pointer.Kind {
  /// The kind as it stands in a pointer and in JSON.
  var text: String {
    switch self {
    case .file: "file"
    case .tree: "tree"
    }
  }
}

extension EntryMode {
  /// What an entry is, in four letters at most, as in a list and in JSON.
  var text: String {
    switch self {
    case .file: "file"
    case .executable: "exec"
    case .symlink: "link"
    case .directory: "dir"
    }
  }
}
