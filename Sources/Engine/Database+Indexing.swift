import JSONTree

/// An index that is being built beside the loop.
struct IndexBuild: Hashable {
  let path: Path
  let order: Query.Index
}

/// Building the index of a large location takes long: it happens elsewhere, on the tree as it was, while the
/// database goes on; what was written meanwhile is caught up with when the index comes in.
extension Database {
  /// Keeps a read back when it needs such an index, or stands behind one of its session that does.
  func holds(_ read: WaitingRead, _ session: Session) -> Bool {
    if session.heldReads != nil {
      hold(read, session)
      return true
    }
    guard let (path, query) = read.target, !query.isDefault, indexes.lacksIndex(for: query, at: path) else {
      return false
    }
    let location = committed.data[path]
    guard location.childCount > options.indexBuildChildren, missingIndex(query, at: path) == nil,
      refusal(path, query, session) == nil
    else { return false }
    session.heldReads = [read]
    build(IndexBuild(path: path, order: query.index), of: location, for: session)
    return true
  }

  private func hold(_ read: WaitingRead, _ session: Session) {
    if let count = session.heldReads?.count, count < options.pendingRequestsPerClient {
      session.heldReads?.append(read)
    } else if let tag = read.tag {
      answer(.failed(EngineError(.overloaded)), tag, session)
    }
  }

  private func build(_ build: IndexBuild, of location: Node, for session: Session) {
    if builds[build] != nil {
      builds[build]?.append(session)
      return
    }
    builds[build] = [session]
    Task.detached {
      let index = ChildIndex(building: location, order: build.order)
      self.enterLater { $0.built(build, index, of: location) }
    }
  }

  private func built(_ build: IndexBuild, _ index: ChildIndex, of location: Node) {
    indexes.install(
      index, builtFrom: location, at: build.path, in: committed.data, nowMilliseconds: clock.nowMilliseconds()
    )
    scheduleSweep()
    for session in builds.removeValue(forKey: build) ?? [] {
      let reads = session.heldReads ?? []
      session.heldReads = nil
      for read in reads { perform(read, session) }
    }
  }
}

extension Database {
  /// How many indexes are being built.
  package var indexesUnderConstruction: Int { builds.count }
}
