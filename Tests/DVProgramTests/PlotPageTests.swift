import DVRepository
import Testing

@testable import dv

struct PlotPageTests {
  @Test func textFromOutsideStaysText() {
    #expect(Markup.text("<b>&\"'\u{202e}\u{0}\n") == "&lt;b&gt;&amp;&quot;&#39;\\u{202e}\\x00 ")
    #expect(Markup.text(String(repeating: "x", count: 1000)).count == 301)
    #expect(Markup.base64(Array("any carnal pleas".utf8)) == "YW55IGNhcm5hbCBwbGVhcw==")
    #expect(Markup.number(-0.04) == "0" || Markup.number(-0.04) == "-0")
    #expect(Markup.number(12.34) == "12.3" && Markup.number(.nan) == "0" && Markup.number(1e300) == "0")
  }

  @Test func axesEndAtRoundValues() {
    let scale = PlotScale([0.13, 0.87, .nan, .infinity])
    #expect(scale.low == 0 && scale.high == 1 && scale.marks.map(\.label) == ["0", "0.2", "0.4", "0.6", "0.8", "1"])
    #expect(abs((PlotScale([5, 5]).position(5) ?? 0) - 0.5) < 1e-9)
    #expect(PlotScale([Double]()).marks.isEmpty == false)
    // Numbers of any size make an axis of few marks.
    for values in [[1e-300, 2e-300], [-1.7e308, 1.7e308], [1e18, 1e18 + 256], [0, 1e-308]] {
      let scale = PlotScale(values)
      #expect(scale.marks.count < 100 && scale.low.isFinite && scale.high.isFinite)
    }
  }
}
