import DVZstd
import Testing

@Suite struct ByteGroupingTests {
  @Test func layoutIsPlanesThenTail() {
    var output: [UInt8] = []
    ByteGrouping.two.split(([10, 20, 11, 21, 12, 22, 99] as [UInt8]).span, into: &output)
    #expect(output == [10, 11, 12, 20, 21, 22, 99])
    output = [5]
    ByteGrouping.four.split(([1, 2, 3, 4, 11, 12, 13, 14, 97, 98, 99] as [UInt8]).span, into: &output)
    #expect(output == [5, 1, 11, 2, 12, 3, 13, 4, 14, 97, 98, 99])
  }

  /// At every length around the width of a vector, joining undoes splitting and planes lie where they are said to.
  @Test(arguments: ByteGrouping.allCases)
  func joinUndoesSplit(grouping: ByteGrouping) {
    var samples = SampleBytes(seed: 6)
    for count in Array(0..<300) + [65_536, 100_003] {
      let input = samples.noise(count)
      var (grouped, joined) = ([UInt8](), [UInt8]())
      grouping.split(input.span, into: &grouped)
      grouping.join(grouped.span, into: &joined)
      #expect(joined == input)
      for index in 0..<grouping.width {
        let plane = grouping.plane(index, of: count).map { grouped[$0] }
        #expect(plane == (0..<count / grouping.width).map { input[$0 * grouping.width + index] })
      }
      #expect(grouping.tail(of: count).map { grouped[$0] } == input.suffix(count % grouping.width))
    }
  }

  /// Planes are joined wherever they lie, and one wrong byte is seen at each place.
  @Test(arguments: ByteGrouping.allCases)
  func planesAreJoinedFromTwoRuns(grouping: ByteGrouping) {
    var samples = SampleBytes(seed: 7)
    for count in [0, 1, 2, 3, 4, 7, 64, 259, 1_030] {
      let input = samples.noise(count)
      var grouped: [UInt8] = []
      grouping.split(input.span, into: &grouped)
      // Every second plane is decoded, those with something between; the rest ends the stored bytes.
      var (stored, decoded, places) = ([7, 7] as [UInt8], [] as [UInt8], PlanePlaces())
      for index in 0..<grouping.width {
        let plane = grouped[grouping.plane(index, of: count)]
        places.append(index % 2 == 0 ? .stored(at: stored.count) : .decoded(at: decoded.count))
        if index % 2 == 0 { stored += plane + [9] } else { decoded += plane }
      }
      stored += grouped[grouping.tail(of: count)]
      var joined: [UInt8] = []
      grouping.join(places, stored: stored.span, decoded: decoded.span, count: count, into: &joined)
      #expect(joined == input)
      let isSame = grouping.isJoined(places, stored: stored.span, decoded: decoded.span, to: input.span)
      #expect(isSame)
      for index in input.indices {
        var wrong = input
        wrong[index] ^= 1 << UInt8(index % 8)
        let isStillSame = grouping.isJoined(places, stored: stored.span, decoded: decoded.span, to: wrong.span)
        #expect(!isStillSame)
      }
    }
  }
}
