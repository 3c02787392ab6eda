/// A smooth course through scattered points: locally weighted regression, robust against outliers (LOWESS).
///
/// At each point a line is fitted to its nearest neighbours, those nearer counting more (tricube), and what the line says there is taken.
/// Twice all is done again with points that lie far from the course counting less (bisquare of six median residuals). After W. S.
/// Cleveland, "Robust Locally Weighted Regression and Smoothing Scatterplots", Journal of the American Statistical Association 74 (1979);
/// shares and rounds are those of Vega's transform `loess`, which DVC's template `smooth` uses.
public struct LocalRegression: Sendable {
  /// The share of all points that are neighbours of each, as in Vega without a `bandwidth`.
  public static let standardBandwidth = 0.3
  /// More points than this are first averaged into so many, in order, so that time does not grow with their square.
  static let pointLimit = 2000
  private static let rounds = 3
  private static let tiny = 1e-12

  private let bandwidth: Double

  public init(bandwidth: Double = standardBandwidth) { self.bandwidth = bandwidth }

  /// Returns the course, in order of x; points of one x are one point of it.
  ///
  /// - Parameter points: finite numbers in any order.
  /// - Complexity: O(*n* log *n*) for sorting, and some millions of steps.
  public func smooth(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    let points = Self.thinned(points.sorted { $0.x < $1.x })
    guard points.count > 2, let first = points.first, let last = points.last, first.x < last.x else { return Self.merged(points) }
    // Near 0, so that sums of squares of large numbers, such as times, lose nothing.
    let (middle, mean) = (first.x / 2 + last.x / 2, points.reduce(0) { $0 + $1.y / Double(points.count) })
    let (xs, ys) = (points.map { $0.x - middle }, points.map { $0.y - mean })
    let neighbours = min(points.count, max(2, Int(bandwidth * Double(points.count))))
    var robustness = [Double](repeating: 1, count: xs.count)
    var course = ys
    for round in 1...Self.rounds {
      var window = 0..<neighbours
      for index in xs.indices {
        Self.move(&window, to: xs[index], xs)
        course[index] = Self.fit(at: xs[index], window, xs, ys, robustness) ?? ys[index]
      }
      if round == Self.rounds { break }
      let residuals = zip(ys, course).map { abs($0 - $1) }
      let median = Self.median(residuals)
      guard median > Self.tiny else { break }
      robustness = residuals.map { residual in
        let share = residual / (6 * median)
        return share >= 1 ? Self.tiny : (1 - share * share) * (1 - share * share)
      }
    }
    return Self.merged(zip(xs, course).map { ($0 + middle, $1 + mean) })
  }

  /// Moves the window on while the next point is nearer than the first one in it.
  private static func move(_ window: inout Range<Int>, to x: Double, _ xs: [Double]) {
    while window.upperBound < xs.count, xs[window.upperBound] - x < x - xs[window.lowerBound] {
      window = (window.lowerBound + 1)..<(window.upperBound + 1)
    }
  }

  /// What the line through the points of the window says at `x`.
  private static func fit(at x: Double, _ window: Range<Int>, _ xs: [Double], _ ys: [Double], _ robustness: [Double]) -> Double? {
    let reach = max(x - xs[window.lowerBound], xs[window.upperBound - 1] - x)
    var (sum, sumX, sumY, sumXY, sumXX) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for index in window {
      // Seen from `x`, what the line says there is where it begins.
      let distance = xs[index] - x
      let share = reach > 0 ? abs(distance) / reach : 0
      let cube = 1 - share * share * share
      let weight = cube * cube * cube * robustness[index]
      sum += weight
      sumX += weight * distance
      sumY += weight * ys[index]
      sumXY += weight * distance * ys[index]
      sumXX += weight * distance * distance
    }
    guard sum > 0 else { return nil }
    let (meanX, meanY) = (sumX / sum, sumY / sum)
    let variance = sumXX / sum - meanX * meanX
    // All of one x: no line, but a mean.
    guard variance > tiny * reach * reach else { return meanY }
    return meanY - (sumXY / sum - meanX * meanY) / variance * meanX
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }

  /// Averages neighbours, in order of x, until there are few enough.
  private static func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    guard points.count > pointLimit else { return points }
    return (0..<pointLimit).map { bin in
      let some = points[(bin * points.count / pointLimit)..<((bin + 1) * points.count / pointLimit)]
      let count = Double(some.count)
      return (some.reduce(0) { $0 + $1.x / count }, some.reduce(0) { $0 + $1.y / count })
    }
  }

  /// Makes one point of those that have the same x.
  private static func merged(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    var merged: [(x: Double, y: Double)] = []
    var begin = 0
    while begin < points.count {
      var end = begin
      while end < points.count, points[end].x == points[begin].x { end += 1 }
      merged.append((points[begin].x, points[begin..<end].reduce(0) { $0 + $1.y / Double(end - begin) }))
      begin = end
    }
    return merged
  }
}
