import Engine
import FirebaseWire
import JSONTree
import Rules
import Testing

/// A session without surroundings, driven by texts.
struct SessionProbe {
  var session: FirebaseSession
  private(set) var commands: [Command] = []

  init(limits: FirebaseLimits = .standard, explainsDenials: Bool = false, isOpen: Bool = true) {
    session = FirebaseSession(limits: limits, explainsDenials: explainsDenials)
    guard isOpen else { return }
    var actions = SessionActions()
    session.opened(into: &actions)
    #expect(actions.isEmpty)
  }

  /// What the session wants done about something, one line for each thing.
  mutating func after(_ body: (inout FirebaseSession, inout SessionActions) -> Void) -> [String] {
    var actions = SessionActions()
    body(&session, &actions)
    commands += actions.commands
    return actions.messages.texts + actions.commands.map(SessionProbe.describe)
      + actions.steps.map { "\($0)" }
  }

  mutating func send(_ message: String) -> [String] {
    let bytes = Array(message.utf8)
    return after { session, actions in
      let request = bytes.withUnsafeBytes(Request.read)
      session.receive(request, bytes: bytes.count, into: &actions)
    }
  }

  /// A request by its action and body.
  mutating func request(_ number: Int, _ action: String, _ body: String) -> [String] {
    send(#"{"t":"d","d":{"r":\#(number),"a":"\#(action)","b":\#(body)}}"#)
  }

  mutating func answer(_ outcome: Outcome) -> [String] {
    guard !commands.isEmpty else { return ["nothing to answer"] }
    let tag = SessionProbe.tag(commands.removeFirst())
    guard let tag else { return [] }
    return after { $0.receive(Answer(tag: tag, outcome: outcome), into: &$1) }
  }

  mutating func event(_ event: ListenEvent) -> [String] {
    after { $0.receive(event, into: &$1) }
  }

  static func tag(_ command: Command) -> UInt64? {
    switch command {
    case .write(_, let tag), .get(_, _, let tag), .listen(_, let tag), .onDisconnect(_, let tag),
      .mark(let tag):
      tag
    case .unlisten(_, let tag), .setCaller(_, let tag): tag
    }
  }

  /// A command as one line.
  static func describe(_ command: Command) -> String {
    switch command {
    case .write(let request, _):
      return "write " + describe(request.kind) + (request.condition.map { " if \($0)" } ?? "")
    case .get(let path, let query, _): return "get /\(path.text) \(describe(query))"
    case .listen(let request, _):
      return
        "listen \(request.listen) /\(request.path.text) \(describe(request.query)) as \(request.form.variant)"
    case .unlisten(let listen, let tag): return "unlisten \(listen)" + (tag == nil ? " quietly" : "")
    case .onDisconnect(.put(let path, let value), _):
      return "at the end " + describe(.put(path, value))
    case .onDisconnect(.merge(let path, let changes), _):
      return "at the end " + describe(.merge(path, changes))
    case .onDisconnect(.cancel(let path), _): return "at the end nothing at /\(path.text)"
    case .mark: return "mark"
    case .setCaller(let caller, let tag):
      let name = caller.isAdmin ? "admin" : caller.auth.text()
      return "caller \(name)" + (tag == nil ? " quietly" : "")
    }
  }

  private static func describe(_ kind: WriteRequest.Kind) -> String {
    switch kind {
    case .put(let path, let value): "put /\(path.text) \(text(value))"
    case .merge(let path, let changes):
      "merge /\(path.text) " + changes.map { "\($0.path.text): \(text($0.value))" }.joined(separator: ", ")
    }
  }

  private static func text(_ value: UnresolvedValue) -> String {
    String(decoding: value.text, as: UTF8.self)
  }

  static func describe(_ query: Query) -> String {
    var parts = [query.index.declaredName ?? (query.index == .key ? ".key" : ".priority")]
    if let start = query.start { parts.append("from \(describe(start))") }
    if let end = query.end { parts.append("to \(describe(end))") }
    if let limit = query.limit { parts.append((query.fromEnd ? "last " : "first ") + "\(limit)") }
    return parts.joined(separator: " ")
  }

  private static func describe(_ bound: Bound) -> String {
    let key: String =
      switch bound.key {
      case .min: "min"
      case .max: "max"
      case .key(let key): key.text
      }
    return "\(bound.value.text())/\(key)" + (bound.inclusive ? "" : " exclusive")
  }
}

/// A path of plain keys.
func at(_ path: String) -> Path {
  Path(path.split(separator: "/").map { ChildKey(unchecked: String($0)) })
}

/// The reply to a request that went well and has nothing to tell.
func ok(_ number: Int, _ payload: String = "\"\"") -> String {
  #"{"t":"d","d":{"r":\#(number),"b":{"s":"ok","d":\#(payload)}}}"#
}

/// The reply to a request that was refused.
func refused(_ number: Int, _ status: String, _ text: String) -> String {
  #"{"t":"d","d":{"r":\#(number),"b":{"s":"\#(status)","d":"\#(text)"}}}"#
}
