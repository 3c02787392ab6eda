/// What a pickle says, instruction by instruction, without carrying any out.
///
/// Left out is what is not content: the protocol's number, frames, the numbers under which values are remembered, and the
/// length of an instruction's form. Whether an immutable value is written again or fetched from memory does not count; of
/// other values it does, as then two places share one object. The elements of a set have no order.
///
/// The depth of the stack is followed, and every frame must end where an instruction does: what is no pickle, or has other
/// bytes between its instructions, as joblib's arrays, is refused rather than misunderstood. Instructions: Python's
/// `pickletools`.
struct PickleTokens {
  enum Token: Hashable {
    case integer([UInt8])
    case float(UInt64)
    case text([UInt8])
    case bytes([UInt8])
    case mutableBytes([UInt8])
    /// An instruction without an argument, or whose argument is a token before it.
    case operation(UInt8)
    /// A value that was remembered, by how many tokens came before.
    case reference(Int)
    /// The elements of a set, sorted by their encoding.
    case elements([[UInt8]])
    case persistent([UInt8])
    case extension_(UInt64)

    /// Whether it is an immutable value that stands for itself.
    var isAtom: Bool {
      switch self {
      case .integer, .float, .text, .bytes: true
      case .operation(let code): [UInt8(ascii: "N"), 0x88, 0x89, UInt8(ascii: ")")].contains(code)
      default: false
      }
    }

    /// A text that is the same for equal tokens only.
    var encoded: [UInt8] {
      switch self {
      case .integer(let bytes): [0] + bytes
      case .float(let bits): [1] + (0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) }
      case .text(let bytes): [2] + bytes
      case .bytes(let bytes): [3] + bytes
      case .operation(let code): [4, code]
      default: [5]
      }
    }
  }

  private enum Remembered {
    case atom(Token)
    case position(Int)
  }

  private let bytes: [UInt8]
  /// Where the next instruction is.
  private(set) var position = 0
  private(set) var hasStopped = false
  private var frameEnd: Int?
  private var memo: [UInt64: Remembered] = [:]
  /// How many values are on the stack; below, where marks are.
  private var depth = 0
  private var marks: [Int] = []
  private var count = 0
  private var last: Token?
  /// Tokens that were read and not returned yet.
  private var waiting: [Token] = []
  /// Of an instruction that says several things, what comes after the first.
  private var pending: [Token] = []

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Returns the next token; `nil` after the end of the pickle.
  mutating func next() throws(ContentError) -> Token? {
    if !waiting.isEmpty { return waiting.removeFirst() }
    guard let token = try instruction() else { return nil }
    guard case .operation(UInt8(ascii: "(")) = token, case .operation(0x8f)? = before else {
      before = token
      return token
    }
    before = token
    try gatherSet()
    return token
  }

  /// The token that was returned last.
  private var before: Token?

  /// After an empty set and a mark: gathers elements that are all atoms, and sorts them.
  private mutating func gatherSet() throws(ContentError) {
    var gathered: [Token] = []
    while let token = try instruction() {
      if case .operation(0x90) = token {
        waiting = [.elements(gathered.map(\.encoded).sorted { $0.lexicographicallyPrecedes($1) }), token]
        return
      }
      gathered.append(token)
      guard token.isAtom else { break }
    }
    waiting = gathered
  }

  private func failure(_ what: String) -> ContentError { ContentError(.malformed, "it is no plain pickle: \(what)") }

  private mutating func take(_ number: Int) throws(ContentError) -> ArraySlice<UInt8> {
    guard number >= 0, number <= bytes.count - position else { throw failure("it ends at byte \(bytes.count)") }
    defer { position += number }
    return bytes[position..<position + number]
  }

  private mutating func line() throws(ContentError) -> ArraySlice<UInt8> {
    guard let end = bytes[position...].firstIndex(of: 0x0a) else { throw failure("a line does not end") }
    defer { position = end + 1 }
    return bytes[position..<end]
  }

  private mutating func counted(_ size: Int) throws(ContentError) -> [UInt8] {
    let length = try take(size).littleEndian
    guard let count = Int(exactly: length) else { throw failure("a length makes no sense") }
    return Array(try take(count))
  }

  /// Whole numbers as two's complement without superfluous bytes.
  private static func integer(_ bytes: some Collection<UInt8>) -> Token {
    var bytes = Array(bytes)
    while bytes.count > 1, let last = bytes.last, last == 0 || last == 0xff, bytes[bytes.count - 2] >> 7 == last >> 7 {
      bytes.removeLast()
    }
    if bytes == [0] { bytes = [] }
    return .integer(bytes)
  }

  private static func integer(_ value: Int64) -> Token {
    integer((0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * Int64($0))) })
  }

  private mutating func push(_ token: Token) -> Token {
    depth += 1
    return token
  }

  private mutating func pop(_ number: Int, pushing pushed: Int = 0) throws(ContentError) {
    guard depth - (marks.last ?? 0) >= number else { throw failure("its stack runs empty") }
    depth += pushed - number
  }

  private mutating func popMark(_ number: Int, pushing pushed: Int) throws(ContentError) {
    guard let mark = marks.popLast() else { throw failure("a mark is missing") }
    depth = mark
    try pop(number, pushing: pushed)
  }

  private mutating func remember(_ number: UInt64) {
    memo[number] = if let last, last.isAtom { .atom(last) } else { .position(count) }
  }

  private mutating func recall(_ number: UInt64) throws(ContentError) -> Token {
    switch memo[number] {
    case .atom(let token)?: return push(token)
    case .position(let position)?: return push(.reference(position))
    case nil: throw failure("it recalls what it has not remembered")
    }
  }

  /// Reads instructions up to one that says something.
  private mutating func instruction() throws(ContentError) -> Token? {
    while true {
      if !pending.isEmpty {
        let token = pending.removeFirst()
        count += 1
        last = token
        return token
      }
      guard !hasStopped else { return nil }
      if let end = frameEnd {
        guard position <= end else { throw failure("a frame ends inside an instruction") }
        if position == end { frameEnd = nil }
      }
      guard let code = try take(1).first else { return nil }
      guard let token = try carryOut(code) else { continue }
      count += 1
      last = token
      return token
    }
  }

  /// Takes one instruction in; `nil` if it says nothing.
  private mutating func carryOut(_ code: UInt8) throws(ContentError) -> Token? {
    switch code {
    case 0x80:  // PROTO
      guard let version = try take(1).first, version <= 5 else { throw failure("another protocol") }
      return nil
    case 0x95:  // FRAME
      let length = try take(8).littleEndian
      guard frameEnd == nil, length <= UInt64(bytes.count - position) else { throw failure("a frame makes no sense") }
      frameEnd = position + Int(length)
      return nil
    case UInt8(ascii: "."):
      guard depth == 1, marks.isEmpty, frameEnd == nil || frameEnd == position else { throw failure("it ends with its stack not done") }
      hasStopped = true
      return .operation(code)
    case 0x94:  // MEMOIZE
      remember(UInt64(memo.count))
      return nil
    case UInt8(ascii: "q"):
      remember(try take(1).littleEndian)
      return nil
    case UInt8(ascii: "r"):
      remember(try take(4).littleEndian)
      return nil
    case UInt8(ascii: "p"):
      remember(try decimal(try line()))
      return nil
    case UInt8(ascii: "h"): return try recall(try take(1).littleEndian)
    case UInt8(ascii: "j"): return try recall(try take(4).littleEndian)
    case UInt8(ascii: "g"): return try recall(try decimal(try line()))
    case UInt8(ascii: "("):
      marks.append(depth)
      guard marks.count <= 1 << 20 else { throw failure("it is nested too deep") }
      return .operation(code)
    default: break
    }
    if let token = try value(code) { return token }
    return try structure(code)
  }

  private func decimal(_ text: ArraySlice<UInt8>) throws(ContentError) -> UInt64 {
    guard let number = UInt64(String(decoding: text, as: UTF8.self)) else { throw failure("a number is none") }
    return number
  }

  /// Instructions that push a value.
  private mutating func value(_ code: UInt8) throws(ContentError) -> Token? {
    switch code {
    case UInt8(ascii: "K"): return push(Self.integer(Int64(try take(1).littleEndian)))
    case UInt8(ascii: "M"): return push(Self.integer(Int64(try take(2).littleEndian)))
    case UInt8(ascii: "J"): return push(Self.integer(Int64(Int32(truncatingIfNeeded: try take(4).littleEndian))))
    case 0x8a: return push(Self.integer(try counted(1)))
    case 0x8b: return push(Self.integer(try counted(4)))
    case UInt8(ascii: "I"):
      let text = String(decoding: try line(), as: UTF8.self)
      if text == "01" || text == "00" { return push(.operation(text == "01" ? 0x88 : 0x89)) }
      guard let number = Int64(text) else { throw failure("a number is none") }
      return push(Self.integer(number))
    case UInt8(ascii: "L"):
      var text = String(decoding: try line(), as: UTF8.self)
      if text.hasSuffix("L") { text.removeLast() }
      guard let number = Int64(text) else { throw failure("a number is too large") }
      return push(Self.integer(number))
    case UInt8(ascii: "G"): return push(.float(try take(8).reduce(0) { $0 << 8 | UInt64($1) }))
    case UInt8(ascii: "F"):
      guard let number = Double(String(decoding: try line(), as: UTF8.self)) else { throw failure("a number is none") }
      return push(.float(number.bitPattern))
    case UInt8(ascii: "X"): return push(.text(try counted(4)))
    case 0x8c: return push(.text(try counted(1)))
    case 0x8d: return push(.text(try counted(8)))
    case UInt8(ascii: "B"): return push(.bytes(try counted(4)))
    case UInt8(ascii: "C"): return push(.bytes(try counted(1)))
    case 0x8e: return push(.bytes(try counted(8)))
    case 0x96: return push(.mutableBytes(try counted(8)))
    case UInt8(ascii: "N"), 0x88, 0x89, UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"), 0x8f:
      return push(.operation(code))
    case UInt8(ascii: "P"): return push(.persistent(Array(try line())))
    case 0x82: return push(.extension_(try take(1).littleEndian))
    case 0x83: return push(.extension_(try take(2).littleEndian))
    case 0x84: return push(.extension_(try take(4).littleEndian))
    default: return nil
    }
  }

  /// Instructions that make something of values.
  private mutating func structure(_ code: UInt8) throws(ContentError) -> Token {
    switch code {
    case UInt8(ascii: "c"):  // GLOBAL is two texts and STACK_GLOBAL.
      let (module, name) = (Array(try line()), Array(try line()))
      try requirePlain(module)
      depth += 1
      pending = [.text(name), .operation(0x93)]
      return .text(module)
    case 0x93:
      if case .text(let name)? = last { try requirePlain(name) }
      try pop(2, pushing: 1)
    case UInt8(ascii: "R"), 0x81: try pop(2, pushing: 1)
    case 0x92: try pop(3, pushing: 1)
    case UInt8(ascii: "b"), UInt8(ascii: "a"): try pop(2, pushing: 1)
    case UInt8(ascii: "s"): try pop(3, pushing: 1)
    case 0x85: try pop(1, pushing: 1)
    case 0x86: try pop(2, pushing: 1)
    case 0x87: try pop(3, pushing: 1)
    case UInt8(ascii: "t"), UInt8(ascii: "l"), UInt8(ascii: "d"), 0x91, UInt8(ascii: "o"): try popMark(0, pushing: 1)
    case UInt8(ascii: "e"), UInt8(ascii: "u"), 0x90: try popMark(1, pushing: 1)
    case UInt8(ascii: "0"): try pop(1)
    case UInt8(ascii: "2"): try pop(1, pushing: 2)
    case UInt8(ascii: "1"): try popMark(0, pushing: 0)
    case UInt8(ascii: "Q"): try pop(1, pushing: 1)
    default: throw failure("instruction \(code) at byte \(position - 1)")
    }
    return .operation(code)
  }

  /// joblib writes the bytes of arrays between the instructions.
  private func requirePlain(_ name: [UInt8]) throws(ContentError) {
    guard !name.starts(with: "joblib.".utf8), name != Array("NumpyArrayWrapper".utf8), name != Array("NDArrayWrapper".utf8) else {
      throw ContentError(.unsupported, "it has arrays of joblib")
    }
  }
}

/// Compares two pickles.
struct PickleComparison {
  var title = "the pickle"

  func compare(_ old: [UInt8], _ new: [UInt8]) throws(ContentError) -> ContentDifference {
    var (before, after) = (PickleTokens(old), PickleTokens(new))
    var number = 0
    while true {
      let (one, other) = (try before.next(), try after.next())
      guard one == other else {
        return ContentDifference(.different, "\(title): another object at instruction \(number), byte \(after.position)")
      }
      guard one != nil else { break }
      number += 1
    }
    // What follows is none of the pickle's, so its bytes count.
    guard old[before.position...] == new[after.position...] else {
      return ContentDifference(.different, "\(title): other bytes after it")
    }
    return ContentDifference(.equivalent, "the same objects")
  }
}
