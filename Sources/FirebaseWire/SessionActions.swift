package import Engine
package import JSONTree
package import Rules

/// What a session wants done, in the order of each kind. Messages and commands can be handed on in any order.
package struct SessionActions {
  /// Something that only the session's surroundings can do.
  package enum Step: Sendable, Equatable {
    /// Check a credential and tell the session the result.
    case authenticate(String)
    /// Tell the session when this second has come, and forget any other; nil: there is none to wait for.
    case expire(atSeconds: Int64?)
    /// Send what is there and end the connection.
    case close(code: UInt16, reason: String)
  }

  /// For the client.
  package var messages = MessageList()
  /// For the database.
  package var commands: [Command] = []
  /// For the surroundings.
  package var steps: [Step] = []

  package init() {}

  /// True if there is nothing to do.
  package var isEmpty: Bool { messages.isEmpty && commands.isEmpty && steps.isEmpty }
}

/// Something that a session asks of its database.
package enum Command: Sendable {
  case write(WriteRequest, tag: UInt64)
  case get(Path, Query, tag: UInt64)
  case listen(ListenRequest, tag: UInt64)
  case unlisten(ListenID, tag: UInt64?)
  case onDisconnect(DisconnectOperation, tag: UInt64)
  case setCaller(Caller, tag: UInt64?)
  case mark(tag: UInt64)

  /// Asks it for a client, inside the database.
  package func run(in database: isolated Database, for client: Client) {
    switch self {
    case .write(let request, let tag): database.write(request, tag: tag, client: client)
    case .get(let path, let query, let tag): database.get(path, query: query, tag: tag, client: client)
    case .listen(let request, let tag): database.listen(request, tag: tag, client: client)
    case .unlisten(let listen, let tag): database.unlisten(listen, tag: tag, client: client)
    case .onDisconnect(let operation, let tag): database.onDisconnect(operation, tag: tag, client: client)
    case .setCaller(let caller, let tag): database.setCaller(caller, for: client, tag: tag)
    case .mark(let tag): database.mark(tag: tag, client: client)
    }
  }
}

/// How a request is named to the database: by its number, and for some kinds by how it must be answered.
struct RequestTag: Hashable {
  enum Kind: UInt64 {
    case plain = 0
    case listen = 1
    case identity = 2
    /// A priority that needs a value to belong to.
    case priority = 3
    /// A place in the log.
    case mark = 4
  }

  let kind: Kind
  /// The client's number; for a listen and for a change of identity the session's own.
  let number: Int64

  init(_ kind: Kind, _ number: Int64) {
    self.kind = kind
    self.number = number
  }

  init?(_ tag: UInt64) {
    guard let kind = Kind(rawValue: tag >> 61) else { return nil }
    self.init(kind, Int64(tag & (1 << 61 - 1)))
  }

  var tag: UInt64 { kind.rawValue << 61 | UInt64(number) }
}
