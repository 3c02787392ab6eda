import ArgumentParser
import DVFile
import SystemPackage

/// Arguments as text that loses no byte.
///
/// The parser works on text, and a file name need not be UTF-8. Each byte that is none becomes a scalar of the last 128
/// code points (U+10FF80 for 0x80 and so on), as Python does with surrogates; where a name has such a scalar itself, its
/// bytes are written likewise. So every argument has one text, and every text one argument.
enum ArgumentText {
  /// The arguments of this process, its name aside.
  static var ofProcess: [String] {
    let count = Int(CommandLine.argc)
    return (1..<max(1, count)).compactMap { index in
      guard let argument = unsafe CommandLine.unsafeArgv[index] else { return nil }
      var bytes: [UInt8] = []
      var next = unsafe argument
      while unsafe next.pointee != 0 {
        unsafe bytes.append(UInt8(bitPattern: next.pointee))
        unsafe next += 1
      }
      return text(of: bytes)
    }
  }

  /// How many arguments follow `--`, which the parser takes away; `nil` if there is none.
  static var countAfterTerminator: Int? {
    let arguments = ofProcess
    return arguments.firstIndex(of: "--").map { arguments.count - $0 - 1 }
  }

  private static let escapes = UInt32(0x10ff80)...0x10ffff

  /// Returns the text of an argument.
  static func text(of bytes: [UInt8]) -> String {
    var text = ""
    var parser = Unicode.UTF8.ForwardParser()
    var source = bytes.makeIterator()
    var position = 0
    while true {
      switch parser.parseScalar(from: &source) {
      case .emptyInput: return text
      case .error(let length):
        escape(bytes[position..<position + length], into: &text)
        position += length
      case .valid(let encoded):
        let scalar = Unicode.UTF8.decode(encoded)
        if escapes.contains(scalar.value) {
          escape(bytes[position..<position + encoded.count], into: &text)
        } else {
          text.unicodeScalars.append(scalar)
        }
        position += encoded.count
      }
    }
  }

  private static func escape(_ bytes: ArraySlice<UInt8>, into text: inout String) {
    for byte in bytes {
      // All of them are 0x80 or more, and these code points are all scalars.
      if let scalar = Unicode.Scalar(0x10ff00 + UInt32(byte)) { text.unicodeScalars.append(scalar) }
    }
  }

  /// Returns the argument of a text.
  static func bytes(of text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      if escapes.contains(scalar.value) {
        bytes.append(UInt8(scalar.value & 0xff))
      } else {
        bytes.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
      }
    }
    return bytes
  }
}

/// A path as the user gave it, in all its bytes.
struct PathArgument: ExpressibleByArgument, Hashable {
  let bytes: [UInt8]

  init(argument: String) { bytes = ArgumentText.bytes(of: argument) }

  var path: FilePath { FilePath(rawBytes: bytes) }

  static var defaultCompletionKind: CompletionKind { .file() }
}
