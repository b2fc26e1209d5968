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
  /// The client has asked for its end: it may be told or not.
  var isEnding = false
}

/// A client that believes everything it is told, as real ones do.
final class SimulatedClient: Receiver, Sendable {
  struct State {
    var listens: [ListenID: Followed] = [:]
    var outcomes: [UInt64: Outcome] = [:]
    /// What was asked for once, by the request's tag.
    var gets: [UInt64: (path: Path, query: Query)] = [:]
    var isGone = false
    var isConflating = false
    var diedWithServer = false
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
  /// It has left, or its server has died: nothing reaches it any more.
  var isGone: Bool { state.withLock(\.isGone) }
  var diedWithServer: Bool { state.withLock(\.diedWithServer) }

  var isConflating: Bool { state.withLock(\.isConflating) }

  func go() { state.withLock { $0.isGone = true } }
  func die() { state.withLock { $0.diedWithServer = !$0.isGone } }

  func ask(_ tag: UInt64, _ path: Path, _ query: Query) {
    state.withLock { $0.gets[tag] = (path, query) }
  }

  /// What it believes to be at a place: nil if no listen of its own covers that.
  func belief(at path: Path) -> FlatTree? { state.withLock { $0.belief(at: path) } }

  func follow(_ id: ListenID, _ followed: Followed) {
    state.withLock { $0.listens[id] = followed }
  }

  func endsFollowing(_ id: ListenID) {
    state.withLock { $0.listens[id]?.isEnding = true }
  }

  func unfollow(_ id: ListenID) {
    state.withLock { $0.listens[id] = nil }
  }

  /// Lets all changes go by until it is told its listens anew.
  func stopReading() { state.withLock { $0.isConflating = true } }

  func receive(frames: ByteBuffer) {
    if isGone || state.withLock(\.isConflating) { return }
    for (change, variant) in dialect.decode(frames) {
      state.withLock { $0.hear(change, variant) }
    }
  }

  func receive(_ event: ListenEvent) {
    state.withLock { state in
      if state.isGone { return }
      switch event {
      case .initial(let id, let value):
        if state.listens[id]?.value != nil { state.faults.append("a second initial event for \(id)") }
        state.listens[id]?.value = FlatTree(value)
      case .change(let id, _): state.faults.append("a change nobody asked for to \(id)")
      case .refreshed(let values): state.refresh(values)
      case .revoked(let id, _): state.faults.append("\(id) was revoked")
      case .dismissed: state.faults.append("the client was dismissed")
      }
    }
  }

  func receive(_ answer: Answer) {
    state.withLock { state in
      if state.isGone { return }
      if state.outcomes.updateValue(answer.outcome, forKey: answer.tag) != nil {
        state.faults.append("a second answer to \(answer.tag)")
      }
      state.check(answer)
      if case .listening = answer.outcome, let followed = state.listens[answer.tag], followed.value == nil {
        state.faults.append("listen \(answer.tag) was answered before its initial event")
      }
    }
  }

  func flush() {}
}

extension SimulatedClient.State {
  /// What a whole listen at or above a place says of it.
  func belief(at path: Path) -> FlatTree? {
    for followed in listens.values where followed.query.isDefault && followed.path.contains(path) {
      if let value = followed.value { return value.part(at: path.relative(to: followed.path).names) }
    }
    return nil
  }

  /// Takes what the listens show as all there is to know.
  mutating func refresh(_ values: [(listen: ListenID, value: Node)]) {
    isConflating = false
    var told: Set<ListenID> = []
    for (id, value) in values {
      guard let listen = listens[id] else { continue }
      told.insert(id)
      listens[id]?.value = FlatTree(value)
      // As for a push: an outer listen speaks for the inner ones.
      for (inner, followed) in listens where inner != id && followed.variant == 0 && listen.variant == 0 {
        guard followed.value != nil, listen.path.contains(followed.path) else { continue }
        told.insert(inner)
        listens[inner]?.value = FlatTree(value[followed.path.relative(to: listen.path)])
      }
    }
    for (id, followed) in listens where followed.value != nil && !followed.isEnding && !told.contains(id) {
      faults.append("listen \(id) was not told anew")
    }
  }

  /// A value that is read is the one that the pushes before it have made.
  mutating func check(_ answer: Answer) {
    guard case .value(let value) = answer.outcome, let (path, query) = gets[answer.tag] else { return }
    guard !isConflating, query.isDefault, let belief = belief(at: path), belief != FlatTree(value) else {
      return
    }
    faults.append("a get of \(path) says {\(FlatTree(value))}, but the pushes before it {\(belief)}")
  }

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
