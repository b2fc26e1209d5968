import Engine

/// One row of the journal as it was read, not yet believed. The payload is valid until the statement moves
/// on.
struct JournalRow {
  let row: Int64
  let database: Int64
  let epoch: UInt64
  let index: UInt64
  let kind: Int64
  let digest: ChainDigest?
  let payload: UnsafeRawBufferPointer

  static let selection = "SELECT seq, db, epoch, idx, kind, digest, payload FROM entries"

  init(_ statement: borrowing Statement) {
    row = statement.integer(0)
    database = statement.integer(1)
    epoch = statement.unsigned(2)
    index = statement.unsigned(3)
    kind = statement.integer(4)
    digest = ChainDigest(reading: statement.bytes(5))
    payload = statement.bytes(6)
  }

  /// The place of this entry if it comes right after `previous`, nil if it does not.
  func position(after previous: LogPosition) -> LogPosition? {
    guard let digest, let kind = UInt8(exactly: kind), epoch >= previous.epoch else { return nil }
    guard previous.index < .max, index == previous.index + 1 else { return nil }
    let expected = Chain.digest(
      after: previous.digest, epoch: epoch, index: index, kind: kind, payload: payload)
    guard digest == expected else { return nil }
    return LogPosition(epoch: epoch, index: index, digest: digest, token: UInt64(bitPattern: row))
  }
}

extension JournalRow {
  /// The entry if it comes right after `last` in its database, nil if anything about it is wrong.
  func entry(after last: LogPosition, of track: Track) -> LogEntry? {
    guard database == track.number, let position = position(after: last) else { return nil }
    guard let code = UInt8(exactly: kind), let kind = LogEntry.Kind(rawValue: code) else { return nil }
    return LogEntry(position: position, kind: kind, payload: Array(payload))
  }

  /// The place as the row has it.
  var claimedPosition: LogPosition? {
    digest.map { LogPosition(epoch: epoch, index: index, digest: $0, token: UInt64(bitPattern: row)) }
  }
}

/// One row of the journal's list of databases.
struct DatabaseRow {
  let number: Int64
  let name: String
  /// Whether its entries are only there until they are removed.
  var isDeleted: Bool
  /// The place before the oldest entry kept.
  var base: LogPosition

  static let selection = """
    SELECT id, name, deleted, base_epoch, base_idx, base_token, base_digest, seal FROM databases ORDER BY id
    """

  init(number: Int64, name: String, isDeleted: Bool, base: LogPosition) {
    self.number = number
    self.name = name
    self.isDeleted = isDeleted
    self.base = base
  }

  init(_ track: Track, isDeleted: Bool = false, base: LogPosition? = nil) {
    self.init(
      number: track.number, name: track.database.name, isDeleted: isDeleted, base: base ?? track.base)
  }

  /// Nil when the row is not as it was written.
  init?(_ statement: borrowing Statement) {
    guard let digest = ChainDigest(reading: statement.bytes(6)) else { return nil }
    let base = LogPosition(
      epoch: statement.unsigned(3), index: statement.unsigned(4), digest: digest, token: statement.unsigned(5)
    )
    self.init(
      number: statement.integer(0), name: statement.text(1), isDeleted: statement.integer(2) != 0, base: base)
    guard statement.unsigned(7) == seal, (0...1).contains(statement.integer(2)) else { return nil }
  }

  var seal: UInt64 {
    var checksum = Checksum()
    checksum.combine(UInt64(bitPattern: number))
    var name = name
    name.withUTF8 { checksum.combine(UnsafeRawBufferPointer($0)) }
    checksum.combine(isDeleted ? 1 : 0)
    checksum.combine(base)
    return checksum.value
  }
}

extension Checksum {
  mutating func combine(_ position: LogPosition) {
    combine(position.epoch)
    combine(position.index)
    combine(position.token)
    combine(position.digest.words.0)
    combine(position.digest.words.1)
    combine(position.digest.words.2)
    combine(position.digest.words.3)
  }
}
