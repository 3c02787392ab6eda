import DVPipeline
import DVRepository

/// Plots as one page of HTML that needs nothing else: no script, no font, no network.
///
/// Whoever writes the data of a plot chooses its names and labels; all of them are text on the page and nothing else. Its
/// policy forbids scripts and everything that would be fetched, should a browser see more in it than dv did.
struct PlotPage {
  let report: ReadPlots.Report

  private static let style = """
    :root{color-scheme:light dark;--ground:#f6f7f9;--card:#fff;--ink:#1c2024;--soft:#5d6670;--rule:#e2e5e9;--heat:#0b62a4;--on:#fff}
    *{box-sizing:border-box}
    body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
    header,main,footer{max-width:1560px;margin:0 auto;padding:0 24px}
    header{padding-top:28px}h1{font-size:24px;margin:0 0 4px;letter-spacing:-.01em}
    .about,footer,.files{color:var(--soft)}.about{margin:0 0 20px}footer{padding:20px 24px 36px;font-size:13px}
    main{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,520px),1fr));gap:20px;align-items:start}
    .card{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:18px 20px;min-width:0}
    .wide{grid-column:1/-1}
    h2{font-size:16px;margin:0;overflow-wrap:anywhere}.files{margin:0 0 10px;font-size:13px;overflow-wrap:anywhere}
    figure{margin:0}svg{display:block;width:100%;height:auto}
    .legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:8px 0 0;padding:0;list-style:none;font-size:13px}
    .legend li{display:flex;align-items:center;gap:7px;overflow-wrap:anywhere}.legend svg{width:28px;height:12px;flex:none}
    .notes{margin:8px 0 0;font-size:13px;color:var(--soft)}
    details{margin-top:10px;font-size:13px}summary{cursor:pointer;color:var(--soft)}
    .scroll{overflow-x:auto}table{border-collapse:collapse;margin-top:8px;font-variant-numeric:tabular-nums}
    th,td{padding:3px 14px 3px 0;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
    th:first-child{text-align:left;font-weight:600}thead th{font-weight:600;color:var(--soft)}
    .images{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));gap:16px}
    .images img{display:block;max-width:100%;height:auto;background:#fff;border:1px solid var(--rule);border-radius:6px}
    .images figcaption{margin-top:6px;font-size:13px;color:var(--soft);overflow-wrap:anywhere}
    .problems{margin:0 0 20px}.problems ul{margin:6px 0 0;padding-left:20px}
    .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.cloud{opacity:.72}
    .grid{stroke:var(--rule)}.axis{stroke:var(--soft)}
    text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--ink)}
    .tick,.value{fill:var(--soft)}.label{font-size:13px}.cell{fill:var(--heat)}.on{fill:var(--on)}
    """

  private static let dark = """
    :root{--ground:#14171a;--card:#1c2024;--ink:#e8eaed;--soft:#a3acb6;--rule:#323941;--heat:#6db9f5;--on:#0b1117}
    """

  /// The page.
  var text: String {
    var html = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    html += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
    html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    html += "<title>Plots: \(Markup.text(report.revisions.joined(separator: ", ")))</title>\n<style>\n\(Self.style)\n"
    html += PlotStyle.css(PlotStyle.light) + "\n@media (prefers-color-scheme:dark){\(Self.dark)\(PlotStyle.css(PlotStyle.dark))}\n"
    html += "</style>\n</head>\n<body>\n<header>\n<h1>Plots</h1>\n<p class=\"about\">\(about)</p>\n"
    if !report.problems.isEmpty {
      html += "<section class=\"card problems\" aria-label=\"Warnings\"><h2>\(Count(UInt64(report.problems.count)).of("warning"))</h2><ul>"
      for problem in report.problems { html += "<li>\(Markup.text(problem))</li>" }
      html += "</ul></section>\n"
    }
    html += "</header>\n<main>\n"
    for (index, plot) in report.plots.enumerated() { html += card(plot, index) }
    return html + "</main>\n<footer>Drawn by dv. This page needs no network and runs no script.</footer>\n</body>\n</html>\n"
  }

  private var about: String {
    let names = report.revisions.map { "<strong>\(Markup.text($0))</strong>" }.joined(separator: ", ")
    return "\(Count(UInt64(report.plots.count)).of("plot")) of \(names)"
  }

  private func card(_ plot: ReadPlots.Plot, _ index: Int) -> String {
    let chart = PlotChart(plot, revisions: report.revisions)
    let files = Set(plot.series.map(\.file.text) + plot.images.map(\.path.text)).sorted()
    let isWide = !plot.images.isEmpty && report.revisions.count > 1
    var html = "<section class=\"card\(isWide ? " wide" : "")\" aria-labelledby=\"p\(index)\">"
    html += "<h2 id=\"p\(index)\">\(Markup.text(chart.title))</h2>"
    html += "<p class=\"files\">\(files == [chart.title] ? "" : Markup.text(files.joined(separator: ", ")))</p>"
    if !plot.series.isEmpty { html += figure(chart, index) }
    if !plot.images.isEmpty {
      html += "<div class=\"images\">"
      for image in plot.images {
        let name = "\(image.path.text) at \(image.revision)"
        html += "<figure><img alt=\"\(Markup.text(name))\" src=\"data:\(image.format.rawValue);base64,\(Markup.base64(image.bytes))\">"
        html += "<figcaption>\(Markup.text(image.revision))</figcaption></figure>"
      }
      html += "</div>"
    }
    return html + "</section>\n"
  }

  private func figure(_ chart: PlotChart, _ index: Int) -> String {
    let size = "0 0 \(Markup.number(chart.width)) \(Markup.number(chart.height))"
    var html = "<figure><svg viewBox=\"\(size)\" role=\"img\" aria-labelledby=\"p\(index) d\(index)\">"
    html += "<desc id=\"d\(index)\">\(Markup.text(chart.summary, limit: 2000))</desc>\(chart.body)</svg>"
    if chart.keys.count > 1 || (chart.keys.count == 1 && report.revisions.count > 1) {
      html += "<ul class=\"legend\">"
      for key in chart.keys {
        html += "<li><svg viewBox=\"0 0 28 12\" aria-hidden=\"true\">\(key.style.swatch(isLine: chart.isLine))</svg>\(Markup.text(key.label))</li>"
      }
      html += "</ul>"
    }
    if !chart.notes.isEmpty {
      html += "<figcaption class=\"notes\">\(chart.notes.prefix(20).map { Markup.text($0) }.joined(separator: "<br>"))</figcaption>"
    }
    return html + "</figure>" + figures(chart)
  }

  /// The most telling numbers of each series, for who cannot see lines, or wants to know exactly.
  private func figures(_ chart: PlotChart) -> String {
    let series = chart.plot.series.filter(\.y.isNumeric)
    guard !series.isEmpty else { return "" }
    var html = "<details><summary>Figures</summary><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Series</th>"
    html += ["values", "last", "least", "greatest"].map { "<th scope=\"col\">\($0)</th>" }.joined() + "</tr></thead><tbody>"
    for series in series {
      let figures = PlotFigures(series)
      html += "<tr><th scope=\"row\">\(Markup.text(chart.label(of: series)))</th><td>\(figures.count)</td>"
      for value in [figures.last, figures.least, figures.greatest] {
        html += "<td>\(value.map { PlotScale.label($0) } ?? "–")</td>"
      }
      html += "</tr>"
    }
    return html + "</tbody></table></div></details>"
  }
}
