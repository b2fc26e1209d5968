package import JSONTree

/// What is being found out about a location beside the loop.
enum Preparation: Hashable {
  case index(Path, Query.Index)
  case size(Path)
}

/// Building the index of a large location takes long, and so does measuring a large value: it happens
/// elsewhere, on the tree as it was, while the database goes on; what was written meanwhile is caught up with
/// when the index comes in, and does not matter for the measure.
extension Database {
  /// Keeps a read back when it needs such a thing, or stands behind one of its session that does.
  func holds(_ read: WaitingRead, _ session: Session) -> Bool {
    if session.heldReads != nil {
      hold(read, session)
      return true
    }
    guard let (path, query) = read.target, let preparation = preparation(path, query),
      refusal(path, query, session) == nil
    else { return false }
    session.heldReads = [read]
    prepare(preparation, for: session)
    return true
  }

  /// Whether a read has to wait for an index that is built beside the loop: `get` does so, `read` would build
  /// it in its own turn.
  package func waitsForIndex(_ query: Query, at path: Path) -> Bool {
    if query.isDefault { return false }
    if case .index = preparation(path, query) { return true }
    return false
  }

  private func preparation(_ path: Path, _ query: Query) -> Preparation? {
    if query.isDefault { return isMeasured(committed.data[path]) ? nil : .size(path) }
    guard indexes.lacksIndex(for: query, at: path),
      committed.data[path].childCount > options.indexBuildChildren, missingIndex(query, at: path) == nil
    else { return nil }
    return .index(path, query.index)
  }

  /// Whether the size of a value is known, or is found out at once.
  private func isMeasured(_ value: Node) -> Bool {
    if !value.isObject || value.isIdentical(to: lastMeasured.value) { return true }
    guard let bytes = value.estimatedBytes(upTo: LongWork.shortBytes) else { return false }
    lastMeasured = (value, bytes)
    return true
  }

  private func hold(_ read: WaitingRead, _ session: Session) {
    if let count = session.heldReads?.count, count < options.pendingRequestsPerClient {
      session.heldReads?.append(read)
    } else if let tag = read.tag {
      answer(.failed(EngineError(.overloaded)), tag, session)
    }
  }

  private func prepare(_ preparation: Preparation, for session: Session) {
    if preparations[preparation] != nil {
      preparations[preparation]?.append(session)
      return
    }
    preparations[preparation] = [session]
    switch preparation {
    case .index(let path, let order):
      let location = committed.data[path]
      options.longWork.run(for: eventLoop) {
        ChildIndex(building: location, order: order)
      } then: { index in
        self.enter { $0.built(index, preparation, at: path, of: location) }
      }
    case .size(let path):
      let value = committed.data[path]
      options.longWork.run(for: eventLoop) {
        value.estimatedBytes
      } then: { bytes in
        self.enter { $0.measured(preparation, at: path, bytes) }
      }
    }
  }

  private func built(_ index: ChildIndex, _ preparation: Preparation, at path: Path, of location: Node) {
    let now = clock.nowMilliseconds()
    indexes.install(index, builtFrom: location, at: path, in: committed.data, nowMilliseconds: now)
    scheduleSweep()
    goOn(after: preparation)
  }

  private func measured(_ preparation: Preparation, at path: Path, _ bytes: Int) {
    // What is there by now differs by what was written in between: its size is an estimate all the same.
    lastMeasured = (committed.data[path], bytes)
    goOn(after: preparation)
  }

  private func goOn(after preparation: Preparation) {
    for session in preparations.removeValue(forKey: preparation) ?? [] {
      let reads = session.heldReads ?? []
      session.heldReads = nil
      for read in reads { perform(read, session) }
    }
  }
}

extension Database {
  /// How many indexes are being built, and sizes measured.
  package var preparationsUnderWay: Int { preparations.count }
}
