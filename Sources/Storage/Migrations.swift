/// One step from a version of a file to the next, within a transaction.
struct Migration: Sendable {
  /// The tables of the older version, exactly.
  let tables: [String]
  let apply: @Sendable (borrowing Connection) throws(SQLiteError) -> Void

  /// The journal before it noted in which mode it is written.
  static let journalWithoutState = Migration(
    tables: Array(Schema.journalTables.dropLast()),
    apply: { (file) throws(SQLiteError) in try file.execute(Schema.journalTables[2]) })
}
