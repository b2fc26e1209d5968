package import Engine
import JSONTree
import Rules

/// The protocol as one client speaks it: requests go in, what is to be done comes out.
///
/// It knows neither sockets nor frames nor loops. Requests are taken strictly one after the other: while the
/// database is being opened or a credential is being checked, all that follows waits.
package struct FirebaseSession {
  private enum State {
    case opening
    case ready
    /// A credential is being checked for the request of this number.
    case checking(number: Int64, Credential)
    case closed
  }

  /// A request that waits.
  private struct Waiting {
    let number: Int64
    let action: Action
    let bytes: Int
  }

  /// The answer to a change of identity.
  private struct Identity {
    let number: Int64
    let payload: [UInt8]
  }

  let limits: FirebaseLimits
  let manners: SessionManners
  /// Tell clients in words why something was denied: for developers only.
  let explainsDenials: Bool
  /// Which carrier's frames the client's pushes need.
  let carrier: UInt8
  var listens = ListenTable()
  private var state = State.opening
  /// What waits, from `nextWaiting` on; what is before has been taken.
  private var waiting: [Waiting] = []
  private var nextWaiting = 0
  private var waitingBytes = 0
  /// The answers to changes of identity that the database is making, by their places in the order of all.
  private var identities: [Int64: Identity] = [:]
  private var lastIdentity: Int64 = 0
  private var expiresAtSeconds: Int64?

  package init(
    limits: FirebaseLimits = .standard, manners: SessionManners = .firebase, explainsDenials: Bool = false,
    carrier: UInt8 = 0
  ) {
    self.limits = limits
    self.manners = manners
    self.explainsDenials = explainsDenials
    self.carrier = carrier
  }

  // MARK: What happens

  /// The database is there, and the client is attached to it.
  package mutating func opened(into actions: inout SessionActions) {
    guard case .opening = state else { return }
    state = .ready
    takeWaiting(into: &actions)
  }

  /// A message has come, of so many bytes.
  package mutating func receive(_ request: Request, bytes: Int, into actions: inout SessionActions) {
    switch request {
    case .ping: actions.messages.pong()
    case .ignored, .endOfTransmission: break
    case .unanswerable: if explainsDenials { actions.messages.push(debug: FirebaseText.unanswerable) }
    case .action(let number, let action): receive(action, number: number, bytes: bytes, into: &actions)
    }
  }

  /// A message was too long to be kept; its request's number, if it was found.
  package mutating func receiveOversized(number: Int64?, into actions: inout SessionActions) {
    guard let number else {
      return close(code: SessionClose.messageTooBig, FirebaseText.messageUnreadable, into: &actions)
    }
    let refusal = Refusal(.tooBig, FirebaseText.messageTooBig)
    receive(.refuse(refusal), number: number, bytes: 0, into: &actions)
  }

  /// The credential that was being checked is good, or it is not.
  package mutating func authenticated(
    _ result: Result<Authentication, AuthenticationError>, into actions: inout SessionActions
  ) {
    guard case .checking(let number, let credential) = state else { return }
    state = .ready
    switch result {
    case .success(let authentication): accept(authentication, credential, number: number, into: &actions)
    case .failure(let error): refuse(number, Refusal(error), into: &actions)
    }
    takeWaiting(into: &actions)
  }

  /// The second has come at which the credential ends.
  package mutating func expired(into actions: inout SessionActions) {
    guard expiresAtSeconds != nil else { return }
    expiresAtSeconds = nil
    actions.messages.push(credentialRevoked: Refusal(.expiredToken, FirebaseText.expiredToken))
    actions.commands.append(.setCaller(.anonymous, tag: nil))
  }

  /// The database has taken the client's identity away, because its credential was revoked.
  mutating func dismissed(_ reason: AuthenticationError.Reason, into actions: inout SessionActions) {
    let isOver = reason == .expired || manners.endsSignInByExpiryOnly
    actions.messages.push(
      credentialRevoked: isOver
        ? Refusal(.expiredToken, FirebaseText.expiredToken)
        : Refusal(.invalidToken, FirebaseText.credentialRevoked))
    // The end of a newer credential, which is on its way to the database, is still to be waited for.
    guard identities.isEmpty, expiresAtSeconds != nil else { return }
    expiresAtSeconds = nil
    actions.steps.append(.expire(atSeconds: nil))
  }

  /// The connection is over; nothing more will be done.
  package mutating func closed() {
    state = .closed
    waiting = []
    nextWaiting = 0
    waitingBytes = 0
    listens = ListenTable()
  }

  // MARK: Requests

  private mutating func receive(
    _ action: Action, number: Int64, bytes: Int, into actions: inout SessionActions
  ) {
    switch state {
    case .ready: perform(action, number: number, into: &actions)
    case .opening, .checking:
      waitingBytes += bytes
      let count = waiting.count - nextWaiting
      guard count < limits.waitingRequests, waitingBytes <= limits.waitingBytes else {
        return close(code: SessionClose.tooMuch, FirebaseText.tooManyWaiting, into: &actions)
      }
      waiting.append(Waiting(number: number, action: action, bytes: bytes))
    case .closed: break
    }
  }

  /// Takes what has waited, until one of it makes the rest wait again.
  private mutating func takeWaiting(into actions: inout SessionActions) {
    while nextWaiting < waiting.count, case .ready = state {
      let next = waiting[nextWaiting]
      nextWaiting += 1
      waitingBytes -= next.bytes
      perform(next.action, number: next.number, into: &actions)
    }
    guard nextWaiting == waiting.count else { return }
    waiting = []
    nextWaiting = 0
  }

  private mutating func perform(_ action: Action, number: Int64, into actions: inout SessionActions) {
    let tag = RequestTag(.plain, number).tag
    switch action {
    case .put(let path, let value, nil) where path.endsWithPriority && manners.needsValueForPriority:
      let request = WriteRequest(.put(path, value), condition: .present)
      actions.commands.append(.write(request, tag: RequestTag(.priority, number).tag))
    case .put(let path, let value, let hash):
      let condition = hash.map { Condition.hash($0, dialects: [.standard, .wilddogDouble]) }
      actions.commands.append(.write(WriteRequest(.put(path, value), condition: condition), tag: tag))
    case .merge(let path, let changes):
      actions.commands.append(.write(WriteRequest(.merge(path, changes)), tag: tag))
    case .get(let path, let query): actions.commands.append(.get(path, query, tag: tag))
    case .listen(let listening): listen(listening, number: number, into: &actions)
    case .unlisten(let path, let query, let listenTag):
      unlisten(path, query, listenTag: listenTag, number: number, into: &actions)
    case .onDisconnect(let operation): actions.commands.append(.onDisconnect(operation, tag: tag))
    case .authenticate(let credential): check(credential, number: number, into: &actions)
    case .signOut:
      identify(.anonymous, number: number, into: &actions) { $0.append(string: FirebaseText.signedOut) }
    case .mark: actions.commands.append(.mark(tag: RequestTag(.mark, number).tag))
    case .acknowledge: actions.messages.reply(number)
    case .refuse(let refusal): refuse(number, refusal, into: &actions)
    }
  }

  private mutating func close(code: UInt16, _ reason: String, into actions: inout SessionActions) {
    closed()
    actions.steps.append(.close(code: code, reason: reason))
  }

  // MARK: Identity

  private mutating func check(_ credential: Credential, number: Int64, into actions: inout SessionActions) {
    guard credential.text.utf8.count <= limits.credentialBytes else {
      return refuse(number, Refusal(.invalidToken, FirebaseText.credentialTooLong), into: &actions)
    }
    state = .checking(number: number, credential)
    actions.steps.append(.authenticate(credential.text))
  }

  private mutating func accept(
    _ authentication: Authentication, _ credential: Credential, number: Int64,
    into actions: inout SessionActions
  ) {
    var caller = authentication.caller
    var payload = authentication.payload
    if credential.actingAs != nil, !caller.isAdmin {
      return refuse(
        number, Refusal(.permissionDenied, FirebaseText.actingAsNeedsAdmin), into: &actions)
    }
    if credential.actingAs != nil || credential.signedOut {
      caller.isOperator = caller.isAdmin
      caller.auth = credential.signedOut ? .null : credential.actingAs ?? .null
      caller.isAdmin = false
      payload = caller.auth
    }
    let expires = caller.expiresAtSeconds
    identify(caller, number: number, into: &actions) { out in
      out.append(#"{"auth":"#)
      payload.write(.export, into: &out)
      out.append(#","expires":"#)
      if let expires { out.append(number: expires) } else { out.append("null") }
      out.append("}")
    }
  }

  /// Makes the client somebody else; the answer comes once the database has looked at all listens again.
  private mutating func identify(
    _ caller: Caller, number: Int64, into actions: inout SessionActions, payload: (inout [UInt8]) -> Void
  ) {
    var text: [UInt8] = []
    payload(&text)
    lastIdentity += 1
    identities[lastIdentity] = Identity(number: number, payload: text)
    actions.commands.append(.setCaller(caller, tag: RequestTag(.identity, lastIdentity).tag))
    if caller.expiresAtSeconds != expiresAtSeconds {
      expiresAtSeconds = caller.expiresAtSeconds
      actions.steps.append(.expire(atSeconds: expiresAtSeconds))
    }
  }

  /// The database has made the client somebody else.
  mutating func identified(_ place: Int64, _ outcome: Outcome, into actions: inout SessionActions) {
    guard let identity = identities.removeValue(forKey: place) else { return }
    if case .failed(let error) = outcome { return refuse(identity.number, error, into: &actions) }
    actions.messages.reply(identity.number) { $0.append(contentsOf: identity.payload) }
  }
}

/// Why a session ends its connection, as WebSocket close codes, which every carrier can translate.
enum SessionClose {
  static let messageTooBig: UInt16 = 1009
  static let tooMuch: UInt16 = 1008
}
