/// Which files programs opened, as `strace -f -y` writes it down: one system call per line, each with its process.
///
///     4711 openat(AT_FDCWD</srv/shop>, "data/a.csv", O_RDONLY|O_CLOEXEC) = 3</srv/shop/data/a.csv>
///     4712 openat(AT_FDCWD</srv/shop>, "model.bin", O_WRONLY|O_CREAT <unfinished ...>
///     4712 <... openat resumed>, 0666) = 4</srv/shop/model.bin>
///     4713 execve("/usr/bin/python3", ["python3", "train.py"], 0x7ffe… /* 20 vars */) = 0
///     4713 rename("model.tmp", "model.bin") = 0
///
/// What a call opened is read from its result, where the kernel names the file itself: by its whole path, without links,
/// whatever the process called it and wherever it stood. Other bytes than printable ASCII are in octal.
struct AccessLog {
  /// Absolute paths of files that were opened for reading.
  private(set) var reads: Set<[UInt8]> = []
  /// Absolute paths of files that were opened for writing, or got their name by renaming.
  private(set) var writes: Set<[UInt8]> = []
  /// Absolute paths of programs.
  private(set) var programs: Set<[UInt8]> = []
  /// Whether more files were opened than are counted.
  private(set) var isFull = false

  /// The most different paths that are kept.
  static let pathLimit = 200_000

  /// What a relative path without a descriptor is relative to: where the command was started.
  private let directory: [UInt8]
  private var unfinished: [ArraySlice<UInt8>: [UInt8]] = [:]

  init(directory: [UInt8]) { self.directory = directory }

  /// Takes in one line, without its line feed.
  mutating func add(_ line: ArraySlice<UInt8>) {
    guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { return }
    let process = line[..<space]
    var call = line[space...].drop { $0 == UInt8(ascii: " ") }
    if call.starts(with: "<... ".utf8) {
      guard let start = unfinished.removeValue(forKey: process), let end = Self.find(" resumed>", in: call) else { return }
      call = (start + call[(end + " resumed>".utf8.count)...])[...]
    } else if let cut = Self.findLast(" <unfinished ...>", in: call), cut + " <unfinished ...>".utf8.count == call.endIndex {
      if unfinished.count < 10_000 { unfinished[process] = Array(call[..<cut]) }
      return
    }
    guard let parenthesis = call.firstIndex(of: UInt8(ascii: "(")), let result = Self.findLast(" = ", in: call) else { return }
    let name = String(decoding: call[..<parenthesis], as: UTF8.self)
    let arguments = call[(parenthesis + 1)..<max(parenthesis + 1, result)]
    let value = call[(result + 3)...]
    switch name {
    case "open", "openat", "openat2", "creat":
      guard value.first != UInt8(ascii: "-"), let open = value.firstIndex(of: UInt8(ascii: "<")),
        let close = value.lastIndex(of: UInt8(ascii: ">")), open < close
      else { return }
      // Flags follow the path, which may contain anything.
      let quote = arguments.lastIndex(of: UInt8(ascii: "\"")) ?? arguments.startIndex
      let flags = arguments[quote...]
      guard Self.find("O_DIRECTORY", in: flags) == nil, Self.find("O_PATH", in: flags) == nil else { return }
      let path = Self.unescaped(value[(open + 1)..<close])
      let isWriting = name == "creat" || Self.find("O_WRONLY", in: flags) != nil || Self.find("O_RDWR", in: flags) != nil
      if isWriting { insert(path, into: \.writes) } else { insert(path, into: \.reads) }
    case "execve" where value.starts(with: "0".utf8):
      if let path = Self.quoted(arguments).first { insert(absolute(path), into: \.programs) }
    case "rename", "renameat", "renameat2":
      let paths = Self.quoted(arguments)
      guard value.starts(with: "0".utf8), paths.count == 2 else { return }
      // `AT_FDCWD</srv/shop>, "new"`: the descriptor before the last path names its directory.
      let base = name == "rename" ? nil : Self.lastDescriptor(arguments)
      insert(absolute(paths[1], base), into: \.writes)
    default: return
    }
  }

  private mutating func insert(_ path: [UInt8], into set: WritableKeyPath<AccessLog, Set<[UInt8]>>) {
    guard path.first == UInt8(ascii: "/") else { return }
    guard reads.count + writes.count + programs.count < Self.pathLimit else { return isFull = true }
    self[keyPath: set].insert(path)
  }

  private func absolute(_ path: [UInt8], _ base: [UInt8]? = nil) -> [UInt8] {
    path.first == UInt8(ascii: "/") ? path : (base ?? directory) + [UInt8(ascii: "/")] + path
  }

  // MARK: - Text

  /// The strings in quotes, unescaped, but for those in lists.
  private static func quoted(_ text: ArraySlice<UInt8>) -> [[UInt8]] {
    var found: [[UInt8]] = []
    var position = text.startIndex
    while position < text.endIndex, text[position] != UInt8(ascii: "[") {
      guard text[position] == UInt8(ascii: "\"") else {
        position += 1
        continue
      }
      var end = position + 1
      while end < text.endIndex, text[end] != UInt8(ascii: "\"") { end += text[end] == UInt8(ascii: "\\") ? 2 : 1 }
      found.append(unescaped(text[(position + 1)..<min(end, text.endIndex)]))
      position = end + 1
    }
    return found
  }

  /// The path of the last descriptor, `4</path>` or `AT_FDCWD</path>`.
  private static func lastDescriptor(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    guard let close = findLast(">, \"", in: text), let open = text[..<close].lastIndex(of: UInt8(ascii: "<")) else { return nil }
    return unescaped(text[(open + 1)..<close])
  }

  /// Takes back what strace does to bytes that are not printable: `\n`, `\"`, `\303` and the like.
  private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    var position = text.startIndex
    while position < text.endIndex {
      let byte = text[position]
      position += 1
      guard byte == UInt8(ascii: "\\"), position < text.endIndex else {
        bytes.append(byte)
        continue
      }
      let next = text[position]
      if (0x30...0x37).contains(next) {
        var value = 0
        var count = 0
        while count < 3, position < text.endIndex, (0x30...0x37).contains(text[position]) {
          value = value * 8 + Int(text[position] - 0x30)
          (position, count) = (position + 1, count + 1)
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
      } else {
        let known: [UInt8: UInt8] = [0x6e: 0x0a, 0x74: 0x09, 0x72: 0x0d, 0x76: 0x0b, 0x66: 0x0c]
        bytes.append(known[next] ?? next)
        position += 1
      }
    }
    // A file that was removed while it was open.
    let mark = Array(" (deleted)".utf8)
    return bytes.count > mark.count && bytes.suffix(mark.count).elementsEqual(mark) ? Array(bytes.dropLast(mark.count)) : bytes
  }

  private static func find(_ text: String, in bytes: ArraySlice<UInt8>) -> Int? {
    let wanted = Array(text.utf8)
    guard bytes.count >= wanted.count else { return nil }
    return (bytes.startIndex...bytes.endIndex - wanted.count).first { bytes[$0] == wanted[0] && bytes[$0...].starts(with: wanted) }
  }

  private static func findLast(_ text: String, in bytes: ArraySlice<UInt8>) -> Int? {
    let wanted = Array(text.utf8)
    guard bytes.count >= wanted.count else { return nil }
    return (bytes.startIndex...bytes.endIndex - wanted.count).last { bytes[$0] == wanted[0] && bytes[$0...].starts(with: wanted) }
  }
}
