import DVFile
import Synchronization

/// A few files that were read lately, kept open: a pack is read in many small ranges, and to open it costs more than to
/// read.
///
/// Only files whose bytes never change are kept. One that was deleted or replaced meanwhile has no name left, which shows
/// when it is asked for again.
final class DescriptorCache: Sendable {
  /// One open file, shared by those who read from it.
  final class File: Sendable {
    let reader: FileReader
    let size: UInt64

    init(_ reader: consuming FileReader) throws(FileError) {
      size = try reader.stat().size
      self.reader = reader
    }
  }

  private struct Slot {
    let file: File
    var lastUse: UInt64
  }

  private struct State {
    var slots: [BackendKey: Slot] = [:]
    var uses: UInt64 = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  /// Returns the open file of `key`, or `nil` if there is none or it no longer has a name.
  func file(for key: BackendKey) throws(FileError) -> File? {
    let kept = state.withLock { state -> File? in
      state.uses += 1
      state.slots[key]?.lastUse = state.uses
      return state.slots[key]?.file
    }
    guard let kept else { return nil }
    guard try kept.reader.stat().links > 0 else {
      forget(key)
      return nil
    }
    return kept
  }

  /// Keeps `file` for later, in place of the one that has gone unused for longest.
  func keep(_ file: File, for key: BackendKey) {
    state.withLock { state in
      state.uses += 1
      state.slots[key] = Slot(file: file, lastUse: state.uses)
      guard state.slots.count > limit else { return }
      if let oldest = state.slots.min(by: { $0.value.lastUse < $1.value.lastUse })?.key { state.slots[oldest] = nil }
    }
  }

  /// Lets go of what is kept for `key`.
  func forget(_ key: BackendKey) {
    state.withLock { $0.slots[key] = nil }
  }
}
