package import Engine
import JSONTree
import Rules

extension FirebaseSession {
  /// The database has answered a request.
  package mutating func receive(_ answer: Answer, into actions: inout SessionActions) {
    guard let tag = RequestTag(answer.tag) else { return }
    switch tag.kind {
    case .plain, .mark: reply(answer.outcome, number: tag.number, into: &actions)
    case .listen: listenAnswered(answer.outcome, ListenID(tag.number), into: &actions)
    case .identity: identified(tag.number, answer.outcome, into: &actions)
    case .priority:
      guard case .stale = answer.outcome else {
        return reply(answer.outcome, number: tag.number, into: &actions)
      }
      refuse(tag.number, Refusal(.failure, FirebaseText.priorityOfNothing), into: &actions)
    }
  }

  private func reply(_ outcome: Outcome, number: Int64, into actions: inout SessionActions) {
    switch outcome {
    case .written, .done: actions.messages.reply(number)
    case .listening: actions.messages.reply(number) { $0.append("{}") }
    case .stale: refuse(number, Refusal(.dataStale, FirebaseText.dataStale), into: &actions)
    case .failed(let error): refuse(number, error, into: &actions)
    case .value(let value):
      Telling(content: .reply(number, value, manners)).write(into: &actions.messages)
    }
  }

  /// The value that an answer brings, to be told instead of receiving the answer; nil if it brings none.
  func telling(of answer: Answer) -> Telling? {
    guard case .value(let value) = answer.outcome, let tag = RequestTag(answer.tag), tag.kind == .plain else {
      return nil
    }
    return Telling(content: .reply(tag.number, value, manners))
  }

  /// Refuses a request, and tells developers why.
  func refuse(_ number: Int64, _ error: EngineError, into actions: inout SessionActions) {
    explain(error, into: &actions)
    refuse(number, Refusal(error), into: &actions)
  }

  func refuse(_ number: Int64, _ refusal: Refusal, into actions: inout SessionActions) {
    actions.messages.reply(number, refusal, code: manners.code(of: refusal))
  }

  func explain(_ error: EngineError, into actions: inout SessionActions) {
    guard case .permissionDenied(let explanation?) = error.reason else { return }
    actions.messages.push(debug: FirebaseText.denied(explanation.reason))
  }
}

extension Refusal {
  /// How clients are told what the database could not do.
  init(_ error: EngineError) {
    switch error.reason {
    case .permissionDenied: self.init(.permissionDenied, FirebaseText.permissionDenied)
    case .noIndex(let index, let path):
      self.init(.failure, FirebaseText.indexNotDefined(index, path: path.text))
    case .tooBig: self.init(.tooBig, FirebaseText.dataTooBig)
    case .invalid(let text): self = .invalid(text)
    case .unavailable: self.init(.unavailable, FirebaseText.unavailable)
    case .overloaded: self.init(.unavailable, FirebaseText.overloaded)
    case .closed: self.init(.unavailable, FirebaseText.closed)
    }
  }

  init(_ error: AuthenticationError) {
    switch error.reason {
    case .invalid: self.init(.invalidToken, error.text)
    case .expired: self.init(.expiredToken, error.text)
    }
  }
}
