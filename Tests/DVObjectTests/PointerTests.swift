import DVObject
import DVTesting
import Testing

/// Test vectors: `docs/format/pointer.md`.
@Suite struct PointerTests {
  static let oid = ObjectID(hashing: Array("abc".utf8).span)
  static let run = ObjectID(hashing: Array("run".utf8).span)

  static let file = """
    dv-pointer 1
    kind file
    oid sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
    size 3

    """
  static let program = """
    dv-pointer 1
    kind file
    mode exec
    oid sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
    size 3
    run sha256:acba25512100f80b56fc3ccd14c65be55d94800cda77585c5f41a887e398f9be

    """
  static let tree = """
    dv-pointer 1
    kind tree
    oid sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
    size 18446744073709551615
    files 100000

    """
  static let texts = [file, program, tree]
  static let pointers = [
    Pointer(file: oid, size: 3),
    Pointer(file: oid, size: 3, executable: true, run: run),
    Pointer(tree: oid, totals: TreeTotals(files: 100_000, bytes: .max)),
  ]

  static func parse(_ text: String) throws -> Pointer {
    try Pointer(parsing: Array(text.utf8).span, named: "data.dv")
  }

  @Test(arguments: zip(texts, pointers))
  func vectors(text: String, pointer: Pointer) throws {
    #expect(String(decoding: pointer.encoded(), as: UTF8.self) == text)
    #expect(try Self.parse(text) == pointer)
    #expect(pointer.withoutRun.run == nil)
    #expect(pointer.withoutRun.oid == pointer.oid)
  }

  /// Each message names the file, the line and what was expected.
  @Test(arguments: [
    ("", "'data.dv' line 1: the file ends here, expected 'dv-pointer'."),
    ("hello\n", "'data.dv' line 1: found 'hello', expected 'dv-pointer 1'."),
    ("version https://git-lfs.github.com/spec/v1\n", "'data.dv' line 1: found 'version https://git-lfs.github.com/spec/v1', expected 'dv-pointer 1'."),
    ("dv-pointer 2\nkind new\n", "'data.dv' line 1: pointer version '2', this dv reads version 1. Use a newer dv."),
    (file.replacing("kind file", "kind link"), "'data.dv' line 2: kind is 'link', expected 'file' or 'tree'."),
    (file.replacing("kind file\n", "kind file\nmode rwx\n"), "'data.dv' line 3: mode is 'rwx', expected 'exec' or no such line."),
    (tree.replacing("kind tree\n", "kind tree\nmode exec\n"), "'data.dv' line 3: found 'mode exec', expected 'oid …'."),
    (file.replacing("sha256:ba", "sha256:BA"), "'data.dv' line 3: oid is 'sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', expected 'sha256:' and 64 lowercase hex digits."),
    (file.replacing("size 3", "size 12kb"), "'data.dv' line 4: size is '12kb', expected a number of bytes."),
    (file.replacing("size 3", "size 03"), "'data.dv' line 4: size is '03', expected a number of bytes."),
    (file.replacing("size 3", "size +3"), "'data.dv' line 4: size is '+3', expected a number of bytes."),
    (tree.replacing("551615", "551616"), "'data.dv' line 4: size is '18446744073709551616', expected a number of bytes."),
    (tree.replacing("files 100000", "files -1"), "'data.dv' line 5: files is '-1', expected a number of files."),
    (file.replacing("size 3", "size  3"), "'data.dv' line 4: ' 3' has a space or another character that no pointer has."),
    (file + "files 1\n", "'data.dv' line 5: found 'files 1', expected the end of the file."),
    (file + "\n", "'data.dv' line 5: found '', expected the end of the file."),
    (String(file.dropLast()), "'data.dv' line 4: the line does not end with a line feed; the file may be cut short."),
    (file.replacing("\n", "\r\n"), "'data.dv' line 1: the line ends with CR LF, expected LF. Put '*.dv -text' into .gitattributes."),
    ("\u{FEFF}" + file, "'data.dv' line 1: found '\u{FEFF}dv-pointer 1', expected 'dv-pointer 1'."),
    (file + "run x\u{1B}[2J\n", "'data.dv' line 5: 'x?[2J' has a space or another character that no pointer has."),
  ])
  func messages(text: String, message: String) {
    let error = #expect(throws: ObjectFormatError.self) { try Self.parse(text) }
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    #expect(error?.code == (message.contains("newer") ? .unsupported : .malformed))
  }

  @Test func tooLargeIsRefused() {
    let error = #expect(throws: ObjectFormatError.self) { try Self.parse(String(repeating: "x", count: 1025)) }
    #expect(error?.code == .tooLarge)
    let longLine = #expect(throws: ObjectFormatError.self) { try Self.parse(String(repeating: "x", count: 1024)) }
    #expect(longLine?.code == .malformed)
  }

  @Test(arguments: ["<<<<<<< HEAD", "=======", ">>>>>>> branch", "||||||| base"])
  func conflictsAreRecognised(marker: String) {
    for place in 0..<4 {
      var lines = Self.file.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      lines.insert(marker, at: place)
      let error = #expect(throws: ObjectFormatError.self) { try Self.parse(lines.joined(separator: "\n")) }
      #expect(error?.code == .conflicted)
      #expect(error?.message.hasPrefix("'data.dv' line \(place + 1): a merge left conflict markers.") == true)
    }
    let long = "dv-pointer 1\n\(marker)\n" + String(repeating: "x\n", count: 1000)
    #expect(#expect(throws: ObjectFormatError.self) { try Self.parse(long) }?.code == .conflicted)
    #expect(#expect(throws: ObjectFormatError.self) { try Self.parse(marker + String(repeating: "x\n", count: 1000)) }?.code == .tooLarge)
  }

  /// Whatever happens to the bytes, the parser refuses them or they are the one encoding of what it read.
  @Test(arguments: 0..<20)
  func changedBytesAreRefusedOrCanonical(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for text in Self.texts {
      let original = Array(text.utf8)
      for index in 0..<original.count {
        var bytes = original
        switch Int.random(in: 0...4, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[index] = Array("0123456789abcdef \nAF-+".utf8).randomElement(using: &random)!
        case 2: bytes.remove(at: index)
        case 3: bytes.insert(bytes[index], at: index)
        default: bytes.removeSubrange(index..<Int.random(in: index...bytes.count, using: &random))
        }
        guard let pointer = try? Pointer(parsing: bytes.span, named: "x") else { continue }
        #expect(pointer.encoded() == bytes)
      }
    }
  }
}

extension String {
  fileprivate func replacing(_ old: String, _ new: String) -> String { replacing(old, with: new) }
}
