extension Pointer {
  /// Reads a pointer, accepting its one encoding only.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - name: What to call it in messages, such as its path; asked for only if it is no pointer.
  /// - Throws: ``ObjectFormatError`` with the name, the line, what was expected and the remedy; code `.conflicted` if git
  ///   left conflict markers in it, `.unsupported` if it is of another version, `.tooLarge` above 1 KiB.
  public init(parsing bytes: Span<UInt8>, named name: @autoclosure () -> String) throws(ObjectFormatError) {
    guard let pointer = Self(canonical: bytes) else { throw Self.flaw(in: bytes, named: name()) }
    self = pointer
  }

  /// Returns what is wrong with bytes that are no pointer.
  private static func flaw(in bytes: Span<UInt8>, named name: String) -> ObjectFormatError {
    do throws(ObjectFormatError) {
      try check(bytes, named: name)
      return ObjectFormatError(.malformed, "'\(name)' is not written as a pointer is. Make it anew with 'dv add'.")
    } catch { return error }
  }

  /// Goes through the lines and throws at the first that is not as it must be.
  private static func check(_ bytes: Span<UInt8>, named name: String) throws(ObjectFormatError) {
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
    let kind = try lines.value(of: "kind")
    guard kind == "file" || kind == "tree" else { throw lines.malformed("kind is '\(kind)', expected 'file' or 'tree'.") }
    if kind == "file", lines.hasNext("mode") {
      let mode = try lines.value(of: "mode")
      guard mode == "exec" else { throw lines.malformed("mode is '\(mode)', expected 'exec' or no such line.") }
    }
    _ = try lines.id(of: "oid")
    _ = try lines.number(of: "size", unit: "bytes")
    if kind == "tree" { _ = try lines.number(of: "files", unit: "files") }
    if lines.hasNext("run") { _ = try lines.id(of: "run") }
    try lines.end()
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
