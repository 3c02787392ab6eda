import DVObject
import Testing

@testable import DVRepository

/// What a remote saw, as bytes.
struct WitnessTests {
  private static let vector = Array(
    """
    dv-witness 1
    chain 1790000000 9f3c52d0c8a14b7e8d1f0a6b5c4d3e2f 17 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d
    commit 1790000000 8c0b8b2f7a0c4a5f9d1e2b3c4d5e6f708192a3b4
    tag 1790000000 51aa1c0de4b7f7f2f3e4d5c6b7a8990011223344 churn@v0.2.0

    """.utf8)

  @Test func theFormatIsFrozen() throws {
    let witness = try #require(Witness(decoding: Self.vector))
    #expect(witness.encoded() == Self.vector)
    #expect(ObjectID(hashing: Self.vector.span).hex == "c82b08e39e61788c00c3250ca4ed9250c228909270d994c412a3d8d46486abe7")
    #expect(witness.tags["churn@v0.2.0"]?.map(\.object) == ["51aa1c0de4b7f7f2f3e4d5c6b7a8990011223344"])
    var other = Witness([.tag(object: "51aa1c0de4b7f7f2f3e4d5c6b7a8990011223344", name: "churn@v0.2.0")], at: 5)
    other.add(witness)
    #expect(other.seen.count == 3 && other.tags["churn@v0.2.0"]?.first?.time == 5)
  }

  /// There is one form, and each byte counts.
  @Test func everyOtherFormIsRefused() {
    for position in Self.vector.indices {
      var altered = Self.vector
      altered[position] ^= 1
      if let read = Witness(decoding: altered) { #expect(read != Witness(decoding: Self.vector) && read.encoded() == altered) }
    }
    for text in ["", "dv-witness 2\n", "dv-witness 1", "dv-witness 1\n\n", "dv-witness 1\ncommit 1 8c0b\n", "dv-witness 1\nnew 1 2\n"] {
      #expect(Witness(decoding: Array(text.utf8)) == nil, "\(text)")
    }
    #expect(Witness(decoding: Array("dv-witness 1\n".utf8))?.seen.isEmpty == true)
  }
}
