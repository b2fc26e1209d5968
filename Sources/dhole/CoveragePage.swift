import Rules

/// The coverage of a rule set as one self-contained page.
enum CoveragePage {
  static func html(_ coverage: RuleCoverage, title: String) -> String {
    let (both, all) = coverage.covered
    let share = all == 0 ? 100 : both * 100 / all
    let rows = coverage.entries.map(row).joined(separator: "\n")
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
      <title>Rules coverage: \(Markup.escaped(title))</title>
      <style>\(style)</style></head><body>
      <h1>\(Markup.escaped(title))</h1>
      <p class="sum"><b>\(both)</b> of <b>\(all)</b> expressions were both true and false.</p>
      <div class="bar" role="img" aria-label="\(share) per cent"><div style="width:\(share)%"></div></div>
      <p class="key">In an expression: <span class="true">part that was always true</span>
      <span class="false">always false</span> <span class="error">only errors</span>
      <span class="never">never asked</span>. A part without a colour was both.</p>
      <table><thead><tr><th class="n">Line</th><th class="where">Rule</th><th class="verdict">Was</th>
      <th>Expression</th><th class="n">True</th><th class="n">False</th><th class="n">Error</th></tr></thead>
      <tbody>
      \(rows)
      </tbody></table></body></html>

      """
  }

  private static func row(_ entry: RuleCoverage.Entry) -> String {
    let tally = entry.whole
    let kind = isConstant(entry) ? "constant" : kind(tally)
    let verdict = isConstant(entry) ? "constant" : tally.verdict
    func count(_ value: Int, _ name: String) -> String {
      #"<td class="n\#(value == 0 ? " zero" : "")" data-of="\#(name)">\#(value)</td>"#
    }
    return """
      <tr class="\(kind)"><td class="n" data-of="line">\(entry.line)</td>\
      <td><b>\(entry.rule)</b><br><span class="place">\(Markup.escaped(entry.location))</span></td>\
      <td><span class="badge">\(verdict)</span></td><td><code>\(marked(entry))</code></td>\
      \(count(tally.trueCount, "true"))\(count(tally.falseCount, "false"))\
      \(count(tally.errorCount, "errors"))</tr>
      """
  }

  /// Nothing needs to be tried of a rule that is always the same.
  private static func isConstant(_ entry: RuleCoverage.Entry) -> Bool {
    entry.expression == "true" || entry.expression == "false"
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
    // Of a rule that was never asked there is nothing more to say about its parts.
    let oneSided = entry.parts.filter { entry.whole.verdict != "never asked" && $0.value.verdict != "both" }
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
    body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#222}
    h1{font-size:1.5rem;margin:0}.sum{margin:.25rem 0 .75rem}.key{color:#555;font-size:13px}
    table{border-collapse:collapse;width:100%;table-layout:fixed}
    th{text-align:left;color:#666;font-weight:600;font-size:13px}
    td,th{padding:.5rem .6rem;border-bottom:1px solid #e5e5e5;vertical-align:top}
    .n{width:3.2rem;text-align:right;font-variant-numeric:tabular-nums}.zero{color:#bbb}
    .where{width:15rem}.verdict{width:7rem}.place{color:#666;font-size:13px;overflow-wrap:anywhere}
    code{font:13px/1.6 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
    .badge{display:inline-block;border-radius:4px;padding:0 .45rem;font-size:13px}
    .badge{white-space:nowrap;color:#fff}
    .both .badge{background:#2a7f4c}.true .badge{background:#996a00}.false .badge{background:#b3541e}
    .error .badge{background:#7a4fb5}.never .badge{background:#b52b2b}
    .constant .badge{background:#eee;color:#555}
    code span,.key span{border-radius:3px;padding:0 2px;color:#222}
    span.true{background:#fbe8b8}span.false{background:#f9d3bb}span.error{background:#e6d6f7}
    span.never{background:#f6caca}
    .bar{height:10px;background:#eee;border-radius:5px;overflow:hidden}
    .bar div{height:100%;background:#2a7f4c}
    @media(max-width:60rem){
    thead{display:none}table,tbody,tr,td{display:block;width:auto}td{border:0;padding:.15rem 0}
    tr{border-bottom:1px solid #e5e5e5;padding:.6rem 0}
    td.n{display:inline-block;width:auto;margin-right:1.2rem;color:#666;font-size:13px}
    td.n::before{content:attr(data-of) " "}}
    """
}
