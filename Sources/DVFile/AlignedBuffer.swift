/// A block of memory of fixed capacity that is reused for many reads or writes, aligned to 4,096 bytes as direct disk
/// access asks.
///
/// It may pass from thread to thread but belongs to one at a time: nothing in it is locked.
@safe public final class AlignedBuffer: @unchecked Sendable {
  // Sendable because its users hand it on through a lock or a queue and do not touch it afterwards.
  private let memory: UnsafeMutableBufferPointer<UInt8>

  /// How many of its bytes are meant, at most ``capacity``.
  public private(set) var count = 0

  /// Creates an empty buffer of at least `capacity` bytes, rounded up to a multiple of 4,096.
  public init(capacity: Int) {
    precondition(capacity > 0, "an empty buffer holds nothing")
    let size = (capacity + 4095) & ~4095
    let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
    // Not zeroed: a large buffer is often used for a little, and each page that is touched costs a fault. Only bytes that were
    // written are ever shown.
    unsafe memory = unsafe raw.bindMemory(to: UInt8.self)
  }

  deinit { unsafe memory.deallocate() }

  /// Bytes it can hold.
  public var capacity: Int { unsafe memory.count }

  /// Bytes that can still be appended.
  public var room: Int { capacity - count }

  /// Runs `body` with the bytes that are meant.
  public func withSpan<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    try body(unsafe Span(_unsafeStart: start, count: count))
  }

  /// Runs `body` with the bytes that are meant, for changing them.
  public func withMutableSpan<R, E: Error>(_ body: (inout MutableSpan<UInt8>) throws(E) -> R) throws(E) -> R {
    var span = unsafe MutableSpan(_unsafeStart: start, count: count)
    return try body(&span)
  }

  /// Sets how many bytes are meant. The caller MUST have written those beyond the old count.
  func resize(to newCount: Int) {
    precondition(newCount >= 0 && newCount <= capacity, "a buffer cannot grow beyond its capacity")
    count = newCount
  }

  /// Copies as many of `bytes` as fit behind what is there, and returns how many that were.
  public func append(_ bytes: Span<UInt8>) -> Int {
    let taken = min(bytes.count, room)
    unsafe bytes.withUnsafeBufferPointer { source in
      if taken > 0, let first = source.baseAddress {
        unsafe (start + count).update(from: first, count: taken)
      }
    }
    count += taken
    return taken
  }

  var start: UnsafeMutablePointer<UInt8> {
    unsafe memory.baseAddress!  // never nil: the capacity is at least 4,096
  }
}
