import DVBackend
import DVObject

/// The entries of several segments in one order: ascending by key, so that all the places of an object come in a row.
///
/// Memory is that of some blocks per segment.
struct EntryMerge {
  let backend: any Backend
  private var sources: [Source] = []
  /// Numbers of the sources that have entries left, the one with the least key last.
  private var order: [Int] = []

  private struct Source {
    var reader: EntryReader
    var entry: IndexEntry
  }

  init(backend: any Backend) { self.backend = backend }

  /// The least entry of all, and the container it names; `nil` at the end.
  var current: (entry: IndexEntry, container: IndexContainer)? {
    guard let least = order.last else { return nil }
    let entry = sources[least].entry
    return (entry, sources[least].reader.segment.head.containers[entry.container])
  }

  mutating func add(_ segment: LoadedSegment) async throws(StoreError) {
    var reader = EntryReader(segment: segment)
    guard let entry = try await reader.next(from: backend) else { return }
    sources.append(Source(reader: reader, entry: entry))
    insert(sources.count - 1)
  }

  /// Goes on to the next entry.
  mutating func advance() async throws(StoreError) {
    guard let least = order.popLast(), let entry = try await sources[least].reader.next(from: backend) else { return }
    sources[least].entry = entry
    insert(least)
  }

  private mutating func insert(_ number: Int) {
    let key = sources[number].entry.key
    var low = 0
    var high = order.count
    while low < high {
      let middle = (low + high) / 2
      if key < sources[order[middle]].entry.key { low = middle + 1 } else { high = middle }
    }
    order.insert(number, at: low)
  }
}
