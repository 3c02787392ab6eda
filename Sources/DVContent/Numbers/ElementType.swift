/// The type of the elements of a tensor or array, as far as their values can be compared.
enum ElementType: Hashable {
  case float(bytes: Int)
  /// The upper half of a 4-byte float.
  case brainFloat
  case signed(bytes: Int)
  case unsigned(bytes: Int)
  case complex(bytes: Int)

  /// How many bytes one number has; a complex one is two numbers.
  var stride: Int {
    switch self {
    case .float(let bytes), .signed(let bytes), .unsigned(let bytes): bytes
    case .complex(let bytes): bytes / 2
    case .brainFloat: 2
    }
  }

  /// The number that these bytes are, the least significant first.
  func value(_ bits: UInt64) -> Double {
    switch self {
    case .float(2): Double(Self.half(UInt16(truncatingIfNeeded: bits)))
    case .float(4), .complex(8): Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .float, .complex: Double(bitPattern: bits)
    case .brainFloat: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits) << 16))
    case .unsigned: Double(bits)
    case .signed(let bytes):
      Double(Int64(bitPattern: bits << UInt64(64 - 8 * bytes)) >> Int64(64 - 8 * bytes))
    }
  }

  /// A number of IEEE 754's 16 bits: not every processor that dv runs on has that type.
  private static func half(_ bits: UInt16) -> Float {
    let (sign, exponent, fraction) = (bits >> 15, Int(bits >> 10 & 0x1f), Float(bits & 0x3ff))
    let magnitude: Float =
      switch exponent {
      case 0: fraction * 0x1p-24
      case 0x1f: fraction == 0 ? .infinity : .nan
      default: Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
      }
    return sign == 0 ? magnitude : -magnitude
  }

  /// By the names of safetensors.
  init?(safetensors name: String) {
    switch name {
    case "F64": self = .float(bytes: 8)
    case "F32": self = .float(bytes: 4)
    case "F16": self = .float(bytes: 2)
    case "BF16": self = .brainFloat
    case "I64": self = .signed(bytes: 8)
    case "I32": self = .signed(bytes: 4)
    case "I16": self = .signed(bytes: 2)
    case "I8": self = .signed(bytes: 1)
    case "U64": self = .unsigned(bytes: 8)
    case "U32": self = .unsigned(bytes: 4)
    case "U16": self = .unsigned(bytes: 2)
    case "U8", "BOOL": self = .unsigned(bytes: 1)
    default: return nil
    }
  }

  /// By numpy's `descr`, of little-endian numbers: `<f4`, `|u1`.
  init?(numpy descr: String) {
    guard descr.count == 3, let order = descr.first, order == "<" || order == "|", let bytes = descr.last?.wholeNumberValue else {
      return nil
    }
    switch descr.dropFirst().first {
    case "f" where [2, 4, 8].contains(bytes): self = .float(bytes: bytes)
    case "i" where [1, 2, 4, 8].contains(bytes): self = .signed(bytes: bytes)
    case "u" where [1, 2, 4, 8].contains(bytes): self = .unsigned(bytes: bytes)
    case "b" where bytes == 1: self = .unsigned(bytes: 1)
    case "c" where bytes == 8: self = .complex(bytes: 8)
    default: return nil
    }
  }
}

/// Compares the elements of two tensors of one type, as they stream by.
struct ElementComparison {
  /// `nil` for one whose numbers are not understood: then only equal bytes are equal.
  let type: ElementType?
  let allowed: Double?
  /// What messages call the tensor.
  let title: String

  /// Goes through both to the end.
  ///
  /// - Complexity: O(*n*) in bytes; half a megabyte of memory.
  func compare(_ old: ContentStream, _ new: ContentStream) throws(ContentError) -> ContentDifference {
    var found = ContentDifference(.equivalent, "the same numbers")
    var position = 0
    // The size of a piece is a multiple of every stride.
    while true {
      let (left, right) = (try old.next(), try new.next())
      guard left.count == right.count else {
        found.add(ContentDifference(.different, "\(title): another number of bytes"))
        return found
      }
      if left.isEmpty { return found }
      if left != right {
        guard let type, left.count % type.stride == 0 else {
          found.add(ContentDifference(.different, "\(title): other bytes"))
          return found
        }
        compare(left, right, type, from: position, &found)
      }
      position += left.count / (type?.stride ?? 1)
    }
  }

  private func compare(
    _ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, _ type: ElementType, from position: Int,
    _ found: inout ContentDifference
  ) {
    let stride = type.stride
    var (one, other) = (left.startIndex, right.startIndex)
    for number in 0..<left.count / stride {
      var (before, after): (UInt64, UInt64) = (0, 0)
      for byte in (0..<stride).reversed() {
        before = before << 8 | UInt64(left[one + byte])
        after = after << 8 | UInt64(right[other + byte])
      }
      one += stride
      other += stride
      if before == after { continue }
      let (old, new) = (type.value(before), type.value(after))
      let distance = NumberDifference.relative(old, new)
      if distance == 0, old == new || old.isNaN {
        // Two zeros, or two ways to write NaN: other bits, no other number.
        continue
      }
      let verdict: ContentVerdict = allowed.map { distance <= $0 } ?? false ? .withinTolerance : .different
      // The text is made for the first of its kind only.
      if verdict > found.verdict {
        found.add(ContentDifference(verdict, "\(title) [\(position + number)]: \(new), was \(old)", largest: distance))
      } else {
        found.largest = max(found.largest ?? 0, distance)
      }
    }
  }
}
