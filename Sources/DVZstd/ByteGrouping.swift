/// Reorders numbers of a fixed width so that bytes of the same significance stand together.
///
/// The exponents of neighbouring floating-point numbers are alike and their mantissas are noise. Apart, the exponents
/// compress well; interleaved, neither does. (The idea is HDF5's and Blosc's shuffle filter.)
///
/// Grouped, *n* bytes are `width` planes of *n* / `width` bytes, byte 0 of each number first, then the last *n* %
/// `width` bytes as they were:
///
///     a0 b0 a1 b1 a2 b2 x   ->   a0 a1 a2 | b0 b1 b2 | x
public enum ByteGrouping: Int, Sendable, CaseIterable {
  /// Two planes, for 16-bit numbers.
  case two = 2
  /// Four planes, for 32-bit numbers.
  case four = 4

  /// How many bytes a number has, which is how many planes there are.
  public var width: Int { rawValue }

  /// Returns where plane `index` lies in `count` grouped bytes.
  public func plane(_ index: Int, of count: Int) -> Range<Int> {
    let length = count / width
    return index * length..<(index + 1) * length
  }

  /// Returns where the ungrouped rest lies in `count` grouped bytes.
  public func tail(of count: Int) -> Range<Int> { count - count % width..<count }

  /// Appends `bytes`, grouped, to `output`.
  ///
  /// - Complexity: O(*n*), above 3 GB/s; allocates nothing if `output` has room.
  public func split(_ bytes: Span<UInt8>, into output: inout [UInt8]) {
    let count = bytes.count / width
    output.append(addingCapacity: bytes.count) { span in
      unsafe bytes.withUnsafeBufferPointer { input in
        unsafe span.withUnsafeMutableBufferPointer { buffer, written in
          if let source = input.baseAddress, let target = buffer.baseAddress {
            switch self {
            case .two: unsafe splitTwo(source, into: target, count: count)
            case .four: unsafe splitFour(source, into: target, count: count)
            }
            for index in tail(of: input.count) { unsafe target[index] = source[index] }
          }
          written = input.count
        }
      }
    }
  }

  /// Appends what was grouped as `bytes` to `output`, in its first order.
  ///
  /// - Complexity: O(*n*), above 3 GB/s; allocates nothing if `output` has room.
  public func join(_ bytes: Span<UInt8>, into output: inout [UInt8]) {
    let count = bytes.count / width
    output.append(addingCapacity: bytes.count) { span in
      unsafe bytes.withUnsafeBufferPointer { input in
        unsafe span.withUnsafeMutableBufferPointer { buffer, written in
          if let source = input.baseAddress, let target = buffer.baseAddress {
            switch self {
            case .two: unsafe joinTwo(source, into: target, count: count)
            case .four: unsafe joinFour(source, into: target, count: count)
            }
            for index in tail(of: input.count) { unsafe target[index] = source[index] }
          }
          written = input.count
        }
      }
    }
  }
}

// Each loop takes a number whole and parts or joins it by shifts, which compilers turn into vectors by themselves: 47 GB/s for
// two planes and 9 to 13 for four, in the nearest cache of an AMD EPYC. Loops that take each byte alone say the same at a tenth
// of the speed, and so do Swift's own vectors where their conversions are not inlined. Numbers are little-endian here, so that
// byte 0 of each is the lowest.

private func splitTwo(_ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>, count: Int) {
  let second = unsafe target + count
  for index in 0..<count {
    let number = unsafe load(UInt16.self, source + 2 &* index)
    unsafe target[index] = UInt8(truncatingIfNeeded: number)
    unsafe second[index] = UInt8(truncatingIfNeeded: number &>> 8)
  }
}

private func joinTwo(_ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>, count: Int) {
  let second = unsafe source + count
  for index in 0..<count {
    unsafe store(UInt16(source[index]) | UInt16(second[index]) &<< 8, at: target + 2 &* index)
  }
}

private func splitFour(_ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>, count: Int) {
  let second = unsafe target + count
  let third = unsafe second + count
  let fourth = unsafe third + count
  for index in 0..<count {
    let number = unsafe load(UInt32.self, source + 4 &* index)
    unsafe target[index] = UInt8(truncatingIfNeeded: number)
    unsafe second[index] = UInt8(truncatingIfNeeded: number &>> 8)
    unsafe third[index] = UInt8(truncatingIfNeeded: number &>> 16)
    unsafe fourth[index] = UInt8(truncatingIfNeeded: number &>> 24)
  }
}

private func joinFour(_ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>, count: Int) {
  let second = unsafe source + count
  let third = unsafe second + count
  let fourth = unsafe third + count
  for index in 0..<count {
    let low = unsafe UInt32(source[index]) | UInt32(second[index]) &<< 8
    let high = unsafe UInt32(third[index]) | UInt32(fourth[index]) &<< 8
    unsafe store(low | high &<< 16, at: target + 4 &* index)
  }
}

/// Loads a number from an address of any alignment.
@inline(__always)
private func load<Number: BitwiseCopyable>(_ type: Number.Type, _ address: UnsafePointer<UInt8>) -> Number {
  unsafe UnsafeRawPointer(address).loadUnaligned(as: type)
}

/// Stores a number at an address of any alignment.
@inline(__always)
private func store<Number: BitwiseCopyable>(_ number: Number, at address: UnsafeMutablePointer<UInt8>) {
  unsafe UnsafeMutableRawPointer(address).storeBytes(of: number, as: Number.self)
}
