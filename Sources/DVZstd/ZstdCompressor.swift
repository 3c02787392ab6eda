import CZstd

/// `ZSTD_c_literalCompressionMode`, a macro that Swift does not see.
private let literalMode = ZSTD_c_experimentalParam5

/// Compresses buffers into zstd frames, one after the other, reusing zstd's tables (about 1 MiB).
///
/// A frame states its content size and carries no checksum: dv names content by its hash, which says more.
///
/// `@unchecked Sendable` because it may be handed from task to task, as a pool does, but is used by one task at a time:
/// a `ZSTD_CCtx` has no lock.
@safe public final class ZstdCompressor: @unchecked Sendable {
  /// How hard to look for what repeats.
  public enum Mode: Sendable {
    /// zstd's level 1, for everything that is not a plane of bytes.
    case level1
    /// Hardly any search for matches, but Huffman coding of every byte: for the byte planes of floating-point numbers,
    /// whose exponents repeat as values and not as strings. Several times as fast as level 1 there, and no larger.
    case entropy
  }

  private let context: OpaquePointer
  private var mode = Mode.level1

  /// Makes a compressor.
  ///
  /// - Throws: ``ZstdError/Code/outOfMemory``.
  public init() throws(ZstdError) {
    guard let made = unsafe ZSTD_createCCtx() else {
      throw ZstdError(.outOfMemory, "Cannot start to compress: out of memory.")
    }
    unsafe context = made
    try set(ZSTD_c_compressionLevel, 1)
    try set(ZSTD_c_contentSizeFlag, 1)
    try set(ZSTD_c_checksumFlag, 0)
  }

  deinit {
    unsafe ZSTD_freeCCtx(context)
  }

  /// Appends the frame of `bytes` to `output` and returns how many bytes it has.
  @discardableResult
  public func compress(_ bytes: Span<UInt8>, into output: inout [UInt8], mode: Mode = .level1) throws(ZstdError) -> Int
  {
    // The bound is never too small, so the frame always fits.
    try compress(bytes, into: &output, mode: mode, atMost: ZSTD_compressBound(bytes.count)) ?? 0
  }

  /// Appends the frame of `bytes` to `output` if it has at most `limit` bytes, and returns how many it has.
  ///
  /// Returns `nil`, with `output` unchanged, if the frame would be larger; zstd gives up as soon as that shows.
  public func compress(
    _ bytes: Span<UInt8>, into output: inout [UInt8], mode: Mode = .level1, atMost limit: Int
  ) throws(ZstdError) -> Int? {
    try use(mode)
    let capacity = max(0, min(limit, ZSTD_compressBound(bytes.count)))
    var result = 0
    output.append(addingCapacity: capacity) { span in
      unsafe bytes.withUnsafeBufferPointer { input in
        unsafe span.withUnsafeMutableBufferPointer { buffer, written in
          // The array may have more room than was asked for, which must not raise the limit.
          result = unsafe ZSTD_compress2(context, buffer.baseAddress, capacity, input.baseAddress, input.count)
          if ZSTD_isError(result) == 0 { written = result }
        }
      }
    }
    guard ZSTD_isError(result) == 0 else {
      // The frame that was given up is still open, and while one is, no parameter can be set.
      _ = unsafe ZSTD_CCtx_reset(context, ZSTD_reset_session_only)
      if ZSTD_getErrorCode(result) == ZSTD_error_dstSize_tooSmall { return nil }
      throw ZstdError(result: result, operation: "Cannot compress \(bytes.count) bytes")
    }
    return result
  }

  private func use(_ wanted: Mode) throws(ZstdError) {
    guard wanted != mode else { return }
    switch wanted {
    case .level1:
      try set(literalMode, CInt(ZSTD_lcm_auto.rawValue))
      try set(ZSTD_c_compressionLevel, 1)
    case .entropy:
      // Negative levels leave literals as they are unless told otherwise. The parameter is outside zstd's stable
      // interface: a library that lost it answers with an error, never with another meaning.
      //
      // Matches found in noise cost more than they save. Exponents of 2-byte weights, in 24 KiB: level -5 leaves 39 % at
      // 265 MB/s, -20 36 % at 490, -100 34 % at 860, -1000 34 % at 910. At -100 long runs are still found.
      try set(literalMode, CInt(ZSTD_lcm_huffman.rawValue))
      try set(ZSTD_c_compressionLevel, -100)
    }
    mode = wanted
  }

  private func set(_ parameter: ZSTD_cParameter, _ value: CInt) throws(ZstdError) {
    let result = unsafe ZSTD_CCtx_setParameter(context, parameter, value)
    guard ZSTD_isError(result) == 0 else { throw ZstdError(result: result, operation: "Cannot set up compression") }
  }
}
