import DVObject
import DVPipeline

/// An axis: which values it spans, and where it is marked.
struct PlotScale {
  let low: Double
  let high: Double
  let marks: [(value: Double, label: String)]

  /// An axis of numbers with about `count` marks at round values.
  ///
  /// - Parameter holdsZero: whether 0 is on it, as bars need.
  init(_ values: some Sequence<Double>, count: Int = 6, holdsZero: Bool = false) {
    var (least, greatest) = (Double.infinity, -Double.infinity)
    for value in values where value.isFinite {
      // Beyond these the span would not be a number.
      let value = min(max(value, -1e300), 1e300)
      least = min(least, value)
      greatest = max(greatest, value)
    }
    if least > greatest { (least, greatest) = (0, 1) }
    if holdsZero { (least, greatest) = (min(least, 0), max(greatest, 0)) }
    if least == greatest {
      let margin = least == 0 ? 1 : abs(least) * 0.1
      (least, greatest) = (least - margin, greatest + margin)
    }
    let step = Self.step((greatest - least) / Double(count))
    let first = (least / step).rounded(.down)
    let last = (greatest / step).rounded(.up)
    guard step > 0, step.isFinite, last - first < 100, abs(first) < 1e15 else {
      // Numbers that are all but equal: no round ones lie between.
      (low, high) = (least, greatest)
      marks = [(least, Self.label(least)), (greatest, Self.label(greatest))]
      return
    }
    (low, high) = (first * step, last * step)
    marks = (0...Int(last - first)).map { index in
      let value = (first + Double(index)) * step
      return (value, Self.label(abs(value) < step / 1000 ? 0 : value))
    }
  }

  /// An axis of names.
  init(labels: [String], count: Int) {
    (low, high) = (-0.5, Double(max(1, labels.count)) - 0.5)
    let stride = max(1, (labels.count + count - 1) / max(1, count))
    marks = labels.enumerated().filter { $0.offset % stride == 0 }.map { (Double($0.offset), $0.element) }
  }

  /// Where a value lies between the ends, from 0 to 1; `nil` if it is not a number or beyond them.
  func position(_ value: Double) -> Double? {
    guard value.isFinite, value >= low, value <= high else { return nil }
    return (value - low) / (high - low)
  }

  /// The round number (1, 2, 5 times a power of ten) next above `least`.
  private static func step(_ least: Double) -> Double {
    guard least > 0, least.isFinite else { return 1 }
    var power = 1.0
    while power * 10 <= least { power *= 10 }
    while power > least { power /= 10 }
    for factor in [1.0, 2, 5, 10] where power * factor >= least * 0.999_999 { return power * factor }
    return power * 10
  }

  /// A number as people read it on an axis or in a table.
  static func label(_ value: Double, digits: Int = 7) -> String { ValueText(.number(value), precision: digits).description }
}
