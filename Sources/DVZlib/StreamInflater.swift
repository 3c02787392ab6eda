import CZlib

/// Inflates one stream piece by piece, with memory that does not depend on what it holds: about 40 KiB and the piece.
///
/// The `z_stream` lives at one heap address because zlib keeps a pointer back to it. Used by one task at a time.
@safe public final class StreamInflater {
  /// What surrounds the deflated bytes.
  public enum Wrapping: CInt, Sendable {
    /// Nothing, as in zip.
    case none = -15
    /// A header and a CRC-32, as in `.gz`; zlib checks both.
    case gzip = 31
  }

  private let stream: UnsafeMutablePointer<z_stream>
  /// Whether the stream has ended. What comes after it was not touched.
  public private(set) var isAtEnd = false

  /// - Throws: ``ZlibError/Code/outOfMemory``.
  public init(_ wrapping: Wrapping) throws(ZlibError) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let status = unsafe dv_inflateInit2(stream, wrapping.rawValue)
    guard status == Z_OK else { throw ZlibError(status: status, operation: "Cannot start to inflate") }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Begins another stream of the same kind.
  public func restart() throws(ZlibError) {
    let status = unsafe inflateReset(stream)
    guard status == Z_OK else { throw ZlibError(status: status, operation: "Cannot start to inflate") }
    isAtEnd = false
  }

  /// Inflates from `input` until `limit` bytes have come out, the input is used up or the stream ends.
  ///
  /// - Returns: what came out, and how many bytes of `input` were used.
  /// - Throws: ``ZlibError/Code/corrupt``.
  public func inflate(_ input: Span<UInt8>, limit: Int) throws(ZlibError) -> (output: [UInt8], used: Int) {
    var output: [UInt8] = []
    guard !isAtEnd, limit > 0 else { return (output, 0) }
    let (inputCount, outputCount) = (UInt32(clamping: input.count), UInt32(clamping: limit))
    var status = Z_OK
    var left: (input: UInt32, output: UInt32) = (inputCount, outputCount)
    output.append(addingCapacity: Int(outputCount)) { span in
      unsafe input.withUnsafeBufferPointer { input in
        unsafe span.withUnsafeMutableBufferPointer { buffer, written in
          // zlib only reads through `next_in`; its type lacks the `const`.
          unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
          unsafe stream.pointee.avail_in = inputCount
          unsafe stream.pointee.next_out = buffer.baseAddress
          unsafe stream.pointee.avail_out = outputCount
          status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
          left = unsafe (stream.pointee.avail_in, stream.pointee.avail_out)
          if status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR { written = Int(outputCount - left.output) }
        }
      }
    }
    switch status {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: isAtEnd = true
    default: throw ZlibError(status: status, operation: "Cannot inflate")
    }
    return (output, Int(inputCount - left.input))
  }
}
