import JSONTree

/// Which places the last entries of the log were about, so that a client that knows everything up to one of
/// them can be told what is different now.
///
/// It holds places and no values: whoever comes back is told what is at them now. So a client may know more
/// than it says it does, and nothing of the past is kept alive.
///
///     floor ─ entry ─ entry ─ … ─ entry = the present
struct History {
  private struct Entry {
    let check: UInt64
    let milliseconds: Int64
    let paths: [Path]
  }

  /// A client that more has changed for than this is better told everything.
  static let mostChanges = 2_000
  /// An update of more places than this is remembered as one of the whole place.
  private static let mostPathsOfUpdate = 64

  /// The place before the first entry.
  private var floor: LogMark
  private var entries: [Entry] = []
  /// Entries before this one have been dropped.
  private var first = 0
  private var pathCount = 0
  let limit: Int
  let milliseconds: Int64

  /// Keeps at most `limit` places, for so long.
  init(at position: LogPosition, limit: Int, milliseconds: Int64) {
    floor = LogMark(position)
    self.limit = limit
    self.milliseconds = milliseconds
  }

  var count: Int { pathCount }

  /// The next entry of the log, and what it has changed.
  mutating func append(_ steps: [Step], at position: LogPosition, nowMilliseconds now: Int64) {
    var paths: [Path] = []
    for step in steps {
      switch step.change {
      case .set(let path, _): paths.append(path)
      case .merge(let path, let entries):
        if entries.count > History.mostPathsOfUpdate {
          paths.append(path)
        } else {
          for entry in entries { paths.append(path.appending(entry.path)) }
        }
      }
    }
    let mark = LogMark(position)
    guard mark.index == floor.index + UInt64(entries.count - first) + 1 else {
      // Something was written that was not seen here: what was before it is of no use.
      self = History(at: position, limit: limit, milliseconds: milliseconds)
      return
    }
    entries.append(Entry(check: mark.check, milliseconds: now, paths: paths))
    // An entry without places takes room too.
    pathCount += paths.count + 1
    trim(nowMilliseconds: now)
  }

  private mutating func trim(nowMilliseconds now: Int64) {
    while first < entries.count {
      let entry = entries[first]
      guard pathCount > limit || now - entry.milliseconds > milliseconds else { break }
      pathCount -= entry.paths.count + 1
      floor = LogMark(index: floor.index + 1, check: entry.check)
      first += 1
    }
    guard first > entries.count / 2 else { return }
    entries.removeFirst(first)
    first = 0
  }

  /// The places at and below `place` that were written after a mark, relative to it, none within another and
  /// in an order that is always the same; nil if that is not known or too much.
  func changes(since mark: LogMark, at place: Path) -> [Path]? {
    guard mark.index >= floor.index, mark.index - floor.index <= UInt64(entries.count - first) else {
      return nil
    }
    let seen = Int(mark.index - floor.index)
    guard mark.check == (seen == 0 ? floor.check : entries[first + seen - 1].check) else { return nil }
    var found: Set<Path> = []
    for entry in entries[(first + seen)...] {
      for path in entry.paths {
        if place.contains(path) {
          found.insert(path.relative(to: place))
        } else if path.contains(place) {
          return [.root]
        }
      }
      if found.count > History.mostChanges { return nil }
    }
    let outermost = found.filter { path in
      if path.endsWithPriority, found.contains(path.withoutPriority) { return false }
      return !(0..<path.count).contains { found.contains(path.prefix($0)) }
    }
    return outermost.sorted { $0.text < $1.text }
  }
}
