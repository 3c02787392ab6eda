import DVContent
import DVObject
import DVTesting
import Testing

/// Contents that are alike, and hostile ones.
struct ContentComparisonTests {
  private func compare(
    _ name: String, _ old: [UInt8], _ new: [UInt8], _ rules: [Tolerances.Rule] = []
  ) throws -> ContentDifference {
    try ContentComparison(of: name, Tolerances(rules)).compare(ContentSource(old), ContentSource(new))
  }

  @Test func bytes() throws {
    #expect(try compare("a.bin", [1, 2], [1, 2]).verdict == .identical)
    let found = try compare("a.bin", [1, 2, 3], [1, 9, 3])
    #expect(found.verdict == .different && found.reason == "other bytes from byte 1 on")
    #expect(try compare("a.bin", [1], [1, 2]).reason == "2 bytes, was 1")
  }

  @Test func json() throws {
    let old = Array(#"{"a": 1, "b": [1.0, NaN], "c": {"d": "x"}}"#.utf8)
    #expect(try compare("m.json", old, Array(#"{"c":{"d":"x"},"b":[1,NaN],"a":1.0}"#.utf8)).verdict == .equivalent)
    let other = Array(#"{"a": 1.05, "b": [1.0, NaN], "c": {"d": "x"}}"#.utf8)
    let found = try compare("m.json", old, other)
    #expect(found.verdict == .different && found.reason == "'a': 1.05, was 1.0")
    #expect(try compare("m.json", old, other, [.init("a", relative: 0.05)]).verdict == .withinTolerance)
    #expect(try compare("m.json", old, other, [.init("m.json:a", relative: 0.05)]).verdict == .withinTolerance)
    #expect(try compare("m.json", old, other, [.init("m*n", relative: 0.04)]).verdict == .different)
    // Text never is within a tolerance, and what is no JSON is compared by its bytes.
    #expect(try compare("m.json", old, Array(#"{"a":1,"b":[1,NaN],"c":{"d":"y"}}"#.utf8), [.init("*", relative: 9)]).verdict == .different)
    #expect(try compare("m.json", Array("{".utf8), Array("{ ".utf8)).verdict == .different)
    let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
    #expect(try compare("m.json", deep, deep + [0x20]).verdict == .different)
  }

  @Test func safetensors() throws {
    let (one, two) = (Sample.floats([1, 2]), Sample.floats([3]))
    let old = Sample.safetensors(
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#, one + two)
    let moved = Sample.safetensors(
      #"{"__metadata__":{"t":"x"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
      two + one)
    #expect(try compare("m.safetensors", old, moved).verdict == .equivalent)
    let changed = Sample.safetensors(
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
      Sample.floats([1, 2.0002]) + two)
    let found = try compare("m.safetensors", old, changed)
    #expect(found.verdict == .different && found.reason?.hasPrefix("tensor 'a' [1]: 2.000") == true)
    #expect(try compare("m.safetensors", old, changed, [.init("a", relative: 0.001)]).verdict == .withinTolerance)
    #expect(try compare("m.safetensors", old, changed, [.init("b", relative: 0.001)]).verdict == .different)
    // Half and brain floats.
    for (type, bits, other) in [("F16", UInt16(0x3c00), UInt16(0x3c01)), ("BF16", UInt16(0x3f80), UInt16(0x3f81))] {
      let header = #"{"h":{"dtype":"\#(type)","shape":[1],"data_offsets":[0,2]}}"#
      let (left, right) = (Sample.safetensors(header, Sample.little(bits, 2)), Sample.safetensors(header, Sample.little(other, 2)))
      #expect(try compare("m.safetensors", left, right, [.init("h", relative: 0.01)]).verdict == .withinTolerance)
    }
    // Offsets that lie outside, a header longer than the file, a header of 2^63 bytes.
    for bad in [
      Sample.safetensors(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9999]}}"#, one), Sample.little(UInt64(1) << 63, 8) + one,
      Sample.little(UInt64(500), 8) + one, [1, 2, 3],
    ] { #expect(try compare("m.safetensors", bad, old).verdict == .different) }
  }

  @Test func archivesAndArrays() throws {
    let old = Sample.zip([("a.npy", Sample.npy([1, 2])), ("b.txt", Array("b".utf8))])
    #expect(try compare("m.npz", old, Sample.zip([("b.txt", Array("b".utf8)), ("a.npy", Sample.npy([1, 2]))], time: 77)).verdict == .equivalent)
    let changed = Sample.zip([("a.npy", Sample.npy([1, 2.5], padding: 3)), ("b.txt", Array("b".utf8))])
    let found = try compare("m.npz", old, changed)
    #expect(found.verdict == .different && found.reason == "array 'a' [1]: 2.5, was 2.0")
    #expect(try compare("m.npz", old, changed, [.init("a", relative: 0.2)]).verdict == .withinTolerance)
    #expect(try compare("m.npz", old, Sample.zip([("a.npy", Sample.npy([1, 2]))])).reason == "'b.txt' in the archive is gone")
    #expect(try compare("x.npy", Sample.npy([1]), Sample.npy([1], padding: 9)).verdict == .equivalent)
    #expect(try compare("x.npy", Sample.npy([1]), Sample.npy([1, 1])).reason == "the array is <f4 (2,), was <f4 (1,)")
  }

  @Test func pickles() throws {
    #expect(try compare("m.pkl", Sample.pickle, Sample.optimized).verdict == .equivalent)
    #expect(try compare("m.pkl", Sample.set, Sample.otherOrder).verdict == .equivalent)
    #expect(try compare("m.pkl", Sample.pickle, Sample.otherNumber).verdict == .different)
    // What follows the pickle counts.
    #expect(try compare("m.pkl", Sample.pickle + [1], Sample.optimized + [2]).verdict == .different)
    #expect(try compare("m.pkl", Sample.pickle + [1], Sample.optimized + [1]).verdict == .equivalent)
    // Arrays of joblib lie between the instructions: refused, not misunderstood.
    let joblib = [0x80, 4, UInt8(ascii: "c")] + Array("joblib.numpy_pickle\nNumpyArrayWrapper\n.".utf8)
    let found = try compare("m.pkl", joblib + [0], joblib + [1])
    #expect(found.verdict == .different && found.reason?.contains("joblib") == true)
  }

  /// Whatever is changed in a file, the answer is an answer: never equal by mistake, never a crash, never much memory.
  @Test func damageIsNoTrap() throws {
    var generator = SeededGenerator(seed: 20_261_128)
    let samples: [(String, [UInt8])] = [
      ("m.npz", Sample.zip([("a.npy", Sample.npy([1, 2, 3])), ("b.json", Array(#"{"a":1}"#.utf8))])),
      ("m.pkl", Sample.pickle), ("m.pkl", Sample.set), ("x.npy", Sample.npy([4, 5, 6])),
      ("m.safetensors", Sample.safetensors(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, Sample.floats([1, 2]))),
      ("m.json", Array(#"{"a": [1, 2, {"b": null}]}"#.utf8)), ("x.gz", Sample.hex("1f8b08000000000002ff4b040043beb7e801000000")),
    ]
    for (name, sample) in samples {
      for _ in 0..<400 {
        var damaged = sample
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
          let place = Int.random(in: 0..<damaged.count, using: &generator)
          switch Int.random(in: 0..<3, using: &generator) {
          case 0: damaged[place] = UInt8.random(in: 0...255, using: &generator)
          case 1: damaged.remove(at: place)
          default: damaged.insert(UInt8.random(in: 0...255, using: &generator), at: place)
          }
        }
        _ = try compare(name, sample, damaged, [.init("nothing", relative: 1)])
        _ = try compare(name, damaged, damaged.dropLast(1) + [7])
      }
    }
  }

  @Test func gzip() throws {
    // "a", compressed at two times.
    let old = Sample.hex("1f8b08000000000002ff4b040043beb7e801000000")
    let new = Sample.hex("1f8b08000102030402ff4b040043beb7e801000000")
    #expect(try compare("x.csv.gz", old, new).verdict == .equivalent)
    #expect(try compare("x.csv.gz", old, new + [0]).verdict == .different)
  }
}
