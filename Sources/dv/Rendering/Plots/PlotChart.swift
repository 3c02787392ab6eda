import DVPipeline
import DVRepository

/// One plot as SVG: axes, and lines, points, bars or cells.
struct PlotChart {
  /// What the legend says of one series.
  struct Key {
    let style: PlotStyle
    let label: String
  }

  let plot: ReadPlots.Plot
  /// All versions of the page, so that each has one colour on it.
  let revisions: [String]
  /// Fields of this plot, each with its file.
  private let fields: [Field]

  /// In units of SVG, which are pixels unless the page is scaled.
  private(set) var width = 720.0
  private(set) var height = 400.0
  /// Elements of SVG.
  private(set) var body = ""
  private(set) var keys: [Key] = []
  /// What is not drawn, in words.
  private(set) var notes: [String] = []

  /// The most points of a series that are drawn as such, and how many rows or columns a matrix or bars have at most.
  static let pointLimit = 4000
  static let categoryLimit = 60

  private struct Field: Hashable {
    let file: StagePath
    let name: String
  }

  init(_ plot: ReadPlots.Plot, revisions: [String]) {
    self.plot = plot
    self.revisions = revisions
    var fields: [Field] = []
    for series in plot.series {
      let field = Field(file: series.file, name: series.field)
      if !fields.contains(field) { fields.append(field) }
    }
    self.fields = fields
    guard !plot.series.isEmpty else { return }
    switch plot.definition.template {
    case .confusion: drawMatrices(isNormalized: false)
    case .normalizedConfusion: drawMatrices(isNormalized: true)
    case .bar: drawBars()
    case .scatter: drawPoints(joined: false)
    case .linear, .smooth: drawPoints(joined: true)
    }
  }

  // MARK: - Names

  var title: String { plot.definition.title ?? plot.definition.name }

  private var template: PlotDefinition.Template { plot.definition.template }

  var isLine: Bool { template == .linear || template == .smooth }

  private func style(of series: PlotSeries) -> PlotStyle {
    let field = fields.firstIndex(of: Field(file: series.file, name: series.field)) ?? 0
    let revision = revisions.firstIndex(of: series.revision) ?? 0
    if revisions.count == 1 { return PlotStyle(colour: field, form: field) }
    return PlotStyle(colour: revision, form: fields.count == 1 ? revision : field)
  }

  /// How a series is called: by what tells it from the others.
  func label(of series: PlotSeries) -> String {
    let name = fieldLabel(series)
    if revisions.count == 1 { return name }
    return fields.count == 1 ? series.revision : "\(series.revision): \(name)"
  }

  private func fieldLabel(_ series: PlotSeries) -> String {
    let alike = fields.filter { $0.name == series.field }
    guard alike.count > 1 else { return series.field }
    let stem = series.file.names.last ?? series.file.text
    let isUnique = alike.count { $0.file.names.last == stem } == 1
    return "\(series.field) of \(isUnique ? stem : series.file.text)"
  }

  private var xLabel: String {
    if let label = plot.definition.xLabel { return label }
    let names = Set(plot.series.map { $0.xField ?? "row" })
    return names.count == 1 ? names.first ?? "" : ""
  }

  private var yLabel: String {
    if let label = plot.definition.yLabel { return label }
    let names = Set(fields.map(\.name))
    return names.count == 1 ? names.first ?? "" : ""
  }

  /// What is seen, in words, for who does not see it.
  var summary: String {
    let kind =
      switch template {
      case .linear: "Line chart"
      case .smooth: "Smoothed line chart"
      case .scatter: "Scatter plot"
      case .bar: "Bar chart"
      case .confusion, .normalizedConfusion: "Confusion matrix"
      }
    var text = "\(kind) of \(fields.map(\.name).joined(separator: ", ")) along \(plot.series.first?.xField ?? "the number of the row")."
    for series in plot.series.prefix(12) {
      let figures = PlotFigures(series)
      guard let least = figures.least, let greatest = figures.greatest else { continue }
      text += " \(label(of: series)): \(series.y.count) values from \(PlotScale.label(least)) to \(PlotScale.label(greatest))."
    }
    return text
  }

  // MARK: - Frame

  private struct Frame {
    var left = 64.0
    var right = 704.0
    var top = 12.0
    var bottom = 348.0
    let x: PlotScale
    let y: PlotScale

    func place(_ x: Double, _ y: Double) -> (x: Double, y: Double)? {
      guard let a = self.x.position(x), let b = self.y.position(y) else { return nil }
      return (left + a * (right - left), bottom - b * (bottom - top))
    }
  }

  private static func clipped(_ text: String, _ count: Int) -> String {
    Markup.text(text.count > count ? String(text.prefix(count - 1)) + "…" : text)
  }

  private mutating func drawAxes(_ frame: Frame) {
    for mark in frame.y.marks {
      guard let place = frame.place(frame.x.low, mark.value) else { continue }
      let y = Markup.number(place.y)
      body += "<line class=\"grid\" x1=\"\(Markup.number(frame.left))\" y1=\"\(y)\" x2=\"\(Markup.number(frame.right))\" y2=\"\(y)\"/>"
      body += "<text class=\"tick\" text-anchor=\"end\" x=\"\(Markup.number(frame.left - 8))\" y=\"\(Markup.number(place.y + 4))\">"
      body += "\(Self.clipped(mark.label, 16))</text>"
    }
    for mark in frame.x.marks {
      guard let place = frame.place(mark.value, frame.y.low) else { continue }
      let x = Markup.number(place.x)
      body += "<line class=\"axis\" x1=\"\(x)\" y1=\"\(Markup.number(frame.bottom))\" x2=\"\(x)\" y2=\"\(Markup.number(frame.bottom + 4))\"/>"
      body += "<text class=\"tick\" text-anchor=\"middle\" x=\"\(x)\" y=\"\(Markup.number(frame.bottom + 18))\">"
      body += "\(Self.clipped(mark.label, 14))</text>"
    }
    body += "<line class=\"axis\" x1=\"\(Markup.number(frame.left))\" y1=\"\(Markup.number(frame.bottom))\""
    body += " x2=\"\(Markup.number(frame.right))\" y2=\"\(Markup.number(frame.bottom))\"/>"
    let middle = Markup.number((frame.left + frame.right) / 2)
    body += "<text class=\"label\" text-anchor=\"middle\" x=\"\(middle)\" y=\"\(Markup.number(frame.bottom + 40))\">"
    body += "\(Self.clipped(xLabel, 80))</text>"
    let center = Markup.number((frame.top + frame.bottom) / 2)
    body += "<text class=\"label\" text-anchor=\"middle\" transform=\"translate(15 \(center)) rotate(-90)\">\(Self.clipped(yLabel, 50))</text>"
  }

  // MARK: - Lines and points

  private mutating func drawPoints(joined: Bool) {
    let series = plot.series
    var names: [String]?
    if !series.allSatisfy(\.x.isNumeric) {
      var seen: Set<String> = []
      names = series.flatMap(\.x.labels).filter { seen.insert($0).inserted }
    }
    let numeric = series.filter(\.y.isNumeric)
    for other in series where !other.y.isNumeric { notes.append("'\(other.field)' at \(other.revision) is text and is not drawn.") }
    let positions = Dictionary(uniqueKeysWithValues: (names ?? []).enumerated().map { ($0.element, Double($0.offset)) })
    func xs(_ series: PlotSeries) -> [Double] {
      if names != nil { return series.x.labels.map { positions[$0] ?? .nan } }
      if case .numbers(let values) = series.x { return values }
      return []
    }
    func ys(_ series: PlotSeries) -> [Double] { if case .numbers(let values) = series.y { values } else { [] } }
    let yScale = PlotScale(numeric.lazy.flatMap(ys))
    var frame = Frame(
      x: names.map { PlotScale(labels: $0, count: 8) } ?? PlotScale(numeric.lazy.flatMap(xs), count: 8), y: yScale)
    frame.left = 40 + 7.2 * Double(min(16, yScale.marks.map(\.label.count).max() ?? 0))
    drawAxes(frame)
    for series in numeric {
      let points = zip(xs(series), ys(series)).map { ($0, $1) }
      let style = style(of: series)
      let gaps = points.count { !($0.0.isFinite && $0.1.isFinite) }
      if gaps > 0 { notes.append("\(label(of: series)): \(Count(UInt64(gaps)).of("value")) without a finite number, left out.") }
      if template == .smooth {
        // As DVC draws it: what was measured, pale, and its course.
        body += "<g opacity=\"0.25\">\(style.line(Self.path(Self.ordered(points), frame)))</g>"
        let known = points.filter { $0.0.isFinite && $0.1.isFinite }.map { (x: $0.0, y: $0.1) }
        body += style.line(Self.path(LocalRegression().smooth(known).map { ($0.x, $0.y) }, frame))
      } else if joined {
        body += style.line(Self.path(Self.ordered(points), frame))
        let shown = points.count { $0.0.isFinite && $0.1.isFinite }
        if shown <= 40 { drawMarks(points, series, style, frame, size: 3) }
      } else {
        let stride = max(1, (points.count + Self.pointLimit - 1) / Self.pointLimit)
        if stride > 1 { notes.append("\(label(of: series)): every \(stride)th of \(points.count) points is drawn.") }
        let shown = points.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
        body += "<g class=\"cloud\">"
        drawMarks(shown, series, style, frame, size: shown.count > 500 ? 2 : 3.2)
        body += "</g>"
      }
      // What lies below another line is not seen.
      if let same = numeric.first(where: { $0.field == series.field && $0.file == series.file && $0.x == series.x && $0.y == series.y }),
        same.revision != series.revision
      {
        notes.append("\(label(of: series)): the same as at \(same.revision).")
      }
      keys.append(Key(style: style, label: label(of: series)))
    }
    if template == .smooth, !numeric.isEmpty {
      notes.append("Smoothed by locally weighted regression (LOESS) over \(Int(LocalRegression.standardBandwidth * 100))% of the points at a time; the pale lines are the values as they are.")
    }
  }

  private mutating func drawMarks(
    _ points: [(Double, Double)], _ series: PlotSeries, _ style: PlotStyle, _ frame: Frame, size: Double
  ) {
    for (x, y) in points {
      guard let place = frame.place(x, y) else { continue }
      let mark = style.mark(place.x, place.y, size: size)
      guard points.count <= 200 else {
        body += mark
        continue
      }
      let name = series.x.isNumeric ? PlotScale.label(x) : ""
      body += "<g>\(mark)<title>\(Markup.text("\(label(of: series)): \(name.isEmpty ? "" : "\(name), ")\(PlotScale.label(y))"))</title></g>"
    }
  }

  /// Points from left to right. Those of one x stay in their order, or in the reverse one if all come from the right.
  private static func ordered(_ points: [(Double, Double)]) -> [(Double, Double)] {
    let known = points.filter { $0.0.isFinite }
    if zip(known, known.dropFirst()).allSatisfy({ $0.0 <= $1.0 }) { return known }
    if zip(known, known.dropFirst()).allSatisfy({ $0.0 >= $1.0 }) { return known.reversed() }
    return known.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }.map(\.element)
  }

  /// A line with gaps where there is no number. Of the points that share a column of pixels the first, the lowest, the
  /// highest and the last are drawn, which looks the same.
  private static func path(_ points: [(Double, Double)], _ frame: Frame) -> String {
    var path = ""
    var isOpen = false
    var column: [(x: Double, y: Double)] = []
    func flush() {
      guard let first = column.first, let last = column.last else { return }
      var chosen = [first]
      if column.count > 4 {
        let low = column.indices.min { column[$0].y < column[$1].y } ?? 0
        let high = column.indices.max { column[$0].y < column[$1].y } ?? 0
        chosen += [min(low, high), max(low, high)].map { column[$0] } + [last]
      } else {
        chosen = column
      }
      for place in chosen {
        path += (isOpen ? "L" : "M") + Markup.number(place.x) + " " + Markup.number(place.y)
        isOpen = true
      }
      column.removeAll(keepingCapacity: true)
    }
    for (x, y) in points {
      guard let place = frame.place(x, y) else {
        flush()
        isOpen = false
        continue
      }
      if let first = column.first, first.x.rounded(.down) != place.x.rounded(.down) { flush() }
      column.append(place)
    }
    flush()
    return path
  }

  // MARK: - Bars

  private mutating func drawBars() {
    var order: [String] = []
    var seen: Set<String> = []
    var values: [[String: Double]] = []
    var drawn: [PlotSeries] = []
    for series in plot.series {
      // The names are along either axis.
      let (names, numbers) = series.y.isNumeric ? (series.x, series.y) : (series.y, series.x)
      guard case .numbers(let numbers) = numbers else {
        notes.append("\(label(of: series)): there are no numbers for bars.")
        continue
      }
      let labels = names.labels
      for name in labels where seen.insert(name).inserted { order.append(name) }
      values.append(Dictionary(zip(labels, numbers)) { first, _ in first })
      drawn.append(series)
    }
    if plot.definition.isSorted, let first = values.last { order.sort { (first[$0] ?? -.infinity) > (first[$1] ?? -.infinity) } }
    if order.count > Self.categoryLimit {
      notes.append("\(order.count) bars; the first \(Self.categoryLimit) are drawn.")
      order = Array(order.prefix(Self.categoryLimit))
    }
    let scale = PlotScale(values.flatMap { value in order.compactMap { value[$0] } }, holdsZero: true)
    let thickness = drawn.count > 4 ? 8.0 : 14.0
    let group = thickness * Double(max(1, drawn.count)) + 10
    let left = 24 + 7.2 * Double(min(28, order.map(\.count).max() ?? 0))
    let bottom = 12 + group * Double(order.count)
    height = bottom + 52
    func across(_ value: Double) -> Double { left + (scale.position(value) ?? 0) * (width - 72 - left) }
    for mark in scale.marks {
      let x = Markup.number(across(mark.value))
      body += "<line class=\"grid\" x1=\"\(x)\" y1=\"8\" x2=\"\(x)\" y2=\"\(Markup.number(bottom))\"/>"
      body += "<text class=\"tick\" text-anchor=\"middle\" x=\"\(x)\" y=\"\(Markup.number(bottom + 18))\">\(Self.clipped(mark.label, 14))</text>"
    }
    for (row, name) in order.enumerated() {
      let top = 12 + group * Double(row)
      body += "<text class=\"tick\" text-anchor=\"end\" x=\"\(Markup.number(left - 8))\" y=\"\(Markup.number(top + group / 2))\">"
      body += "\(Self.clipped(name, 28))</text>"
      for (index, series) in drawn.enumerated() {
        guard let value = values[index][name], value.isFinite else { continue }
        let (start, end) = (across(0), across(value))
        let y = top + thickness * Double(index) + 3
        body += "<rect class=\"f\(style(of: series).colour % PlotStyle.colourCount)\" x=\"\(Markup.number(min(start, end)))\" "
        body += "y=\"\(Markup.number(y))\" width=\"\(Markup.number(max(1, abs(end - start))))\" height=\"\(Markup.number(thickness - 2))\" rx=\"2\"/>"
        body += "<text class=\"value\" x=\"\(Markup.number(max(start, end) + 5))\" y=\"\(Markup.number(y + thickness - 4))\">"
        body += "\(PlotScale.label(value, digits: 4))</text>"
      }
    }
    let valueName = drawn.first?.y.isNumeric == false ? xLabel : yLabel
    body += "<text class=\"label\" text-anchor=\"middle\" x=\"\(Markup.number((left + width - 72) / 2))\" y=\"\(Markup.number(bottom + 42))\">"
    body += "\(Self.clipped(valueName, 80))</text>"
    for series in drawn { keys.append(Key(style: PlotStyle(colour: style(of: series).colour, form: 1), label: label(of: series))) }
  }

  // MARK: - Confusion

  private mutating func drawMatrices(isNormalized: Bool) {
    var names: [String] = []
    var seen: Set<String> = []
    for series in plot.series {
      for name in series.x.labels + series.y.labels where seen.insert(name).inserted { names.append(name) }
    }
    let numbers = names.compactMap(Double.init)
    // Classes that are numbers stand in their order.
    if numbers.count == names.count { names.sort { (Double($0) ?? 0) < (Double($1) ?? 0) } } else { names.sort() }
    if names.count > Self.categoryLimit {
      notes.append("\(names.count) classes; the first \(Self.categoryLimit) are drawn.")
      names = Array(names.prefix(Self.categoryLimit))
    }
    let margin = 24 + 7.2 * Double(min(14, names.map(\.count).max() ?? 0))
    let perRow = plot.series.count == 1 ? 1 : 2
    let area = width / Double(perRow)
    let side = min(330, area - margin - 24)
    let cell = side / Double(max(1, names.count))
    let block = side + margin + 60
    height = block * Double((plot.series.count + perRow - 1) / perRow)
    let positions = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($0.element, $0.offset) })
    for (index, series) in plot.series.enumerated() {
      let left = area * Double(index % perRow) + margin + (perRow == 1 ? (width - side - margin) / 2 - 20 : 12)
      let top = block * Double(index / perRow) + 28
      var counts = [[Double]](repeating: [Double](repeating: 0, count: names.count), count: names.count)
      for (x, y) in zip(series.x.labels, series.y.labels) {
        if let column = positions[x], let row = positions[y] { counts[row][column] += 1 }
      }
      let sums = names.indices.map { column in counts.reduce(0) { $0 + $1[column] } }
      let most = counts.joined().max() ?? 0
      if plot.series.count > 1 {
        body += "<text class=\"label\" text-anchor=\"middle\" x=\"\(Markup.number(left + side / 2))\" y=\"\(Markup.number(top - 12))\">"
        body += "\(Self.clipped(label(of: series), 40))</text>"
      }
      for (row, name) in names.enumerated() {
        let y = top + cell * Double(row)
        if cell >= 11 {
          body += "<text class=\"tick\" text-anchor=\"end\" x=\"\(Markup.number(left - 6))\" y=\"\(Markup.number(y + cell / 2 + 4))\">\(Self.clipped(name, 14))</text>"
        }
        for column in names.indices {
          let value = isNormalized ? (sums[column] > 0 ? counts[row][column] / sums[column] : 0) : counts[row][column]
          let share = isNormalized ? value : most > 0 ? value / most : 0
          let x = left + cell * Double(column)
          body += "<g><rect class=\"cell\" fill-opacity=\"\(Self.opacity(share))\" x=\"\(Markup.number(x))\" y=\"\(Markup.number(y))\" "
          body += "width=\"\(Markup.number(cell - 1))\" height=\"\(Markup.number(cell - 1))\"/>"
          if cell >= 26 {
            body += "<text class=\"\(share > 0.45 ? "on" : "off")\" text-anchor=\"middle\" x=\"\(Markup.number(x + cell / 2))\" y=\"\(Markup.number(y + cell / 2 + 4))\">"
            body += "\(PlotScale.label(value, digits: isNormalized ? 2 : 7))</text>"
          }
          body += "<title>\(Markup.text("\(xLabel) \(names[column]), \(yLabel) \(name): \(PlotScale.label(value, digits: 4))"))</title></g>"
        }
      }
      for (column, name) in names.enumerated() where cell >= 11 {
        let x = left + cell * (Double(column) + 0.5)
        let isShort = cell >= 40 && name.count <= 6
        let place = "x=\"\(Markup.number(x))\" y=\"\(Markup.number(top + side + 16))\""
        let turn = isShort ? "text-anchor=\"middle\"" : "text-anchor=\"end\" transform=\"rotate(-40 \(Markup.number(x)) \(Markup.number(top + side + 12)))\""
        body += "<text class=\"tick\" \(turn) \(place)>\(Self.clipped(name, 14))</text>"
      }
      body += "<text class=\"label\" text-anchor=\"middle\" x=\"\(Markup.number(left + side / 2))\" y=\"\(Markup.number(top + side + margin + 14))\">\(Self.clipped(xLabel, 40))</text>"
      let center = "\(Markup.number(left - margin + 6)) \(Markup.number(top + side / 2))"
      body += "<text class=\"label\" text-anchor=\"middle\" transform=\"translate(\(center)) rotate(-90)\">\(Self.clipped(yLabel, 40))</text>"
    }
  }

  private static func opacity(_ share: Double) -> String {
    let value = share <= 0 ? 4 : Int(10 + 90 * share.squareRoot())
    return value >= 100 ? "1" : "0.\(value < 10 ? "0" : "")\(value)"
  }
}

/// Figures of one series, for tables.
struct PlotFigures {
  private(set) var count = 0
  private(set) var last: Double?
  private(set) var least: Double?
  private(set) var greatest: Double?

  init(_ series: PlotSeries) {
    count = series.y.count
    guard case .numbers(let values) = series.y else { return }
    for value in values where value.isFinite {
      last = value
      least = min(least ?? value, value)
      greatest = max(greatest ?? value, value)
    }
  }
}
