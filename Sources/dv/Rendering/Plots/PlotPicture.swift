import DVPipeline
import DVRepository

/// Plots as one SVG file, below each other on white.
struct PlotPicture {
  let report: ReadPlots.Report

  private static let style = """
    text{font:12px system-ui,"Segoe UI",Roboto,Arial,sans-serif;fill:#1c2024}.tick,.value{fill:#5d6670}.label{font-size:13px}\
    .title{font-size:16px;font-weight:600}.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}\
    .cloud{opacity:.72}.grid{stroke:#e2e5e9}.axis{stroke:#5d6670}.cell{fill:#0b62a4}.on{fill:#fff}
    """

  /// The file.
  var text: String {
    var body = ""
    var top = 20.0
    for plot in report.plots { body += drawing(of: plot, top: &top) }
    let size = "width=\"768\" height=\"\(Markup.number(top))\" viewBox=\"0 0 768 \(Markup.number(top))\""
    let title = Markup.text("Plots: \(report.revisions.joined(separator: ", "))")
    return """
      <svg xmlns="http://www.w3.org/2000/svg" \(size) role="img"><title>\(title)</title><style>\(Self.style)\
      \(PlotStyle.css(PlotStyle.light))</style><rect width="100%" height="100%" fill="#fff"/>\(body)</svg>

      """
  }

  private func drawing(of plot: ReadPlots.Plot, top: inout Double) -> String {
    let chart = PlotChart(plot, revisions: report.revisions)
    var text = "<text class=\"title\" x=\"24\" y=\"\(Markup.number(top + 16))\">\(Markup.text(chart.title, limit: 80))</text>"
    top += 32
    if !plot.series.isEmpty {
      let size = "width=\"\(Markup.number(chart.width))\" height=\"\(Markup.number(chart.height))\""
      text += "<svg x=\"24\" y=\"\(Markup.number(top))\" \(size)><desc>\(Markup.text(chart.summary, limit: 2000))</desc>\(chart.body)</svg>"
      top += chart.height + 8
      if chart.keys.count > 1 || (chart.keys.count == 1 && report.revisions.count > 1) {
        for key in chart.keys {
          text += "<g transform=\"translate(64 \(Markup.number(top)))\">\(key.style.swatch(isLine: chart.isLine))"
          text += "<text x=\"36\" y=\"10\">\(Markup.text(key.label, limit: 90))</text></g>"
          top += 18
        }
      }
      for note in chart.notes.prefix(20) {
        text += "<text class=\"tick\" x=\"64\" y=\"\(Markup.number(top + 12))\">\(Markup.text(note, limit: 110))</text>"
        top += 18
      }
    }
    for image in plot.images {
      let data = "data:\(image.format.rawValue);base64,\(Markup.base64(image.bytes))"
      text += "<text class=\"label\" x=\"24\" y=\"\(Markup.number(top + 12))\">\(Markup.text("\(image.revision): \(image.path.text)", limit: 110))</text>"
      text += "<image x=\"24\" y=\"\(Markup.number(top + 20))\" width=\"720\" height=\"405\" preserveAspectRatio=\"xMinYMin meet\" href=\"\(data)\"/>"
      top += 440
    }
    top += 24
    return text
  }
}
