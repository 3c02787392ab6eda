import CZstd

/// Decompresses zstd frames whose size is known beforehand, one after the other, reusing zstd's tables (about 160 KiB).
///
/// Frames are decoded straight into the output in one call, which is why zstd needs no window of its own and its window
/// limit (`ZSTD_d_windowLogMax`, for streams) has nothing to limit.
///
/// `@unchecked Sendable` because it may be handed from task to task, as a pool does, but is used by one task at a time:
/// a `ZSTD_DCtx` has no lock.
@safe public final class ZstdDecompressor: @unchecked Sendable {
  private let context: OpaquePointer

  /// Makes a decompressor.
  ///
  /// - Throws: ``ZstdError/Code/outOfMemory``.
  public init() throws(ZstdError) {
    guard let made = unsafe ZSTD_createDCtx() else {
      throw ZstdError(.outOfMemory, "Cannot start to decompress: out of memory.")
    }
    unsafe context = made
  }

  deinit {
    unsafe ZSTD_freeDCtx(context)
  }

  /// Appends the `count` bytes that `frame`, one whole zstd frame, holds.
  ///
  /// Memory is bounded by `count`, whatever the frame claims: nothing is reserved before its header has been checked.
  ///
  /// - Throws: ``ZstdError/Code/wrongSize`` if the frame states another size, none, or a window larger than `count`;
  ///   ``ZstdError/Code/unsupported`` if it needs a dictionary; ``ZstdError/Code/corrupt`` if it is damaged, cut short
  ///   or followed by anything, be it another frame. `output` is unchanged then.
  public func decompress(_ frame: Span<UInt8>, count: Int, into output: inout [UInt8]) throws(ZstdError) {
    try check(ZstdFrameHeader(frame), count: count)
    let frameSize = unsafe frame.withUnsafeBufferPointer { input in
      unsafe ZSTD_findFrameCompressedSize(input.baseAddress, input.count)
    }
    guard ZSTD_isError(frameSize) == 0 else {
      throw ZstdError(result: frameSize, operation: "Cannot decompress \(frame.count) bytes")
    }
    guard frameSize == frame.count else {
      throw ZstdError(.corrupt, "Cannot decompress: \(frame.count - frameSize) bytes follow the frame.")
    }
    var result = 0
    output.append(addingCapacity: count) { span in
      unsafe frame.withUnsafeBufferPointer { input in
        unsafe span.withUnsafeMutableBufferPointer { buffer, written in
          result = unsafe ZSTD_decompressDCtx(context, buffer.baseAddress, count, input.baseAddress, input.count)
          if result == count { written = count }
        }
      }
    }
    guard ZSTD_isError(result) == 0 else {
      throw ZstdError(result: result, operation: "Cannot decompress \(frame.count) bytes")
    }
    guard result == count else {
      throw ZstdError(.wrongSize, "Cannot decompress: \(result) bytes came out, expected \(count).")
    }
  }

  private func check(_ header: ZstdFrameHeader, count: Int) throws(ZstdError) {
    guard header.dictionaryID == 0 else {
      throw ZstdError(.unsupported, "Cannot decompress: the frame needs dictionary \(header.dictionaryID).")
    }
    guard let contentSize = header.contentSize else {
      throw ZstdError(.wrongSize, "Cannot decompress: the frame does not state its size, expected \(count) bytes.")
    }
    guard contentSize == UInt64(count) else {
      throw ZstdError(.wrongSize, "Cannot decompress: the frame holds \(contentSize) bytes, expected \(count).")
    }
    guard header.windowSize <= UInt64(count) else {
      throw ZstdError(
        .wrongSize, "Cannot decompress: the frame wants a window of \(header.windowSize) bytes for \(count).")
    }
  }
}
