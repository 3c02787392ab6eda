import DVObject

/// The header of a file of tensors in Hugging Face's format.
///
///     offset  size  meaning
///          0     8  length n of the header, little-endian
///          8     n  JSON: of each tensor its name, dtype, shape and where its bytes are, counted from the end of the header
///      8 + n        the tensors
///
/// `__metadata__` in the header is text about the tensors. Format: github.com/huggingface/safetensors.
struct SafetensorsHeader {
  struct Tensor: Hashable {
    let dtype: String
    let shape: [UInt64]
    /// In the file.
    let range: Range<UInt64>
  }

  /// More than this no model's header has.
  static let maximumByteCount = 32 << 20

  /// By name.
  private(set) var tensors: [String: Tensor] = [:]
  /// In the order of the header.
  private(set) var names: [String] = []

  init(_ source: ContentSource) throws(ContentError) {
    let length = try source.read(0, 8).littleEndian
    guard length <= UInt64(Self.maximumByteCount) else {
      throw ContentError(.malformed, "its header would have \(length) bytes")
    }
    let header = try source.read(8, Int(length))
    guard case .object(let members) = try JSONText.value(header) else { throw ContentError(.malformed, "its header is no mapping") }
    let start = 8 + length
    for member in members.members where member.key != "__metadata__" {
      guard let dtype = member.value["dtype"]?.string, let shape = member.value["shape"]?.array?.map(\.integer),
        let offsets = member.value["data_offsets"]?.array?.map(\.integer), offsets.count == 2, let from = offsets[0],
        let to = offsets[1], from >= 0, to >= from, UInt64(to) <= source.size - start, shape.allSatisfy({ ($0 ?? -1) >= 0 })
      else { throw ContentError(.malformed, "its tensor '\(member.key)' makes no sense") }
      tensors[member.key] = Tensor(
        dtype: dtype, shape: shape.map { UInt64($0 ?? 0) }, range: start + UInt64(from)..<start + UInt64(to))
      names.append(member.key)
    }
  }
}

/// Compares two files of tensors by name.
struct SafetensorsComparison {
  let tolerances: Tolerances
  let path: String

  func compare(_ old: ContentSource, _ new: ContentSource) throws(ContentError) -> ContentDifference {
    let (before, after) = (try SafetensorsHeader(old), try SafetensorsHeader(new))
    var found = ContentDifference(.equivalent, "the same tensors")
    for name in before.names {
      guard let one = before.tensors[name] else { continue }
      guard let other = after.tensors[name] else {
        found.add(ContentDifference(.different, "tensor '\(name)' is gone"))
        continue
      }
      guard one.dtype == other.dtype, one.shape == other.shape else {
        found.add(
          ContentDifference(.different, "tensor '\(name)' is \(other.dtype) \(other.shape), was \(one.dtype) \(one.shape)"))
        continue
      }
      let elements = ElementComparison(
        type: ElementType(safetensors: one.dtype), allowed: tolerances.allowed(name, in: path), title: "tensor '\(name)'")
      found.add(try elements.compare(old.stream(one.range), new.stream(other.range)))
    }
    if let name = after.names.first(where: { before.tensors[$0] == nil }) {
      found.add(ContentDifference(.different, "tensor '\(name)' is new"))
    }
    return found
  }
}
