import DVBackend
import DVFile
import Synchronization
import SystemPackage

/// What the server said of each pack when this clone wrote it or first saw it: its ETag.
///
/// With nearly all servers an ETag is a digest of the value, and another one if the value is another. So every listing shows, at no
/// cost, that a pack was replaced behind dv's back, even by one of the same length. It proves nothing: an ETag changes too when
/// a server moves or encrypts what it keeps. So a changed one is a reason to read the pack.
///
/// Kept by each clone for itself; losing it costs nothing but what it notices.
///
///     dv-tags 1
///     url s3://bucket/prefix http://127.0.0.1:9000
///     b85d6fb9ef4260dcf1ce0a1b0bff80d3 packs/3f/3f9a…
///     …
final class TagMemory: Sendable {
  private struct State {
    var isRead = false
    /// By the key's text.
    var known: [String: Substring] = [:]
    /// What this process noted, which counts more than what others wrote meanwhile.
    var noted: [String: Substring?] = [:]
    /// What this process wrote: a listing that began before does not have it.
    var written: Set<String> = []
    /// By the last listing.
    var listed: [String: Substring] = [:]
  }

  private let file: FilePath
  private let identity: String
  private let state = Mutex(State())

  /// Bytes of the file that are read; a pack takes about 110.
  private static let limit = 64 << 20
  /// Bytes of a tag that is remembered.
  private static let tagLimit = 128

  /// - Parameters:
  ///   - file: where it is kept; made when there is something to keep.
  ///   - identity: the bucket and its server, in one line: about another one the file says nothing.
  init(_ file: FilePath, of identity: String) {
    self.file = file
    self.identity = identity
  }

  private static func isRemembered(_ key: BackendKey) -> Bool { key.text.hasPrefix("packs/") }

  /// Returns an ETag as it is compared: without quotes; `nil` for one that is not remembered.
  static func normal(_ tag: String?) -> Substring? {
    guard let tag else { return nil }
    let bare = tag.hasPrefix("\"") && tag.hasSuffix("\"") && tag.utf8.count >= 2 ? tag.dropFirst().dropLast() : tag[...]
    let isPlain = bare.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    return isPlain && (1...tagLimit).contains(bare.utf8.count) ? bare : nil
  }

  /// Takes note of what the server said of a value that it was just given.
  func wrote(_ key: BackendKey, tag: String?) {
    guard Self.isRemembered(key), let tag = Self.normal(tag) else { return }
    state.withLock { state in
      state.known[key.text] = tag
      state.noted[key.text] = tag
      state.written.insert(key.text)
    }
  }

  /// Takes note of a value as it is listed.
  ///
  /// - Returns: whether it was another one before.
  func lists(_ key: BackendKey, tag: String?) -> Bool {
    guard Self.isRemembered(key), let tag = Self.normal(tag) else { return false }
    return state.withLock { state in
      read(&state)
      state.listed[key.text] = tag
      guard let known = state.known[key.text] else {
        state.known[key.text] = tag
        state.noted[key.text] = tag
        return false
      }
      return known != tag
    }
  }

  /// Takes note that values have the right bytes as they were last listed.
  func trust(_ keys: [BackendKey]) {
    state.withLock { state in
      for key in keys {
        guard let tag = state.listed[key.text] else { continue }
        state.known[key.text] = tag
        state.noted[key.text] = tag
      }
    }
    save()
  }

  /// Forgets values that a whole listing does not have.
  func retain(_ keys: some Sequence<BackendKey>) {
    let there = Set(keys.lazy.map(\.text))
    state.withLock { state in
      for key in state.known.keys where !there.contains(key) && !state.written.contains(key) {
        state.known[key] = nil
        state.noted[key] = .some(nil)
      }
    }
  }

  /// Writes down what was noted. A file that cannot be written is no failure.
  func save() {
    state.withLock { state in
      guard !state.noted.isEmpty else { return }
      var all = stored()
      for (key, tag) in state.noted { all[key] = tag }
      var text = "dv-tags 1\nurl \(identity)\n"
      for (key, tag) in all.sorted(by: { $0.key < $1.key }) { text += "\(tag) \(key)\n" }
      let bytes = Array(text.utf8)
      try? file.containingDirectory.createDirectories()
      if (try? file.replaceContent(with: bytes.span, durable: false)) != nil { state.noted = [:] }
    }
  }

  private func read(_ state: inout State) {
    if state.isRead { return }
    state.isRead = true
    // What was noted in this process counts more.
    state.known = stored().merging(state.known) { _, new in new }
  }

  /// What the file says; nothing if it is missing, damaged or about another bucket.
  private func stored() -> [String: Substring] {
    guard let bytes = try? file.readAll(limit: Self.limit) else { return [:] }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard lines.count >= 2, lines[0] == "dv-tags 1", lines[1] == "url \(identity)" else { return [:] }
    var tags: [String: Substring] = [:]
    for line in lines.dropFirst(2) {
      let words = line.split(separator: " ")
      if words.count == 2 { tags[String(words[1])] = words[0] }
    }
    return tags
  }
}
