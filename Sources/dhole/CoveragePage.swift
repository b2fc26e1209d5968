import Rules

/// The coverage of a rule set as one self-contained page.
enum CoveragePage {
  static func html(_ coverage: RuleCoverage, title: String) -> String {
    let (both, all) = coverage.covered
    let share = all == 0 ? 100 : both * 100 / all
    let rows = coverage.entries.map(row).joined(separator: "\n")
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><title>Rules coverage: \(Markup.escaped(title))</title>
      <style>\(style)</style></head><body>
      <h1>\(Markup.escaped(title))</h1>
      <p>\(both) of \(all) expressions were both true and false.</p>
      <div class="bar"><div style="width:\(share)%"></div></div>
      <p class="key"><span class="both">both</span> <span class="true">always true</span>
      <span class="false">always false</span> <span class="error">only errors</span>
      <span class="never">never asked</span></p>
      <table><thead><tr><th>Line</th><th>Location</th><th>Rule</th><th>Expression</th>
      <th>True</th><th>False</th>
      <th>Error</th></tr></thead><tbody>
      \(rows)
      </tbody></table></body></html>

      """
  }

  private static func row(_ entry: RuleCoverage.Entry) -> String {
    let tally = entry.whole
    return """
      <tr><td>\(entry.line)</td><td>\(Markup.escaped(entry.location))</td><td>\(entry.rule)</td>\
      <td><code class="\(kind(tally))">\(marked(entry))</code></td>\
      <td>\(tally.trueCount)</td><td>\(tally.falseCount)</td><td>\(tally.errorCount)</td></tr>
      """
  }

  private static func kind(_ tally: RuleCoverage.Tally) -> String {
    switch tally.verdict {
    case "both": "both"
    case "always true": "true"
    case "always false": "false"
    case "only errors": "error"
    default: "never"
    }
  }

  /// The expression with the outermost parts that were only ever one of true and false underlined.
  private static func marked(_ entry: RuleCoverage.Entry) -> String {
    let bytes = Array(entry.expression.utf8)
    var out = "", at = 0
    let oneSided = entry.parts.filter { $0.value.verdict != "both" }
      .sorted { ($0.key.lowerBound, -$0.key.count) < ($1.key.lowerBound, -$1.key.count) }
    for (range, tally) in oneSided where range.lowerBound >= at {
      out += Markup.escaped(String(decoding: bytes[at..<range.lowerBound], as: UTF8.self))
      let part = Markup.escaped(String(decoding: bytes[range], as: UTF8.self))
      out += #"<span class="\#(kind(tally))" title="\#(tally.verdict)">\#(part)</span>"#
      at = range.upperBound
    }
    return out + Markup.escaped(String(decoding: bytes[at...], as: UTF8.self))
  }

  private static let style = """
    body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#222}
    table{border-collapse:collapse;width:100%}th{text-align:left;color:#666;font-weight:600}
    td,th{padding:.35rem .6rem;border-bottom:1px solid #e5e5e5;vertical-align:top}
    code{font:13px/1.6 ui-monospace,monospace;white-space:pre-wrap;
    border-left:4px solid;padding-left:.5rem;display:block}
    code.both,.key .both{border-color:#2e9e5b}code.true,.key .true{border-color:#d99a1c}
    code.false,.key .false{border-color:#c96a2b}code.error,.key .error{border-color:#8a5cc2}
    code.never,.key .never{border-color:#c93a3a}
    code span{border-radius:3px;padding:0 2px}span.true{background:#fbf0d6}span.false{background:#fae3d4}
    span.error{background:#eee3fa}span.never{background:#fadcdc}
    .key span{border-left:4px solid;padding:0 .5rem;margin-right:1rem;background:none}
    .bar{height:10px;background:#eee;border-radius:5px;overflow:hidden}
    .bar div{height:100%;background:#2e9e5b}
    """
}
