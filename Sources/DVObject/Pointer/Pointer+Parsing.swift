extension Pointer {
  /// Reads a pointer, accepting its one encoding only.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - name: What to call it in messages, such as its path.
  /// - Throws: ``ObjectFormatError`` with the name, the line, what was expected and the remedy; code `.conflicted` if git
  ///   left conflict markers in it, `.unsupported` if it is of another version, `.tooLarge` above 1 KiB.
  public init(parsing bytes: Span<UInt8>, named name: String) throws(ObjectFormatError) {
    if let pointer = Self(canonical: bytes) {
      self = pointer
      return
    }
    // What is no pointer is read line by line, to tell what is wrong with it.
    // First: with the texts of both sides in it, a pointer may be longer than one is allowed to be.
    if bytes.count <= Self.maximumByteCount || PointerLines.beginsPointer(bytes) {
      let head = bytes.extracting(first: Self.maximumByteCount)
      if let line = PointerLines.conflictLine(in: head) {
        throw ObjectFormatError(
          .conflicted,
          "'\(name)' line \(line): a merge left conflict markers. Take one side with 'git checkout --ours' or '--theirs', "
            + "then 'git add' it; if a run made it, merge the inputs and run 'dv repro'.")
      }
    }
    guard bytes.count <= Self.maximumByteCount else {
      throw ObjectFormatError(
        .tooLarge,
        "'\(name)' is no pointer: it has \(bytes.count) bytes, a pointer at most \(Self.maximumByteCount). "
          + "If it is data of your own, give it a name that does not end in '.dv'.")
    }
    var lines = PointerLines(bytes, name: name)
    let version = try lines.value(of: "dv-pointer")
    guard version == "1" else {
      throw lines.unsupported("pointer version '\(version)', this dv reads version 1. Use a newer dv.")
    }
    let kindText = try lines.value(of: "kind")
    guard kindText == "file" || kindText == "tree" else {
      throw lines.malformed("kind is '\(kindText)', expected 'file' or 'tree'.")
    }
    var executable = false
    if kindText == "file", lines.hasNext("mode") {
      let mode = try lines.value(of: "mode")
      guard mode == "exec" else { throw lines.malformed("mode is '\(mode)', expected 'exec' or no such line.") }
      executable = true
    }
    let oid = try lines.id(of: "oid")
    let size = try lines.number(of: "size", unit: "bytes")
    let files = kindText == "tree" ? try lines.number(of: "files", unit: "files") : nil
    let run = try lines.hasNext("run") ? lines.id(of: "run") : nil
    try lines.end()

    if let files {
      self.init(tree: oid, totals: TreeTotals(files: files, bytes: size), run: run)
    } else {
      self.init(file: oid, size: size, executable: executable, run: run)
    }
  }

  /// Reads a pointer; `nil` if it is none.
  private init?(canonical bytes: Span<UInt8>) {
    guard bytes.count <= Self.maximumByteCount else { return nil }
    var text: [UInt8] = []
    text.append(span: bytes)
    var cursor = TextCursor(text)
    guard cursor.takes("dv-pointer 1\nkind ") else { return nil }
    let isTree = cursor.takes("tree\n")
    guard isTree || cursor.takes("file\n") else { return nil }
    let executable = !isTree && cursor.takes("mode exec\n")
    guard cursor.takes("oid "), let oid = cursor.objectID(), cursor.takes("\nsize "), let size = cursor.number(),
      cursor.takes("\n")
    else { return nil }
    var totals: TreeTotals?
    if isTree {
      guard cursor.takes("files "), let files = cursor.number(), cursor.takes("\n") else { return nil }
      totals = TreeTotals(files: files, bytes: size)
    }
    var run: ObjectID?
    if cursor.takes("run ") {
      guard let id = cursor.objectID(), cursor.takes("\n") else { return nil }
      run = id
    }
    guard cursor.rest == 0 else { return nil }
    if let totals { self.init(tree: oid, totals: totals, run: run) } else {
      self.init(file: oid, size: size, executable: executable, run: run)
    }
  }
}
