package import Engine
package import JSONTree

/// What one message of a client asks for.
package enum Request: Sendable {
  /// The client wants to know whether the server is there.
  case ping
  /// An action, and the number that its answer must carry.
  case action(Int64, Action)
  /// The client sends nothing more by polls, since it has moved to a WebSocket.
  case endOfTransmission
  /// A control message that needs no answer.
  case ignored
  /// A message that is no request, or that has no number by which it could be answered.
  case unanswerable
}

/// What a numbered request wants done.
package enum Action: Sendable {
  case put(Path, UnresolvedValue, hash: String?)
  case merge(Path, [(path: Path, value: UnresolvedValue)])
  case listen(Listening)
  case unlisten(Path, Query, tag: UInt32?)
  case get(Path, Query)
  case onDisconnect(DisconnectOperation)
  case authenticate(Credential)
  case signOut
  /// Where in the log the client's listens are now.
  case mark
  /// Statistics and app checks: accepted, with no effect.
  case acknowledge
  /// The request makes no sense; the reply says why.
  case refuse(Refusal)
}

/// A listen as a client asks for it.
package struct Listening: Sendable {
  package var path: Path
  package var query = Query.all
  /// The query as the client wrote it, which it must be told if the listen is revoked; nil without a query.
  package var queryText: [UInt8]?
  /// The number that marks the pushes of a filtered listen.
  package var tag: UInt32?
  /// What the client holds already.
  package var held: HeldValue?
  /// Up to where in the log the client knows the place.
  package var since: LogMark?
}

/// The value of a listen's place as a client has it, or what it says of it.
package final class HeldValue: Sendable {
  /// The hash of all of it.
  package let hash: String
  /// The hashes of stretches of it, from clients that can replace a stretch.
  package let ranges: CompoundHash?

  package init(hash: String, ranges: CompoundHash? = nil) {
    self.hash = hash
    self.ranges = ranges
  }
}

/// What a client says of who it is.
package struct Credential: Sendable {
  package var text: String
  /// Act as this user, as administrators may.
  package var actingAs: Node?
  /// Act as somebody who is signed out.
  package var signedOut = false
}

/// A reply that is not `ok`.
package struct Refusal: Error, Sendable, Hashable {
  package var status: Status
  package var text: String

  package init(_ status: Status, _ text: String) {
    self.status = status
    self.text = text
  }

  static func invalid(_ text: String) -> Refusal {
    Refusal(.invalidParameters, text)
  }
}

extension Refusal {
  /// What a client is told about a body that is not what its action needs.
  init(_ error: JSONSyntaxError) {
    switch error.reason {
    case .stringTooLong: self.init(.tooBig, FirebaseText.stringTooLong)
    case .keyTooLong: self = .invalid(FirebaseText.keyTooLong)
    case .invalidKey, .invalidPath: self = .invalid(FirebaseText.invalidPath)
    case .tooDeep: self = .invalid(FirebaseText.tooDeep)
    case .overlappingPaths, .duplicateKey: self = .invalid(FirebaseText.overlappingPaths)
    case .unknownServerValue: self = .invalid(FirebaseText.unknownServerValue)
    case .invalidPriority: self = .invalid(FirebaseText.invalidPriority)
    case .invalidValue: self = .invalid(FirebaseText.invalidValue)
    case .numberOutOfRange: self = .invalid(FirebaseText.numberOutOfRange)
    case .invalidUTF8, .loneSurrogate: self = .invalid(FirebaseText.invalidUnicode)
    case .unexpectedValue: self = .invalid(FirebaseText.unexpectedValue)
    case .unexpectedEnd, .unexpectedByte, .trailingBytes, .invalidNumber, .invalidEscape, .controlCharacter:
      self = .invalid(FirebaseText.invalidJSON)
    }
  }

  init(_ error: PathError) {
    switch error.reason {
    case .keyTooLong: self = .invalid(FirebaseText.keyTooLong)
    case .tooDeep: self = .invalid(FirebaseText.tooDeep)
    default: self = .invalid(FirebaseText.invalidPath)
    }
  }

  init(_ error: QueryError) {
    switch error {
    case .limitNotPositive: self = .invalid(FirebaseText.invalidLimit)
    case .invalidBound: self = .invalid(FirebaseText.invalidBound)
    case .keyBoundNotString: self = .invalid(FirebaseText.keyBoundNotString)
    case .invalidIndex: self = .invalid(FirebaseText.invalidIndex)
    }
  }
}
