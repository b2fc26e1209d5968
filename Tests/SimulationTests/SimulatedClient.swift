import Engine
import JSONTree
import NIOCore
import Synchronization
import TestSupport

/// Encodes a change as its number in a table, so that what arrives is what was encoded.
final class TableDialect: Dialect, Sendable {
  private let table = Mutex<[(Change, UInt32)]>([])

  func encode(_ change: Change, form: PushForm) -> ByteBuffer {
    let number = table.withLock { table in
      table.append((change, form.variant))
      return table.count - 1
    }
    return ByteBuffer(integer: UInt32(number))
  }

  func decode(_ frames: ByteBuffer) -> [(change: Change, variant: UInt32)] {
    var frames = frames
    var found: [(Change, UInt32)] = []
    while let number = frames.readInteger(as: UInt32.self) {
      found.append(table.withLock { $0[Int(number)] })
    }
    return found
  }
}

/// What a client knows of one of its listens: all that it was told, put together.
struct Followed {
  let path: Path
  let query: Query
  let variant: UInt32
  /// Nil until the initial event.
  var value: FlatTree?
}

/// A client that believes everything it is told, as real ones do.
final class SimulatedClient: Receiver, Sendable {
  struct State {
    var listens: [ListenID: Followed] = [:]
    var outcomes: [UInt64: Outcome] = [:]
    /// What no server may do.
    var faults: [String] = []
  }

  let session: String
  private let dialect: TableDialect
  private let state = Mutex(State())

  init(session: String, dialect: TableDialect) {
    self.session = session
    self.dialect = dialect
  }

  var listens: [ListenID: Followed] { state.withLock(\.listens) }
  var outcomes: [UInt64: Outcome] { state.withLock(\.outcomes) }
  var faults: [String] { state.withLock(\.faults) }

  func follow(_ id: ListenID, _ followed: Followed) {
    state.withLock { $0.listens[id] = followed }
  }

  func unfollow(_ id: ListenID) {
    state.withLock { $0.listens[id] = nil }
  }

  func receive(frames: ByteBuffer) {
    for (change, variant) in dialect.decode(frames) {
      state.withLock { $0.hear(change, variant) }
    }
  }

  func receive(_ event: ListenEvent) {
    state.withLock { state in
      switch event {
      case .initial(let id, let value):
        if state.listens[id]?.value != nil { state.faults.append("a second initial event for \(id)") }
        state.listens[id]?.value = FlatTree(value)
      case .change(let id, _): state.faults.append("a change nobody asked for to \(id)")
      case .revoked(let id, _): state.faults.append("\(id) was revoked")
      }
    }
  }

  func receive(_ answer: Answer) {
    state.withLock { state in
      if state.outcomes.updateValue(answer.outcome, forKey: answer.tag) != nil {
        state.faults.append("a second answer to \(answer.tag)")
      }
      if case .listening = answer.outcome, let followed = state.listens[answer.tag], followed.value == nil {
        state.faults.append("listen \(answer.tag) was answered before its initial event")
      }
    }
  }

  func flush() {}
}

extension SimulatedClient.State {
  /// Applies a push to every listen that it is for: those with its tag, or all without one.
  mutating func hear(_ change: Change, _ variant: UInt32) {
    var isForSomebody = false
    for (id, followed) in listens where followed.variant == variant {
      guard var value = followed.value else { continue }
      let isConcerned: Bool
      switch change {
      case .set(let path, let node):
        isConcerned = value.hear(path, node, followed.path)
      case .merge(let base, let entries):
        isConcerned = entries.map { value.hear(base.appending($0.path), $0.value, followed.path) }.contains(
          true)
      }
      if isConcerned {
        isForSomebody = true
        listens[id]?.value = value
      }
    }
    if !isForSomebody { faults.append("a push that no listen asked for: \(change) #\(variant)") }
  }
}

extension FlatTree {
  /// Overwrites at an absolute path, as seen from a listen's place; true if that concerns it.
  fileprivate mutating func hear(_ path: Path, _ node: Node, _ place: Path) -> Bool {
    if place.contains(path) {
      set(node, at: path.relative(to: place).names)
      return true
    }
    if path.contains(place) {
      self = FlatTree(node[place.relative(to: path)])
      return true
    }
    return false
  }
}
