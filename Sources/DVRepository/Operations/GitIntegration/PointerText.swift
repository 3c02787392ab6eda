import DVFile
import DVObject
public import DVStore
import DVWorkspace

/// Turns a pointer into text whose differences name the files that changed: what git shows in `git diff` and in
/// `git log -p`.
///
/// The pointer as it is; of a tree, an empty line and then a line for each file:
///
///     file 9c41f2a0b3d1 314572800 images/cat.jpg
///
/// Of a tree with more than 100,000 files, a line for each of the upper directories instead. No column depends on
/// another line, so that a line differs only if its file does. Only the local store is asked: git waits for this many
/// times in a `git log -p`.
public struct PointerText: Sendable {
  private let store: ObjectStore?

  /// The most files that are listed one by one.
  static let fileLimit: UInt64 = 100_000
  /// How deep directories are listed beyond that.
  static let depthLimit = 3
  /// And how many at most.
  static let lineLimit = 10_000

  /// - Parameter store: The local store; `nil` if there is none to ask.
  public init(store: ObjectStore?) { self.store = store }

  /// Returns the text for the bytes of a pointer; anything that is no pointer is its own text.
  public func text(of bytes: [UInt8]) async -> [UInt8] {
    guard bytes.count <= Pointer.maximumByteCount,
      let pointer = try? Pointer(parsing: bytes.span, named: "pointer"), pointer.kind == .tree
    else { return bytes }
    guard let store else { return bytes + Self.absence }
    let isWhole = (pointer.files ?? 0) <= Self.fileLimit
    var lines = Lines(text: bytes + [UInt8(ascii: "\n")], isWhole: isWhole)
    let browser = TreeBrowser { try await store.read(ObjectKey(kind: .treeNode, id: $0)) }
    if !isWhole { lines.text += Self.note("more than \(Self.fileLimit) files: 'dv diff' names those that changed") }
    do throws(WorkspaceError) {
      try await browser.forEachEntry(
        of: pointer.oid, entering: { path, _ in isWhole || path.names.count < Self.depthLimit }
      ) { path, entry in
        lines.append(entry, at: path)
      }
    } catch {
      return bytes + (error.code == .missing ? Self.absence : Self.note("its files cannot be listed: \(error.message)"))
    }
    if lines.leftOut > 0 { lines.text += Self.note("and \(lines.leftOut) more directories") }
    return lines.text
  }

  private static let absence = note("its files are not in the local store: 'dv fetch' gets them")

  private static func note(_ text: String) -> [UInt8] { Array("(\(text))\n".utf8) }

  private struct Lines {
    var text: [UInt8]
    let isWhole: Bool
    private var count = 0
    private(set) var leftOut = 0

    init(text: [UInt8], isWhole: Bool) {
      self.text = text
      self.isWhole = isWhole
    }

    mutating func append(_ entry: TreeEntry, at path: TreePath) {
      // A directory is known by the files in it, unless it has none.
      if isWhole, entry.mode == .directory, entry.files > 0 { return }
      if !isWhole {
        guard entry.mode == .directory else { return }
        guard count < PointerText.lineLimit else {
          leftOut += 1
          return
        }
      }
      count += 1
      switch entry.mode {
      case .file: text += "file ".utf8
      case .executable: text += "exec ".utf8
      case .symlink: text += "link ".utf8
      case .directory: text += "dir  ".utf8
      }
      appendHex(entry.oid.prefix64)
      text.append(UInt8(ascii: " "))
      append(entry.size)
      text.append(UInt8(ascii: " "))
      if entry.mode == .directory {
        append(entry.files)
        text += " files ".utf8
      }
      append(path)
      text.append(UInt8(ascii: "\n"))
    }

    /// The first 12 digits of an oid.
    private mutating func appendHex(_ prefix: UInt64) {
      for shift in stride(from: UInt64(60), to: 12, by: -4) {
        let digit = UInt8(truncatingIfNeeded: prefix >> shift) & 15
        text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      }
    }

    private mutating func append(_ number: UInt64) { text += "\(number)".utf8 }

    private mutating func append(_ path: TreePath) {
      let isPlain = path.bytes.allSatisfy { (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "\\") }
      if isPlain { text += path.bytes } else { text += TerminalSafe.text(path.bytes).utf8 }
    }
  }
}

extension Repository {
  /// Returns the local store if there is one already; nothing is made.
  public func existingLocalStore() async throws -> ObjectStore? {
    guard try storeDirectory().fileStatFollowingLinks() != nil else { return nil }
    return try await localStore(for: .read).store
  }
}
