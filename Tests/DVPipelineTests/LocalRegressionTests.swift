import Testing

@testable import DVPipeline

/// Smoothing as Cleveland describes it.
struct LocalRegressionTests {
  /// What `statsmodels.nonparametric.smoothers_lowess.lowess` 0.14 gives for `(i * 7919 % 101) / 101 + i / 20`, i from 0 to 39, with 9 in
  /// place 17, `frac=0.3, it=2, delta=0`: the outlier leaves no trace.
  private static let reference = [
    0.2839, 0.3661, 0.4475, 0.5304, 0.614, 0.6911, 0.7345, 0.7774, 0.8424, 0.911, 0.9756, 1.0176, 1.0552, 1.102, 1.1481, 1.1989, 1.2352,
    1.276, 1.34, 1.4116, 1.4911, 1.5556, 1.6142, 1.6826, 1.7505, 1.8142, 1.8555, 1.8967, 1.9602, 2.0274, 2.0901, 2.1295, 2.1599, 2.1887,
    2.2158, 2.256, 2.3003, 2.3435, 2.386, 2.4312,
  ]

  private static var points: [(x: Double, y: Double)] {
    (0..<40).map { number in
      let value: Double = Double(number * 7919 % 101) / 101 + Double(number) / 20
      return (x: Double(number), y: number == 17 ? 9.0 : value)
    }
  }

  @Test func agreesWithStatsmodels() {
    for points in [Self.points, Self.points.reversed()] {
      let course = LocalRegression().smooth(points)
      #expect(course.map(\.x) == (0..<40).map(Double.init))
      let worst = zip(course, Self.reference).map { abs($0.y - $1) }.max() ?? 1
      #expect(worst < 0.001, "\(worst)")
    }
  }

  /// A line stays a line, however far from 0 and however uneven its points.
  @Test func aLineStaysALine() {
    let places: [Double] = [0, 1, 3, 3, 4, 10, 11, 12, 30, 31]
    let points = places.map { (x: 1.7e9 + $0, y: 5 - 2 * $0) }
    for (x, y) in LocalRegression().smooth(points) { #expect(abs(y - (5 - 2 * (x - 1.7e9))) < 1e-6) }
    #expect(LocalRegression().smooth(points).count == 9)
  }

  @Test func fewPointsAreTakenAsTheyAre() {
    #expect(LocalRegression().smooth([]).isEmpty)
    #expect(LocalRegression().smooth([(1, 2), (1, 4)]).map(\.y) == [3])
    #expect(LocalRegression().smooth([(2, 1), (1, 5)]).map(\.x) == [1, 2])
    let same = LocalRegression().smooth(Array(repeating: (3, 7), count: 50))
    #expect(same.count == 1 && abs(same[0].y - 7) < 1e-12)
  }

  /// A million points take as long as some thousand.
  @Test func manyPointsAreAveragedFirst() {
    let course = LocalRegression().smooth((0..<1_000_000).map { (Double($0), Double($0 % 2)) })
    #expect(course.count == LocalRegression.pointLimit && course.allSatisfy { abs($0.y - 0.5) < 0.01 })
  }
}
