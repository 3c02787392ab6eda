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
    var planes = PlanePlaces()
    for index in 0..<width { planes.append(.stored(at: plane(index, of: bytes.count).lowerBound)) }
    join(planes, stored: bytes, decoded: bytes.extracting(0..<0), count: bytes.count, into: &output)
  }

  /// Appends the bytes whose planes lie in two runs of bytes to `output`, in their first order.
  ///
  /// - Parameters:
  ///   - planes: where each plane lies; as many as ``width``.
  ///   - stored: holds planes, and ends with the ungrouped rest.
  ///   - decoded: holds the other planes.
  ///   - count: how many bytes that makes.
  /// - Complexity: O(*n*), above 3 GB/s; allocates nothing if `output` has room.
  public func join(_ planes: PlanePlaces, stored: Span<UInt8>, decoded: Span<UInt8>, count: Int, into output: inout [UInt8]) {
    output.append(addingCapacity: count) { span in
      unsafe span.withUnsafeMutableBufferPointer { buffer, written in
        guard let target = buffer.baseAddress else { return }
        unsafe withPlanes(planes, stored, decoded, count) { first, second, third, fourth, rest in
          let length = count / width
          switch self {
          case .two: unsafe joinTwo(first, second, into: target, count: length)
          case .four: unsafe joinFour(first, second, third, fourth, into: target, count: length)
          }
          for index in 0..<count % width { unsafe target[length * width + index] = rest[index] }
        }
        written = count
      }
    }
  }

  /// Whether planes that lie in two runs of bytes, joined, are `bytes`: ``join(_:stored:decoded:count:into:)`` without its output.
  ///
  /// - Complexity: O(*n*), above 3 GB/s; allocates nothing.
  public func isJoined(_ planes: PlanePlaces, stored: Span<UInt8>, decoded: Span<UInt8>, to bytes: Span<UInt8>) -> Bool {
    unsafe bytes.withUnsafeBufferPointer { input in
      guard let source = input.baseAddress else { return true }
      let length = input.count / width
      var isSame = true
      unsafe withPlanes(planes, stored, decoded, input.count) { first, second, third, fourth, rest in
        switch self {
        case .two: isSame = unsafe isTwo(first, second, joinedTo: source, count: length)
        case .four: isSame = unsafe isFour(first, second, third, fourth, joinedTo: source, count: length)
        }
        for index in 0..<input.count % width where unsafe source[length * width + index] != rest[index] { isSame = false }
      }
      return isSame
    }
  }

  /// Gives the addresses of four planes, the last two those of the second where there are two, and of the ungrouped rest.
  private func withPlanes(
    _ planes: PlanePlaces, _ stored: Span<UInt8>, _ decoded: Span<UInt8>, _ count: Int,
    _ body: (
      UnsafePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>
    ) -> Void
  ) {
    guard count > 0 else { return }
    let (length, rest) = (count / width, count % width)
    precondition(planes.count == width && rest <= stored.count, "a plane for each byte of a number")
    // The pointers are used during the call only.
    unsafe stored.withUnsafeBufferPointer { stored in
      unsafe decoded.withUnsafeBufferPointer { decoded in
        guard let base = stored.baseAddress else { preconditionFailure("stored bytes are never empty") }
        func address(_ plane: PlanePlaces.Place) -> UnsafePointer<UInt8> {
          let (buffer, start) =
            switch plane {
            case .stored(let start): unsafe (stored, start)
            case .decoded(let start): unsafe (decoded, start)
            }
          precondition(start >= 0 && length <= buffer.count - start, "a plane lies in its bytes")
          // Nothing is read of a plane of no bytes, whose buffer may have no address.
          return unsafe (buffer.baseAddress ?? base) + start
        }
        let last = planes.count - 1
        unsafe body(
          address(planes[0]), address(planes[1]), address(planes[min(2, last)]), address(planes[last]), base + (stored.count - rest))
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

private func joinTwo(
  _ first: UnsafePointer<UInt8>, _ second: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>, count: Int
) {
  for index in 0..<count {
    unsafe store(UInt16(first[index]) | UInt16(second[index]) &<< 8, at: target + 2 &* index)
  }
}

private func isTwo(
  _ first: UnsafePointer<UInt8>, _ second: UnsafePointer<UInt8>, joinedTo source: UnsafePointer<UInt8>, count: Int
) -> Bool {
  var difference: UInt16 = 0
  for index in 0..<count {
    difference |= unsafe load(UInt16.self, source + 2 &* index) ^ (UInt16(first[index]) | UInt16(second[index]) &<< 8)
  }
  return difference == 0
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

private func joinFour(
  _ first: UnsafePointer<UInt8>, _ second: UnsafePointer<UInt8>, _ third: UnsafePointer<UInt8>, _ fourth: UnsafePointer<UInt8>,
  into target: UnsafeMutablePointer<UInt8>, count: Int
) {
  for index in 0..<count {
    let low = unsafe UInt32(first[index]) | UInt32(second[index]) &<< 8
    let high = unsafe UInt32(third[index]) | UInt32(fourth[index]) &<< 8
    unsafe store(low | high &<< 16, at: target + 4 &* index)
  }
}

private func isFour(
  _ first: UnsafePointer<UInt8>, _ second: UnsafePointer<UInt8>, _ third: UnsafePointer<UInt8>, _ fourth: UnsafePointer<UInt8>,
  joinedTo source: UnsafePointer<UInt8>, count: Int
) -> Bool {
  var difference: UInt32 = 0
  for index in 0..<count {
    let low = unsafe UInt32(first[index]) | UInt32(second[index]) &<< 8
    let high = unsafe UInt32(third[index]) | UInt32(fourth[index]) &<< 8
    difference |= unsafe load(UInt32.self, source + 4 &* index) ^ (low | high &<< 16)
  }
  return difference == 0
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
