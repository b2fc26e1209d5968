import JSONTree
import Rules

extension Database {
  /// The error of a denied request. Its explanation is there only if the client may be told.
  ///
  /// - Parameter trace: decides the same again and tells how; asked for only if somebody is told.
  func denial(_ explanation: Explanation, _ caller: Caller, trace: () -> DecisionTrace) -> EngineError {
    let isTold = options.explainsDenials || caller.isOperator
    guard isTold || options.reportDenial != nil else { return EngineError(.permissionDenied(nil)) }
    var explanation = explanation
    let values = trace().refusal
    if !values.isEmpty { explanation.reason += " [\(values)]" }
    options.reportDenial?(id, explanation)
    return EngineError(.permissionDenied(isTold ? explanation : nil))
  }

  /// The same for a read.
  func denial(
    _ explanation: Explanation, reading path: Path, _ caller: Caller, _ rules: RuleSet, _ root: Node,
    _ now: Int64, _ query: QueryFacts?
  ) -> EngineError {
    denial(explanation, caller) {
      rules.trace(readAt: path, caller: caller, root: root, nowMilliseconds: now, query: query)
    }
  }

  /// The same for a write.
  func denial(
    _ explanation: Explanation, writing paths: [Path], _ caller: Caller, _ before: Node, _ after: Node,
    _ now: Int64
  ) -> EngineError {
    denial(explanation, caller) {
      headRules.trace(
        writeAt: paths, caller: caller, before: before, after: after, nowMilliseconds: now)
    }
  }
}
