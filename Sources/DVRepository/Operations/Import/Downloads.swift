import DVFile
import DVObject
import SystemPackage

/// Where data is gathered on its way here: the git directory's `dv/downloads`.
///
///     downloads/lock                       held alone by who tidies up, with others by who takes a folder
///     downloads/<SHA-256 of a URL>/        what has come of it, so that who was stopped goes on from there
///     downloads/.dv-….tmp/                 copies of files, for one process
///     downloads/…/lock                     held by who uses that folder
///
/// Tidied up whenever something is downloaded, and by `dv gc`: folders of dead processes go at once, downloads that were stopped after
/// ``age``.
struct Downloads {
  /// So long a download that was stopped can be gone on with; in seconds.
  static let age: Int64 = 7 * 86_400

  private let directory: FilePath

  init(_ repository: Repository) { directory = repository.dataDirectory.appending("downloads") }

  /// A folder that this process alone uses.
  final class Folder {
    let path: FilePath
    private let lock: HeldLock
    private let isTemporary: Bool

    fileprivate init(_ path: FilePath, lock: HeldLock, isTemporary: Bool) {
      (self.path, self.lock, self.isTemporary) = (path, lock, isTemporary)
    }

    deinit {
      // What stays behind is found by whoever tidies up.
      if isTemporary { try? path.removeTree() }
    }
  }

  /// Returns the folder of a URL, with what had come of it; waits for another process that uses it.
  func folder(of url: String) throws -> Folder { try take(ObjectID(hashing: Array(url.utf8).span).hex, isTemporary: false) }

  /// Returns a new folder, which is removed when it goes away.
  func temporary() throws -> Folder { try take(RandomName.temporary(), isTemporary: true) }

  private func take(_ name: String, isTemporary: Bool) throws -> Folder {
    try directory.createDirectories(mode: 0o700)
    tidy(olderThan: Self.age)
    // Nobody removes the folder between its making and its locking.
    let taking = HeldLock(try FileLock.wait(for: directory.appending("lock"), .shared))
    defer { withExtendedLifetime(taking) {} }
    let path = directory.appending(name)
    try path.createDirectories(mode: 0o700)
    return Folder(path, lock: HeldLock(try FileLock.wait(for: path.appending("lock"), .exclusive)), isTemporary: isTemporary)
  }

  /// Removes what dead processes left, and downloads that were stopped more than `age` seconds ago. What cannot be removed stays.
  ///
  /// - Returns: how many folders were removed.
  @discardableResult
  func tidy(olderThan age: Int64) -> Int {
    guard let listing = try? directory.listDirectory(), !listing.isEmpty else { return 0 }
    let lock: HeldLock
    do {
      // Somebody takes a folder at this moment, or may do so on another machine: the next one tidies up.
      guard let held = try FileLock.attempt(directory.appending("lock"), .exclusive), held.isRespectedEverywhere else { return 0 }
      lock = HeldLock(held)
    } catch {
      return 0
    }
    defer { withExtendedLifetime(lock) {} }
    var removed = 0
    for index in listing.indices {
      let name = String(decoding: listing.name(at: index), as: UTF8.self)
      let folder = directory.appending(name: listing.name(at: index))
      guard (try? folder.fileStat())??.kind == .directory, !Self.isUsed(folder) else { continue }
      guard RandomName.isTemporary(name) || Self.lastChange(in: folder) < FileTime.now.seconds - age else { continue }
      if (try? folder.removeTree()) != nil { removed += 1 }
    }
    return removed
  }

  private static func isUsed(_ folder: FilePath) -> Bool {
    do {
      guard let lock = try FileLock.attempt(folder.appending("lock"), .exclusive) else { return true }
      return !lock.isRespectedEverywhere
    } catch {
      return true
    }
  }

  /// When something in a folder was last written; in seconds since 1970.
  private static func lastChange(in folder: FilePath) -> Int64 {
    guard let listing = try? folder.listDirectory() else { return .max }
    var last: Int64 = 0
    for index in listing.indices where listing.name(at: index) != Array("lock".utf8) {
      let place = folder.appending(name: listing.name(at: index))
      guard let stat = (try? place.fileStat()) ?? nil else { continue }
      last = max(last, stat.kind == .directory ? lastChange(in: place) : stat.modified.seconds)
    }
    return last
  }
}
