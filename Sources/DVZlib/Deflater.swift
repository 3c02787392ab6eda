import CZlib

/// Deflates buffers into zlib streams, one after the other, reusing zlib's state (about 256 KiB).
///
/// The `z_stream` lives at one heap address because zlib keeps a pointer back to it: a stream that moves fails every
/// later call.
///
/// `@unchecked Sendable` because it may be handed from task to task, as a pool does, but is used by one task at a time:
/// the state has no lock.
@safe public final class Deflater: @unchecked Sendable {
  private let stream: UnsafeMutablePointer<z_stream>

  /// Makes a deflater.
  ///
  /// - Parameter level: 1 (fastest) to 9 (smallest).
  /// - Throws: ``ZlibError/Code/invalid`` for another level, ``ZlibError/Code/outOfMemory``.
  public init(level: Int = 6) throws(ZlibError) {
    guard (1...9).contains(level) else {
      throw ZlibError(.invalid, "Cannot deflate at level \(level): levels are 1 to 9.")
    }
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 15 window bits and memory level 8 are zlib's defaults.
    let status = unsafe dv_deflateInit2(stream, CInt(level), 15, 8, Z_DEFAULT_STRATEGY)
    guard status == Z_OK else { throw ZlibError(status: status, operation: "Cannot start to deflate") }
  }

  deinit {
    // Also runs when `init` throws: after a failed `deflateInit` this refuses and does nothing.
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Appends the zlib stream of `bytes` to `output`.
  ///
  /// - Throws: ``ZlibError/Code/invalid`` if `bytes` has 4 GiB or more. `output` is unchanged then.
  public func compress(_ bytes: Span<UInt8>, into output: inout [UInt8]) throws(ZlibError) {
    let bound = unsafe deflateBound(stream, uLong(bytes.count))
    guard let inputCount = UInt32(exactly: bytes.count), let capacity = UInt32(exactly: bound) else {
      throw ZlibError(.invalid, "Cannot deflate \(bytes.count) bytes at once: the limit is 4 GiB.")
    }
    var status = unsafe deflateReset(stream)
    guard status == Z_OK else { throw ZlibError(status: status, operation: "Cannot start to deflate") }
    output.append(addingCapacity: Int(capacity)) { span in
      unsafe bytes.withUnsafeBufferPointer { input in
        unsafe span.withUnsafeMutableBufferPointer { buffer, written in
          // zlib only reads through `next_in`; its type lacks the `const`.
          unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
          unsafe stream.pointee.avail_in = inputCount
          unsafe stream.pointee.next_out = buffer.baseAddress
          unsafe stream.pointee.avail_out = capacity
          status = unsafe deflate(stream, Z_FINISH)
          if status == Z_STREAM_END { written = unsafe Int(capacity - stream.pointee.avail_out) }
        }
      }
    }
    guard status == Z_STREAM_END else {
      throw ZlibError(status: status, operation: "Cannot deflate \(bytes.count) bytes")
    }
  }
}
