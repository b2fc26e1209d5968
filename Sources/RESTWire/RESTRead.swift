import Engine
import JSONTree
import Rules

extension RESTOperation.Read {
  /// The answer to a read that needs an index which the rules do not declare. Reads over REST need it with or
  /// without bounds, whoever asks.
  func refusal(by rules: RuleSet) -> RESTError? {
    guard let index = query.index.declaredName, !rules.hasIndex(index, at: path) else { return nil }
    return .bad(RESTText.indexMissing(index, path: path.text))
  }
}
