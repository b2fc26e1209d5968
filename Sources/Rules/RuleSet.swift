package import JSONTree

/// The security rules of one database, compiled. Immutable; a new upload makes a new set.
package struct RuleSet: Sendable {
  /// Longest rules text that is taken, in bytes (the documented production limit is 256 KB).
  package static let textLimitBytes = 4 * 1024 * 1024

  /// The rules as they were uploaded, comments included.
  package let text: String
  /// The same as strict JSON: no comments, no trailing commas, keys in the order of the text.
  package let strictText: String
  let tree: RuleNode

  /// Compiles a rules text.
  ///
  /// - Parameter dialect: whose spellings it may use when it does not say so itself.
  /// - Throws: every fault of the text, each with its line and column.
  package init(text: String, assuming dialect: RuleDialect = .firebase) throws(RulesErrors) {
    let bytes = Array(text.utf8)
    guard bytes.count <= Self.textLimitBytes else {
      let message = "Rules must be at most \(Self.textLimitBytes) bytes long."
      throw RulesErrors([RulesError(line: 1, column: 1, message: message)])
    }
    let file: FileValue
    do {
      var reader = RulesFile(bytes)
      file = try reader.read()
    } catch {
      throw RulesErrors([error])
    }
    var builder = RuleTreeBuilder(bytes, assuming: dialect)
    tree = builder.build(file)
    guard builder.errors.isEmpty else { throw RulesErrors(builder.errors) }
    self.text = text
    strictText = StrictText.of(file)
  }

  private init(read: Bool, write: Bool) {
    text = """
      {
        "rules": {
          ".read": \(read),
          ".write": \(write)
        }
      }

      """
    strictText = #"{"rules":{".read":\#(read),".write":\#(write)}}"#
    tree = RuleNode(
      read: Rule(code: .constant(.bool(read)), text: "\(read)", line: 3),
      write: Rule(code: .constant(.bool(write)), text: "\(write)", line: 4), validate: nil, indexes: [],
      indexLine: nil,
      children: [:], wildcard: nil)
  }

  /// Everybody may read and write everything: the default in dev mode.
  package static let open = RuleSet(read: true, write: true)
  /// Nobody but admins may read or write: the default in production.
  package static let closed = RuleSet(read: false, write: false)

  // MARK: Indexes

  /// Is `index` (a child path such as `addr/zip`, or `.value`) declared by `.indexOn` for the children of
  /// `path`?
  package func hasIndex(_ index: String, at path: Path) -> Bool {
    declaredIndexes(at: path).contains(index)
  }

  /// What `.indexOn` declares at exactly this location; ancestors' declarations do not count.
  package func declaredIndexes(at path: Path) -> [String] {
    var node = tree
    for key in path.keys {
      guard let next = node.child(key) else { return [] }
      node = next
    }
    return node.indexes
  }
}
