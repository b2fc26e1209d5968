package import Engine
import JSONTree
package import NIOCore
import Synchronization

/// Writes down, one line each, what a client is given.
///
///     push set a/b 5 · push merge a {"b":1,"c":null} · initial 1 {"a":1} · answer 7 written · flush
package final class RecordingReceiver: Receiver, Sendable {
  private let lines = Mutex<[String]>([])
  private let reaction = Mutex<(@Sendable (String) -> Void)?>(nil)

  package init() {}

  /// What was received since the last call, without flushes.
  package func take() -> [String] {
    takeAll().filter { $0 != "flush" }
  }

  /// What was received since the last call.
  package func takeAll() -> [String] {
    lines.withLock { lines in
      defer { lines = [] }
      return lines
    }
  }

  /// What was received since the last `take`, and stays.
  package func peek() -> [String] {
    lines.withLock { $0.filter { $0 != "flush" } }
  }

  /// Calls `body` with each line as it is received, on the client's loop.
  package func react(_ body: @escaping @Sendable (String) -> Void) {
    reaction.withLock { $0 = body }
  }

  private func add(_ line: String) {
    lines.withLock { $0.append(line) }
    let body = reaction.withLock { $0 }
    body?(line)
  }

  package func receive(frames: ByteBuffer) {
    for line in String(buffer: frames).split(separator: "\n") { add("push \(line)") }
  }

  package func receive(_ event: ListenEvent) {
    switch event {
    case .initial(let listen, let value): add("initial \(listen) \(value.text())")
    case .change(let listen, let change): add("change \(listen) \(TestDialect.text(of: change))")
    case .refreshed(let values):
      add("refreshed " + values.map { "\($0.listen) \($0.value.text())" }.sorted().joined(separator: ", "))
    case .revoked(let listen, _): add("revoked \(listen)")
    case .dismissed(let reason): add("dismissed \(reason)")
    }
  }

  package func receive(_ answer: Answer) {
    add("answer \(answer.tag) \(RecordingReceiver.text(of: answer.outcome))")
  }

  package func flush() {
    add("flush")
  }

  private static func text(of outcome: Outcome) -> String {
    switch outcome {
    case .written(nil): "written"
    case .written(let entries?): "written " + TestDialect.text(of: entries)
    case .value(let value): "value \(value.text())"
    case .listening(let noIndex): noIndex ? "listening no_index" : "listening"
    case .done: "done"
    case .stale(let current): "stale \(current.text())"
    case .failed(let error): text(of: error)
    }
  }

  private static func text(of error: EngineError) -> String {
    switch error.reason {
    case .permissionDenied: "denied"
    case .noIndex(let index, let path): "noIndex \(index) at /\(path.text)"
    case .tooBig: "tooBig"
    case .invalid: "invalid"
    case .unavailable: "unavailable"
    case .overloaded: "overloaded"
    case .closed: "closed"
    }
  }
}

/// Encodes changes as lines that a test can read.
package struct TestDialect: Dialect {
  package init() {}

  package func encode(_ change: Change, form: PushForm) -> ByteBuffer {
    let tag = form.variant == 0 ? "" : " #\(form.variant)"
    return ByteBuffer(string: TestDialect.text(of: change) + tag + "\n")
  }

  package static func text(of change: Change) -> String {
    switch change {
    case .set(let path, let value): "set \(path.text) \(value.text())"
    case .merge(let path, let entries): "merge \(path.text) " + text(of: entries)
    }
  }

  package static func text(of entries: [MergeEntry]) -> String {
    "{" + entries.map { "\"\($0.path.text)\":\($0.value.text())" }.joined(separator: ",") + "}"
  }
}
