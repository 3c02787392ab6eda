import DVBackend
import DVObject

/// Goes through the entries of several index segments together, in ascending order of their keys.
///
/// An object in several places, or in several segments, comes several times in a row. Memory is that of a few blocks per
/// segment.
struct EntryMerge {
  private var sources: [Source] = []
  private let backend: any Backend

  init(_ segments: [LoadedSegment], from backend: any Backend) async throws(StoreError) {
    self.backend = backend
    for segment in segments {
      var source = Source(reader: EntryReader(segment: segment))
      if try await source.advance(from: backend) { sources.append(source) }
    }
  }

  /// The key of the entry that ``next()`` returns; `nil` at the end.
  var nextKey: ObjectKey? { sources.isEmpty ? nil : sources[least].key }

  private var least: Int {
    var least = 0
    for index in sources.indices.dropFirst() where sources[index].key < sources[least].key { least = index }
    return least
  }

  /// Returns the next entry and its container; `nil` at the end.
  mutating func next() async throws(StoreError) -> (entry: IndexEntry, container: IndexContainer)? {
    if sources.isEmpty { return nil }
    let least = least
    let current = sources[least].current
    if try await !sources[least].advance(from: backend) { sources.remove(at: least) }
    return current
  }

  /// One of the segments.
  private struct Source {
    var reader: EntryReader
    private var entry: IndexEntry?

    init(reader: EntryReader) { self.reader = reader }

    var key: ObjectKey { current.entry.key }

    /// The entry at the front; there is one, or the source was removed.
    var current: (entry: IndexEntry, container: IndexContainer) {
      guard let entry else { preconditionFailure("a source at its end was not removed") }
      return (entry, reader.segment.head.containers[entry.container])
    }

    mutating func advance(from backend: any Backend) async throws(StoreError) -> Bool {
      entry = try await reader.next(from: backend)
      return entry != nil
    }
  }
}
