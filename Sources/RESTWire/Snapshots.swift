import Engine
import JSONTree
import Synchronization

/// Values that operators export, as they were when the export began, kept for a while so that one that broke
/// off can go on where it was.
///
/// A kept value shares what has not changed since with the tree. Few are kept, for minutes.
final class Snapshots: Sendable {
  /// What an operator exports.
  struct Kept: Sendable {
    let database: DatabaseID
    let read: RESTOperation.Read
    let node: Node
  }

  private struct Entry {
    let kept: Kept
    let endMilliseconds: Int64
    /// Counts up: of several the one with the least was used longest ago.
    let number: Int
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var number = 0

    mutating func purge(_ now: Int64) {
      entries = entries.filter { $0.value.endMilliseconds > now }
    }
  }

  /// How long one is kept after its export has begun, or has broken off.
  static let milliseconds: Int64 = 10 * 60 * 1000
  private static let mostKept = 8

  private let state = Mutex(State())

  /// Keeps a value under a name that cannot be guessed, in place of the one that would be let go first if
  /// there are too many.
  func keep(_ kept: Kept, as name: String = Snapshots.newName(), nowMilliseconds now: Int64) -> String {
    state.withLock { state in
      state.purge(now)
      state.number += 1
      state.entries[name] = Entry(
        kept: kept, endMilliseconds: now + Self.milliseconds, number: state.number)
      if state.entries.count > Self.mostKept,
        let oldest = state.entries.min(by: { $0.value.number < $1.value.number })
      {
        state.entries[oldest.key] = nil
      }
      return name
    }
  }

  /// What is kept under a name.
  func kept(_ name: String, nowMilliseconds now: Int64) -> Kept? {
    state.withLock { state in
      state.purge(now)
      return state.entries[name]?.kept
    }
  }

  /// Lets go of what has been kept long enough.
  func purge(nowMilliseconds now: Int64) {
    state.withLock { $0.purge(now) }
  }

  private static func newName() -> String {
    var random = SystemRandomNumberGenerator()
    return String(random.next(), radix: 36) + String(random.next() as UInt64, radix: 36)
  }
}

/// What a request wants of a snapshot, by its headers.
enum SnapshotRequest: Sendable, Equatable {
  /// `X-Dhole-Snapshot: keep`: tell its name in the same header, if an operator asks.
  case keep
  /// `X-Dhole-Snapshot: NAME` and `X-Dhole-From: BYTES`: the rest of the text, from there on.
  case goOn(String, fromByte: Int)

  static let header = "X-Dhole-Snapshot"
  static let fromHeader = "X-Dhole-From"

  init(_ value: String, from: String?) throws(RESTError) {
    if value == "keep", from == nil {
      self = .keep
    } else if let from, let byte = Int(from), byte >= 0 {
      self = .goOn(value, fromByte: byte)
    } else {
      throw .bad(RESTText.badSnapshot)
    }
  }
}
