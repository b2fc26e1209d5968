/// Whose spellings the expressions of a rules text may use. The text says so itself, beside `rules`:
/// `"dialect": "wilddog"`; without a word it is Firebase's.
package enum RuleDialect: String, Sendable, CaseIterable {
  case firebase
  /// Firebase's language and, besides, what Wilddog's rules are written with: `length()`, `startsWith(s)`,
  /// and patterns in quotes.
  case wilddog
}
