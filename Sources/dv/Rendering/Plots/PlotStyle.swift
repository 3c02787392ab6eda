/// How series are told apart: by colour, by dashes and by the form of marks, so that nobody depends on colour alone.
struct PlotStyle: Hashable {
  let colour: Int
  let form: Int

  static let colourCount = 8
  static let dashes = ["", "7 4", "2 3", "9 3 2 3", "1 4", "12 4"]

  /// Colours that people with any common kind of colour vision tell apart, each with a contrast of 3 to 1 and more to
  /// its ground: on white, and on near black.
  static let light = ["#0072b2", "#c64600", "#00805e", "#a3508a", "#8a6d00", "#3a86c8", "#5b5b5b", "#7a3fb0"]
  static let dark = ["#5cb8f0", "#ff9454", "#35cfa4", "#eda0d2", "#e8c547", "#9cc9ff", "#c0c0c0", "#c6a0f5"]

  private var dash: String {
    let dash = Self.dashes[form % Self.dashes.count]
    return dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\""
  }

  /// A line through points given as an SVG path.
  func line(_ path: String) -> String { "<path class=\"line l\(colour % Self.colourCount)\"\(dash) d=\"\(path)\"/>" }

  /// A mark at a place.
  func mark(_ x: Double, _ y: Double, size: Double = 3) -> String {
    let (a, b) = (Markup.number(x), Markup.number(y))
    let kind = "class=\"f\(colour % Self.colourCount)\""
    let (left, right, top, bottom) = (
      Markup.number(x - size), Markup.number(x + size), Markup.number(y - size), Markup.number(y + size)
    )
    switch form % 4 {
    case 0: return "<circle \(kind) cx=\"\(a)\" cy=\"\(b)\" r=\"\(Markup.number(size))\"/>"
    case 1:
      let side = Markup.number(2 * size)
      return "<rect \(kind) x=\"\(left)\" y=\"\(top)\" width=\"\(side)\" height=\"\(side)\"/>"
    case 2: return "<path \(kind) d=\"M\(a) \(top)L\(right) \(bottom)L\(left) \(bottom)Z\"/>"
    default: return "<path \(kind) d=\"M\(a) \(top)L\(right) \(b)L\(a) \(bottom)L\(left) \(b)Z\"/>"
    }
  }

  /// What stands before a name in the legend, 28 wide and 12 high.
  func swatch(isLine: Bool) -> String {
    (isLine ? line("M0 6L28 6") : "") + mark(14, 6, size: 3.5)
  }

  /// The classes of these colours as CSS.
  static func css(_ colours: [String]) -> String {
    colours.enumerated().map { ".l\($0.offset){stroke:\($0.element)}.f\($0.offset){fill:\($0.element)}" }.joined()
  }
}
