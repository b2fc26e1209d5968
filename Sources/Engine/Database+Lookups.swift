package import JSONTree
package import Rules

/// What those may ask who are no clients: questions that are answered on the spot, from the committed state.
extension Database {
  /// Reads once. A closed database, and a closing one, is not read.
  ///
  /// The value may be of any size: who shows it bounds what it shows.
  package func read(_ path: Path, query: Query = .all, as caller: Caller) -> Result<Node, EngineError> {
    guard case .no = closing else { return .failure(EngineError(.closed)) }
    counters.reads += 1
    return value(at: path, query, as: caller)
  }

  /// A setting that an operator has made; null if none has.
  package func setting(_ name: ChildKey) -> Node { committed.meta[MetaPath.setting(name)] }

  /// Keeps a setting, a leaf or null, for an admin; answers `done` when it is durable.
  package func install(_ value: Node, as name: ChildKey, tag: UInt64, client: Client) {
    submit(.setting(name, value), tag, client)
  }

  func sequenceSetting(_ name: ChildKey, _ value: Node, _ item: inout BatchItem) {
    guard item.caller.isAdmin else {
      item.outcome = .failed(EngineError(.permissionDenied(nil)))
      return
    }
    guard !value.isObject else {
      item.outcome = .failed(EngineError(.invalid("A setting is a leaf.")))
      return
    }
    setMeta([(MetaPath.setting(name), value)], &item)
  }
}
