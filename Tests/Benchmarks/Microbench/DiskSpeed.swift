import CSQLite
import Glibc

/// What the disk itself gives: the yardsticks of the durable figures.
enum DiskSpeed {
  struct Failure: Error { let what: String }

  /// p50 of appending 200 bytes to a preallocated file and fdatasync, in microseconds.
  static func sync(_ folder: String) throws {
    let path = "\(folder)/sync-\(getpid())"
    let file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    guard file >= 0 else { throw Failure(what: "cannot create \(path)") }
    defer {
      close(file)
      unlink(path)
    }
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    _ = Glibc.write(file, zeros, zeros.count)
    fsync(file)
    let entry = [UInt8](repeating: 0x61, count: 200)
    var times: [Double] = []
    for index in 0..<2000 {
      let start = Stopwatch.wallSeconds()
      _ = pwrite(file, entry, entry.count, off_t(index * entry.count))
      guard fdatasync(file) == 0 else { throw Failure(what: "fdatasync failed") }
      times.append((Stopwatch.wallSeconds() - start) * 1e6)
    }
    print(#"{"p50_us":\#(Int(Stopwatch.median(times)))}"#)
  }

  /// Rows a second into a bare sequential SQLite table, WAL and FULL, 100 a commit.
  static func journalRows(_ folder: String, seconds: Double) throws -> Double {
    let path = "\(folder)/journal-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sqlite"
    var handle: OpaquePointer?
    guard sqlite3_open(path, &handle) == SQLITE_OK else { throw Failure(what: "cannot open \(path)") }
    defer {
      sqlite3_close(handle)
      for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
    }
    let schema = """
      PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
      CREATE TABLE journal(id INTEGER PRIMARY KEY, payload BLOB NOT NULL);
      """
    guard sqlite3_exec(handle, schema, nil, nil, nil) == SQLITE_OK else { throw Failure(what: "schema") }
    var insert: OpaquePointer?
    sqlite3_prepare_v2(handle, "INSERT INTO journal(payload) VALUES(?)", -1, &insert, nil)
    defer { sqlite3_finalize(insert) }
    let payload = Array(LogSpeed.payload.utf8)
    var rows = 0
    let start = Stopwatch.wallSeconds()
    while Stopwatch.wallSeconds() - start < seconds {
      sqlite3_exec(handle, "BEGIN", nil, nil, nil)
      for _ in 0..<100 {
        sqlite3_bind_blob(insert, 1, payload, CInt(payload.count), nil)
        guard sqlite3_step(insert) == SQLITE_DONE else { throw Failure(what: "insert") }
        sqlite3_reset(insert)
      }
      guard sqlite3_exec(handle, "COMMIT", nil, nil, nil) == SQLITE_OK else { throw Failure(what: "commit") }
      rows += 100
    }
    return Double(rows) / (Stopwatch.wallSeconds() - start)
  }
}
