/// Why bytes are not a pack or an index segment that this version of dv can read.
public enum PackFormatError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The magic is another format's.
  case notAPack
  case notAnIndex
  /// Made by a newer dv.
  case unknownVersion(UInt16)
  case unknownFeatures(UInt16)
  case unknownKind(UInt8)
  case unknownCodec(UInt8)
  /// The bytes end inside the named part.
  case truncated(String)
  /// The named part does not have the bytes that were written.
  case damaged(String)

  public var description: String {
    switch self {
    case .notAPack: "not a pack: the magic is missing"
    case .notAnIndex: "not an index segment: the magic is missing"
    case .unknownVersion(let version): "format version \(version) is newer than this dv reads; install a newer dv"
    case .unknownFeatures(let bits): "needs features 0x\(String(bits, radix: 16)) that this dv lacks; install a newer dv"
    case .unknownKind(let kind): "object kind \(kind) is unknown to this dv; install a newer dv"
    case .unknownCodec(let codec): "codec \(codec) is unknown to this dv; install a newer dv"
    case .truncated(let part): "truncated in \(part)"
    case .damaged(let part): "damaged in \(part)"
    }
  }
}
