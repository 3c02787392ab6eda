import CZlib

/// Inflates zlib streams whose size is known beforehand, one after the other, reusing zlib's state (about 40 KiB).
///
/// The `z_stream` lives at one heap address because zlib keeps a pointer back to it: a stream that moves fails every
/// later call.
///
/// `@unchecked Sendable` because it may be handed from task to task, as a pool does, but is used by one task at a time:
/// the state has no lock.
@safe public final class Inflater: @unchecked Sendable {
  private let stream: UnsafeMutablePointer<z_stream>

  /// Makes an inflater.
  ///
  /// - Throws: ``ZlibError/Code/outOfMemory``.
  public init() throws(ZlibError) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let status = unsafe dv_inflateInit2(stream, 15)
    guard status == Z_OK else { throw ZlibError(status: status, operation: "Cannot start to inflate") }
  }

  deinit {
    // Also runs when `init` throws: after a failed `inflateInit` this refuses and does nothing.
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Appends the `count` bytes that `bytes`, one whole zlib stream, holds.
  ///
  /// Memory is bounded by `count`, whatever the stream would inflate to.
  ///
  /// - Throws: ``ZlibError/Code/wrongSize`` if the stream holds more or fewer bytes; ``ZlibError/Code/corrupt`` if it
  ///   is damaged, cut short or followed by anything. `output` is unchanged then.
  public func decompress(_ bytes: Span<UInt8>, count: Int, into output: inout [UInt8]) throws(ZlibError) {
    guard let inputCount = UInt32(exactly: bytes.count), let outputCount = UInt32(exactly: count) else {
      throw ZlibError(.invalid, "Cannot inflate \(bytes.count) bytes to \(count) at once: the limit is 4 GiB.")
    }
    var status = unsafe inflateReset(stream)
    guard status == Z_OK else { throw ZlibError(status: status, operation: "Cannot start to inflate") }
    var left: (input: UInt32, output: UInt32) = (inputCount, outputCount)
    // One byte more than needed, because zlib refuses a null output pointer even where nothing is to be written.
    output.append(addingCapacity: count + 1) { span in
      unsafe bytes.withUnsafeBufferPointer { input in
        unsafe span.withUnsafeMutableBufferPointer { buffer, written in
          // zlib only reads through `next_in`; its type lacks the `const`.
          unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
          unsafe stream.pointee.avail_in = inputCount
          unsafe stream.pointee.next_out = buffer.baseAddress
          unsafe stream.pointee.avail_out = outputCount
          status = unsafe inflate(stream, Z_FINISH)
          left = unsafe (stream.pointee.avail_in, stream.pointee.avail_out)
          if status == Z_STREAM_END, left == (0, 0) { written = count }
        }
      }
    }
    switch status {
    case Z_STREAM_END where left == (0, 0):
      return
    case Z_STREAM_END where left.output > 0:
      throw ZlibError(.wrongSize, "Cannot inflate: \(count - Int(left.output)) bytes came out, expected \(count).")
    case Z_STREAM_END:
      throw ZlibError(.corrupt, "Cannot inflate: \(left.input) bytes follow the stream.")
    case Z_OK where left.output == 0, Z_BUF_ERROR where left.output == 0:
      // Full and not at the end: it holds more, or its last bytes are missing.
      throw ZlibError(
        left.input > 0 ? .wrongSize : .corrupt, "Cannot inflate: the stream does not end after \(count) bytes.")
    case Z_OK, Z_BUF_ERROR:
      throw ZlibError(.corrupt, "Cannot inflate: the stream is cut short after \(inputCount) bytes.")
    default:
      throw ZlibError(status: status, operation: "Cannot inflate \(inputCount) bytes")
    }
  }
}
