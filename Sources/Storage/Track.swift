import Engine

/// What the journal knows about one database: which entries it keeps and where they are.
final class Track {
  /// The database's number in the journal's rows.
  let number: Int64
  let database: DatabaseID
  /// The place before the oldest entry kept.
  private(set) var base: LogPosition
  /// The place of the newest entry; `base` if none is kept.
  private(set) var tail: LogPosition
  /// The rows of the entries kept, the oldest first.
  private(set) var rows: [Int64] = []
  /// What is wrong with its entries; such a database is refused.
  var damage: String?
  /// Entries below are to go.
  var trimIndex: UInt64 = 0

  init(number: Int64, database: DatabaseID, base: LogPosition) {
    self.number = number
    self.database = database
    self.base = base
    tail = base
  }

  func extend(to position: LogPosition) {
    rows.append(Int64(bitPattern: position.token))
    tail = position
  }

  /// Forgets the newest entries, whose transaction failed.
  func retreat(to position: LogPosition) {
    rows.removeLast(Int(tail.index - position.index))
    tail = position
  }

  /// Forgets the oldest entries; `position` is the last of those.
  func trim(to position: LogPosition) {
    rows.removeFirst(Int(position.index - base.index))
    base = position
  }

  /// The row of an entry, nil unless it is kept.
  func row(of index: UInt64) -> Int64? {
    guard index > base.index, index <= tail.index else { return nil }
    return rows[Int(index - base.index - 1)]
  }

  /// How many entries may go, keeping the last one.
  var trimmableCount: Int {
    let end = min(trimIndex, tail.index)
    return end > base.index + 1 ? Int(end - base.index - 1) : 0
  }
}
