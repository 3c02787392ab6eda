extension TreeNode {
  /// Decodes and checks a node.
  ///
  /// All is refused that no encoder writes: a wrong order or name, totals that are not the sum, unknown modes, bytes left
  /// over. Whether nodes end where the cut rule says needs a hash per name: see ``checkCuts(isLast:)``.
  ///
  /// - Parameter isRoot: Whether the bytes are known to be a whole tree's root, which above level 0 names two nodes or more.
  ///   A node below the root is held to what is said of it with ``check(as:ofLevel:after:)``.
  /// - Throws: ``ObjectFormatError``; `.unsupported` for another version of the format.
  /// - Complexity: O(*n*) and one allocation.
  public init(decoding bytes: [UInt8], isRoot: Bool = false) throws(ObjectFormatError) {
    let span = bytes.span
    let (level, count) = try Self.header(of: span)
    guard !isRoot || level == 0 || count > 1 else {
      throw .malformed("The root of a tree has level \(level) but one node below it, which then is the root itself.")
    }
    var offsets: [UInt32] = []
    // At most 8192, as the header was checked: never more memory than 32 KiB.
    offsets.reserveCapacity(count)
    var offset = Self.headerLength
    var sum = TreeTotals()
    var previous = 0..<0
    for index in 0..<count {
      let item = try Self.checkItem(of: span, at: offset, level: level, index: index)
      if index > 0, !span.extracting(previous).precedes(span.extracting(item.name)) {
        throw ObjectFormatError(
          .order, "In a tree node, '\(span.extracting(item.name).text)' does not come after '\(span.extracting(previous).text)'.")
      }
      try sum.add(item.totals)
      previous = item.name
      offsets.append(UInt32(offset))
      offset = item.name.upperBound
    }
    guard offset == span.count else {
      throw .wrongLength(of: "A tree node with \(count) items", expected: offset, actual: span.count)
    }
    let totals = TreeTotals(files: span.bigEndian(UInt64.self, at: 16), bytes: span.bigEndian(UInt64.self, at: 24))
    guard sum == totals else {
      throw .malformed(
        "The items of a tree node have \(sum.files) files and \(sum.bytes) bytes, "
          + "its header says \(totals.files) and \(totals.bytes).")
    }
    self.init(encoded: bytes, level: level, totals: totals, offsets: offsets)
  }

  /// Throws unless this node is what an item of the node above says of it.
  ///
  /// - Parameters:
  ///   - item: The item above whose ID led here.
  ///   - parentLevel: The level of the node that holds the item.
  ///   - previous: The item before it, if there is one: all names of this node come after the last one in there.
  /// - Throws: ``ObjectFormatError``
  public func check(as item: Item, ofLevel parentLevel: Int, after previous: Item?) throws(ObjectFormatError) {
    guard level == parentLevel - 1 else {
      throw .malformed("A tree node has level \(level) where level \(parentLevel - 1) belongs.")
    }
    guard totals == item.totals else {
      throw .malformed(
        "A tree node has \(totals.files) files and \(totals.bytes) bytes, the node above says \(item.files) and \(item.size).")
    }
    guard count > 0, items[count - 1].name == item.name else {
      throw ObjectFormatError(.order, "A tree node does not end with the name '\(item.name.span.text)' that the node above says.")
    }
    if level == 0, let previous, !previous.name.span.precedes(encoded.span.extracting(nameRange(at: 0))) {
      throw ObjectFormatError(.order, "A tree node begins with a name that belongs before '\(previous.name.span.text)'.")
    }
  }

  /// Throws unless the node ends where the cut rule says: after the first item from the 64th on whose name is an end, or at
  /// the 8192nd.
  ///
  /// A node that fails holds the right content under a name that no encoder would give it.
  ///
  /// - Parameter isLast: Whether no node of this level follows, so that the node may end anywhere.
  /// - Complexity: One SHA-256 per item from the 64th on.
  public func checkCuts(isLast: Bool) throws(ObjectFormatError) {
    try checkCuts(isLast: isLast, by: .standard)
  }

  func checkCuts(isLast: Bool, by cut: TreeCut) throws(ObjectFormatError) {
    for index in items.indices.dropFirst(cut.minimumCount - 1) {
      let ends = cut.ends(count: index + 1, name: encoded.span.extracting(nameRange(at: index)), level: level)
      guard ends == (index == count - 1) || (isLast && !ends) else {
        throw .malformed("A tree node of level \(level) with \(count) items does not end where the format says.")
      }
    }
    guard isLast || count >= cut.minimumCount else {
      throw .malformed("A tree node of level \(level) ends after \(count) items, though others follow.")
    }
  }

  private static func header(of bytes: Span<UInt8>) throws(ObjectFormatError) -> (level: Int, count: Int) {
    guard bytes.count >= headerLength else {
      throw .malformed("A tree node of \(bytes.count) bytes is cut short: its header alone has \(headerLength).")
    }
    guard bytes.count <= maximumByteCount else {
      throw ObjectFormatError(.tooLarge, "A tree node of \(bytes.count) bytes: at most \(maximumByteCount) are allowed.")
    }
    for (index, byte) in magic.enumerated() where bytes[index] != byte {
      // The digit of the version is the last but one byte of the magic.
      guard index < 8 else {
        throw ObjectFormatError(.unsupported, "A tree node of another version: this dv reads version 1. Use a newer dv.")
      }
      throw .malformed("A tree node begins with 'dv-tree 1'; these bytes do not.")
    }
    let level = Int(bytes[10])
    let count = Int(bytes.bigEndian(UInt32.self, at: 12))
    guard level <= maximumLevel else {
      throw ObjectFormatError(.tooLarge, "A tree node of level \(level): the highest is \(maximumLevel).")
    }
    guard bytes[11] == 0 else { throw .malformed("Byte 11 of a tree node is \(bytes[11]), expected 0.") }
    guard count <= maximumCount else {
      throw ObjectFormatError(.tooLarge, "A tree node with \(count) items: at most \(maximumCount) are allowed.")
    }
    guard level == 0 || count > 0 else { throw .malformed("A tree node of level \(level) without items.") }
    return (level, count)
  }

  /// Checks the item at `offset` by itself, and returns what it adds and where its name lies.
  private static func checkItem(
    of bytes: Span<UInt8>, at offset: Int, level: Int, index: Int
  ) throws(ObjectFormatError) -> (totals: TreeTotals, name: Range<Int>) {
    guard bytes.count - offset > itemHeaderLength else {
      throw .malformed("A tree node is cut short within item \(index).")
    }
    let mode = bytes[offset]
    let start = offset + itemHeaderLength
    let length = Int(bytes[offset + 1])
    guard bytes.count - start >= length else {
      throw .malformed("A tree node is cut short within the name of item \(index).")
    }
    let name = bytes.extracting(start..<start + length)
    try TreeName.check(name)
    let totals = TreeTotals(
      files: bytes.bigEndian(UInt64.self, at: offset + 10), bytes: bytes.bigEndian(UInt64.self, at: offset + 2))
    guard level == 0 ? (1...4).contains(mode) : mode == 0 else {
      throw .malformed("Item \(index) ('\(name.text)') of a tree node of level \(level) has mode \(mode).")
    }
    guard level > 0 || mode == EntryMode.directory.rawValue || totals.files == 1 else {
      throw .malformed("Item \(index) ('\(name.text)') of a tree node is a file that counts as \(totals.files).")
    }
    return (totals, start..<start + length)
  }
}
