import DVFile
import Foundation
import SystemPackage
import Testing

/// `dv plots`: one page that shows what versions have.
struct PlotsTests {
  private static let pixel = Data(
    base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

  private func sandbox() throws -> Sandbox {
    let sandbox = try Sandbox()
    try sandbox.write(
      """
      stages:
        train:
          cmd: cp in.csv log.csv && cp in.csv big.csv
          deps: [in.csv]
          plots:
          - log.csv: {x: step, y: [loss, auc], title: "<script>alert(1)</script>"}
      plots:
      - img
      - Confusion: {template: confusion, x: actual, y: {classes.csv: predicted}}
      - Odd: {template: violin, y: {in.csv: loss}}

      """, to: "dv.yaml")
    try sandbox.write("step,loss,auc\n0,1.5,0.5\n1,nan,0.6\n2,0.9,0.7\n", to: "in.csv")
    try sandbox.write("actual,predicted\ncat,cat\ncat,<b>dog\n<b>dog,<b>dog\n", to: "classes.csv")
    try sandbox.write(Array(try #require(Self.pixel)), to: sandbox.path("img/one.png"))
    try sandbox.dv("repro").succeed()
    try sandbox.dv("add", "img").succeed()
    try sandbox.commit("first")
    try sandbox.shell("sed -i 's/0.9/0.4/' in.csv")
    try sandbox.dv("repro").succeed()
    return sandbox
  }

  @Test func aPageComparesRevisions() throws {
    let sandbox = try sandbox()
    let outcome = try sandbox.dv("plots", "HEAD", "workspace", "-o", "page.html").succeed()
    #expect(outcome.errorText.contains("the template 'violin'"))
    #expect(outcome.errorText.contains("Wrote 'page.html': 4 plots."))
    let page = try sandbox.read("page.html")
    #expect(page.hasPrefix("<!doctype html>") && page.contains("default-src 'none'"))
    #expect(!page.contains("<script") && !page.contains("<b>dog") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    #expect(!page.contains("http://") && !page.contains("https://"))
    #expect(page.components(separatedBy: "data:image/png;base64,").count == 3)
    #expect(page.contains("HEAD: loss") && page.contains("workspace: auc"))
    #expect(page.contains("HEAD: loss: 1 value without a finite number, left out."))
    // The same again, byte for byte.
    try sandbox.dv("plots", "HEAD", "workspace", "-o", "again.html").succeed()
    #expect(try sandbox.read("again.html") == page)
    try sandbox.dv("plots", "-o", "page.svg").succeed()
    let picture = try sandbox.read("page.svg")
    #expect(picture.hasPrefix("<svg xmlns=") && picture.contains("&lt;script&gt;") && !picture.contains("<script"))
    #expect(throws: Never.self) { try XMLDocumentCheck.check(picture) }
  }

  @Test func numbersAreInTheJSON() throws {
    let sandbox = try sandbox()
    let json = try sandbox.dv("plots", "HEAD", "workspace", "--plot", "log.csv", "--json").succeed().json
    let plots = try #require(json["plots"] as? [[String: Any]])
    let series = try #require(plots.first?["series"] as? [[String: Any]])
    #expect(plots.count == 1 && series.count == 4)
    #expect(series.map { $0["revision"] as? String } == ["HEAD", "HEAD", "workspace", "workspace"])
    let losses = try #require(series[2]["y"] as? [Any])
    #expect(losses[0] as? Double == 1.5 && losses[1] as? String == "NaN" && losses[2] as? Double == 0.4)
    // A file that dv.yaml does not name, in the way that the command line says.
    let own = try sandbox.dv("plots", "--plot", "in.csv", "-x", "step", "-y", "auc", "--json").succeed().json["plots"] as? [[String: Any]]
    #expect((own?.first?["series"] as? [[String: Any]])?.first?["field"] as? String == "auc")
    try sandbox.dv("plots", "--plot", "gone.csv").exit(2)
    try sandbox.dv("plots", "no-such-revision").exit(2)
    try sandbox.dv("plots", "--template", "pie", "--plot", "in.csv").exit(2)
  }

  /// A smooth line above the values as they are.
  @Test func smoothPlotsAreSmoothed() throws {
    let sandbox = try Sandbox()
    try sandbox.shell("seq 0 99 | awk 'BEGIN{print \"x,y\"}{print $1 \",\" ($1*7919)%101}' > a.csv")
    try sandbox.dv("plots", "--plot", "a.csv", "-x", "x", "-y", "y", "--template", "smooth", "-o", "smooth.html").succeed()
    try sandbox.dv("plots", "--plot", "a.csv", "-x", "x", "-y", "y", "-o", "linear.html").succeed()
    let (smooth, linear) = (try sandbox.read("smooth.html"), try sandbox.read("linear.html"))
    func lines(_ page: String) -> [String] { page.components(separatedBy: "<path class=\"line l0\" d=\"").dropFirst().map { $0.components(separatedBy: "\"")[0] } }
    #expect(lines(linear).filter { $0.count > 100 }.count == 1 && lines(smooth).filter { $0.count > 100 }.count == 2)
    #expect(lines(smooth)[0] == lines(linear)[0] && smooth.contains("opacity=\"0.25\"") && smooth.contains("Smoothed by locally weighted regression"))
  }

  @Test func largeSeriesMakeSmallPages() throws {
    let sandbox = try Sandbox()
    try sandbox.shell("seq 1 200000 | awk 'BEGIN{print \"x,y\"}{print $1 \",\" ($1*7919)%1000}' > big.csv")
    try sandbox.dv("plots", "--plot", "big.csv", "-x", "x", "-y", "y", "-o", "big.html").succeed()
    try sandbox.dv("plots", "--plot", "big.csv", "-x", "x", "-y", "y", "--template", "scatter", "-o", "cloud.html").succeed()
    #expect(try #require(try sandbox.path("big.html").fileStat()).size < 200_000)
    #expect(try #require(try sandbox.path("cloud.html").fileStat()).size < 600_000)
    #expect(try sandbox.read("cloud.html").contains("every 50th of 200000 points is drawn"))
  }
}

/// Whether a text is XML.
private enum XMLDocumentCheck {
  static func check(_ text: String) throws {
    // Every element that is opened is closed, in order.
    var open: [Substring] = []
    for part in text.split(separator: "<").dropFirst(text.hasPrefix("<") ? 0 : 1) {
      guard let tag = part.split(separator: ">", maxSplits: 1, omittingEmptySubsequences: false).first else { continue }
      let name = tag.prefix { !$0.isWhitespace && $0 != "/" }
      if tag.hasPrefix("/") {
        guard open.popLast() == tag.dropFirst() else { throw CancellationError() }
      } else if !tag.hasSuffix("/") {
        open.append(name)
      }
    }
    guard open.isEmpty else { throw CancellationError() }
  }
}
